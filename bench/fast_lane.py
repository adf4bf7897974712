"""A raised hand: from the POST of the form to the alert of the salesperson, one after the other."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from statistics import median
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from bench.forms import databases
from bench.intake_door import free_port, serving
from bench.table import Line, Say, seconds
from leadflow.links import sign_form
from leadflow.types import micros

_HERE = Path(__file__).parents[1]
_FORM, _HANDS, _MOST = "demo", 15, 5.0
#: As config/sales.yaml names them.
_TEAM = ("SALES_INES", "SALES_MARC", "SALES_SOFIA", "SALES_HELENE")


def lines(say: Say) -> list[Line]:
    """The median on both databases, with the web process, the database and the sink on this machine."""
    found = []
    for database, url in databases():
        say(f"{database}: {_HANDS} raised hands")
        with (
            _sink() as (sink, told),
            _environment(dict.fromkeys(_TEAM, sink)),
            serving(url, _HERE, free_port()) as door,
        ):
            took = [_raise_hand(door, n, told) for n in range(_HANDS)]
        found.append(
            Line(
                what=f"demo request: POST to alert, median of {_HANDS}",
                database=database,
                figure=seconds(median(took)),
                floor=f"slowest {seconds(max(took))}",
                promise=f"≤ {_MOST:g} s",
                kept=median(took) <= _MOST,
            )
        )
    return found


def _raise_hand(door: str, n: int, told: "Queue[float]") -> float:
    shown = micros(datetime.now(UTC) - timedelta(minutes=1))
    person = {"email": f"hand-{n}@firm-{n}.example", "first_name": "Ana", "last_name": "Lo", "company": f"Firm {n}"}
    form = urlencode({**person, "lang": "en", "_at": sign_form("b" * 32, _FORM, shown)}).encode()
    began = time.perf_counter()
    urlopen(Request(f"{door}/forms/{_FORM}", data=form)).close()  # noqa: S310 - our own door
    try:
        return told.get(timeout=60) - began
    except Empty:
        raise RuntimeError("nobody was told of the raised hand") from None


@contextmanager
def _sink() -> Iterator[tuple[str, "Queue[float]"]]:
    """Where alerts arrive, as apprise names it; and when each did."""
    told: Queue[float] = Queue()

    class Sink(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            told.put(time.perf_counter())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_told: object) -> None:
            """A benchmark prints its table alone."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"json://127.0.0.1:{server.server_port}/", told
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
