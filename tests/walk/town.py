"""Where the walk happens: the company's own site, a mail server, and leadflow's door, all on this machine."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import parseaddr
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypeVar

import uvicorn

from leadflow.app import App, open_app
from leadflow.playbook.example import copy_example
from leadflow.web.site import create_site
from tests.esp.worlds import World, smtp_world
from tests.web.waiting import eventually

T = TypeVar("T")

#: Every hour is an hour for mails, so that the walk can be gone at any.
_WINDOW = re.compile(
    r"days: \[mon, tue, wed, thu, fri\]\n  from:.*\n  to:.*\n  holidays:.*\n  spread:.*\n  max_share.*"
)
_ALWAYS = """days: [mon, tue, wed, thu, fri, sat, sun]
  from: "00:00"
  to: "24:00"
  holidays: none
  spread: 0 minutes
  max_share_per_hour: 100 %"""
_SITE = "https://www.atelier-nord.example"

_PAGE = """<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>:focus {{ outline: 3px solid }}</style>
<script src="{door}/leadflow.js"></script></head>
<body><main><h1>{title}</h1>
<p><button onclick="leadflow('consent', true)">{agree}</button></p>
<p><a href="{door}/f/demo?lang={language}">{demo}</a></p></main></body></html>"""
_WORDS = {
    "fr": {"title": "Nos réalisations", "agree": "J’accepte la mesure d’audience", "demo": "Voir une démonstration"},
    "en": {"title": "Our work", "agree": "You may measure my visit", "demo": "See a demonstration"},
}


@dataclass(kw_only=True)
class Town:
    """What stands there."""

    app: App
    folder: Path
    #: Where leadflow answers.
    door: str
    #: Where the company's own site is.
    site: str
    mail: World
    _read: set[int] = field(default_factory=set)

    def next_mail(self, to: str) -> str:
        """Where to read the next mail to an address that nobody has read; it is waited for."""
        assert eventually(lambda: to in self.unread), "no mail came"
        number = next(n for n, found in self._addressed() if found == to and n not in self._read)
        self._read.add(number)
        return f"{self.site}/mail/{number}"

    @property
    def unread(self) -> list[str]:
        """To whom the mails went that nobody has read."""
        return [to for n, to in self._addressed() if n not in self._read]

    def _addressed(self) -> list[tuple[int, str]]:
        return [(n, parseaddr(str(mail["To"]))[1]) for n, mail in enumerate(self.mail.received)]

    def machine(self, act: Callable[[App, datetime], T]) -> T:
        """Do what a job of the schedule does, now; not in this thread, in which a browser's loop runs."""
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(act, self.app, datetime.now(UTC)).result()


@contextmanager
def a_town(folder: Path, database_url: str, language: str, sales: str) -> Iterator[Town]:
    """The example workspace in `folder`, its doors open; `sales` is the variable that holds where sales are told."""
    copy_example(folder)
    with ExitStack() as stack:
        mail = stack.enter_context(smtp_world())
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        door = f"http://127.0.0.1:{listening.getsockname()[1]}"
        site = stack.enter_context(_site(door, mail))
        _settle(folder, site, language, sales)
        told = {"DATABASE_URL": database_url, "ESP": "smtp", "SMTP_URL": mail.url, "PUBLIC_URL": door}
        (folder / ".env").write_text("".join(f"LEADFLOW_{name}={value}\n" for name, value in told.items()))
        app = open_app(folder)
        stack.callback(app.engine.dispose)
        stack.enter_context(_open(app, listening))
        yield Town(app=app, folder=folder, door=door, site=site, mail=mail)


def _settle(folder: Path, site: str, language: str, sales: str) -> None:
    """The example, for the company whose site is `site` and whose salespeople think in `language`."""
    path = folder / "config" / "leadflow.yaml"
    text = path.read_text(encoding="utf-8").replace(_SITE, site)
    text, n = _WINDOW.subn(_ALWAYS, text)
    assert n == 1
    path.write_text(text, encoding="utf-8")
    path = folder / "config" / "sales.yaml"
    text = re.sub(r"\$SALES_\w+", f"${sales}", path.read_text(encoding="utf-8"))
    path.write_text(text.replace("[fr, en]", f"[{language}, {'en' if language == 'fr' else 'fr'}]"), encoding="utf-8")


@contextmanager
def _site(door: str, mail: World) -> Iterator[str]:
    """A page in either language, wherever one is asked for, and a mailbox beside them."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            language = "en" if self.path.startswith("/en/") else "fr"
            box, number = self.path.rpartition("/")[::2]
            if box == "/mail":
                page = _html_of(mail.received[int(number)])
            else:
                page = _PAGE.format(door=door, language=language, **_WORDS[language]).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_told: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _html_of(mail: EmailMessage) -> bytes:
    part = next(part for part in mail.walk() if part.get_content_type() == "text/html")
    return str(part.get_content()).encode()


@contextmanager
def _open(app: App, listening: socket.socket) -> Iterator[None]:
    server = uvicorn.Server(uvicorn.Config(create_site(app), log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield
    server.should_exit = True
    thread.join()
