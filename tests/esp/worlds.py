"""Real servers on this machine that stand for the outside world: an SMTP server, and one that speaks mail/send."""

import asyncio
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP


@dataclass
class World:
    """What arrived, and what the server says; `answer` is per adapter, None accepts."""

    url: str = ""
    received: list[EmailMessage] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    answer: Any = None
    connections: int = 0


class _Inbox:
    """Takes mails; `answer` maps a command to the line it gets, `hang up` closes the connection instead."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def handle_MAIL(self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: ARG002, N802
        envelope.mail_from = address
        return self._say("MAIL") or "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: ARG002, N802
        if said := self._say("RCPT"):
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: ARG002, N802
        said = self._say("DATA")
        if said == "hang up":
            _reset(server.transport)  # type: ignore[arg-type]
            await asyncio.sleep(0.1)
            return "421 gone"
        if said is None:
            parsed = message_from_bytes(envelope.content, policy=default)
            assert isinstance(parsed, EmailMessage)
            self.world.received.append(parsed)
        return said or "250 2.0.0 queued"

    def _say(self, command: str) -> str | None:
        answers = self.world.answer or {}
        said = answers.get(command)
        return str(said) if said else None


def _reset(transport: asyncio.Transport) -> None:
    raw = transport.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class _Counting(Controller):
    """A controller that counts connections."""

    def __init__(self, world: World, **options: Any) -> None:
        self._world = world
        super().__init__(_Inbox(world), hostname="127.0.0.1", port=0, **options)

    def factory(self) -> SMTP:
        self._world.connections += 1
        made = super().factory()  # type: ignore[no-untyped-call]
        assert isinstance(made, SMTP)
        return made

    def _trigger_server(self) -> None:
        # The base class connects to the port it was given, which is 0 here; the one it got is known by now.
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def smtp_world(scheme: str = "smtp", tls: ssl.SSLContext | None = None) -> Iterator[World]:
    """An SMTP server; `tls` serves smtps:// or smtp+starttls://."""
    world = World()
    options: dict[str, Any] = {}
    if scheme == "smtps":
        options = {"ssl_context": tls}
    elif scheme == "smtp+starttls":
        options = {"tls_context": tls, "require_starttls": True}
    controller = _Counting(world, **options)
    controller.start()
    world.connections = 0
    world.url = f"{scheme}://127.0.0.1:{controller.port}"
    try:
        yield world
    finally:
        controller.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    #: Connections that wait to be heard: a delivery opens a hundred at once.
    request_queue_size = 256


@contextmanager
def sendgrid_world() -> Iterator[World]:
    """A server that takes POST /v3/mail/send; `answer` is (status, headers), or a function that treats the socket."""
    world = World()

    class Api(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            world.connections += 1

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert (self.path, "Bearer SG.key") == ("/v3/mail/send", self.headers["Authorization"])
            world.bodies.append(body)
            if callable(world.answer):
                world.answer(self)
                return
            status, headers = world.answer or (202, {"X-Message-Id": f"sg-{len(world.bodies)}"})
            if status == 202:
                world.received.append(_as_message(body))
            self.send_response(status)
            for name, value in {**headers, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Api)
    world.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield world
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def hang_up(api: BaseHTTPRequestHandler) -> None:
    """Answer nothing: reset the connection after the body was read."""
    api.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    api.connection.close()
    api.close_connection = True


def _as_message(body: dict[str, Any]) -> EmailMessage:
    """The mail a body of mail/send would become."""
    message = EmailMessage()
    to = body["personalizations"][0]["to"][0]
    message["To"] = f'"{to.get("name", "")}" <{to["email"]}>'
    message["From"] = f'"{body["from"].get("name", "")}" <{body["from"]["email"]}>'
    message["Subject"] = body.get("subject") or body["personalizations"][0]["subject"]
    message["Reply-To"] = body["reply_to"]["email"]
    for name, value in body["headers"].items():
        message[name] = value
    for content in body["content"]:
        subtype = content["type"].partition("/")[2]
        add: Callable[..., None] = message.set_content if subtype == "plain" else message.add_alternative
        add(content["value"], subtype=subtype)
    return message
