"""`esp: smtp` sends through the server of LEADFLOW_SMTP_URL (smtp://, smtps://, smtp+starttls://).

What an error means depends on when it comes: until the dot that ends the message nothing can have been accepted;
after it, only the server's own answer says.
"""

import asyncio
import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar
from urllib.parse import SplitResult, unquote, urlsplit

from leadflow.email.mime import message_id, write_message
from leadflow.errors import (
    OutageError,
    ProviderError,
    RefusedError,
    RetryableError,
    SettingsError,
    UnknownOutcomeError,
)
from leadflow.ports import Outgoing
from leadflow.settings import Settings

T = TypeVar("T")

_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
_TIMEOUT = 30.0


class SmtpProvider:
    """Several kept connections to one server; each mail has one to itself, in a thread."""

    name = "smtp"
    in_flight = 8

    def __init__(self, url: str, *, context: ssl.SSLContext | None = None) -> None:
        self._url = _read_url(url)
        self._context = context or ssl.create_default_context()
        self._idle: list[_Line] = []

    async def send(self, mail: Outgoing) -> str:
        """Our own Message-ID: the server's answer has none that can be asked for later."""
        content = write_message(mail)
        line = self._idle.pop() if self._idle else _Line(self._url, self._context)
        try:
            await asyncio.to_thread(line.send, mail, content)
        except asyncio.CancelledError:
            # Nobody waits for the answer any more: the thread must not either.
            line.cut()
            raise
        except BaseException:
            self._idle.append(line)
            raise
        self._idle.append(line)
        return message_id(mail)

    async def close(self) -> None:
        """Say goodbye on every line."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(asyncio.to_thread(line.close) for line in idle))


class _Line:
    """One connection, opened with its first mail and again when it has gone cold."""

    def __init__(self, url: SplitResult, context: ssl.SSLContext) -> None:
        self._url, self._context = url, context
        self._connection: smtplib.SMTP | None = None

    def send(self, mail: Outgoing, content: bytes) -> None:
        """Hand `content` over."""
        server = self._open_envelope(mail)
        try:
            self._hand_over(server, mail, content)
        except ProviderError:
            self._forget()
            raise

    def close(self) -> None:
        """Say goodbye."""
        if self._connection is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._connection.quit()
        self._connection = None

    def cut(self) -> None:
        """Break the connection, from another thread than the one that waits on it."""
        server = self._connection
        if server is not None and server.sock is not None:
            with suppress(OSError):
                server.sock.shutdown(socket.SHUT_RDWR)

    def _open_envelope(self, mail: Outgoing) -> smtplib.SMTP:
        """A server that has taken sender and recipient; a kept connection that has gone cold is opened anew, once."""
        kept = self._connection is not None
        try:
            server = _before_data(self._connected)
            _before_data(lambda: _sender_and_recipient(server, mail))
        except RetryableError:
            self._forget()
            if kept:
                return self._open_envelope(mail)
            raise
        except ProviderError:
            # The connection stays good for the next mail.
            with suppress(smtplib.SMTPException, OSError):
                server.rset()
            raise
        return server

    def _hand_over(self, server: smtplib.SMTP, mail: Outgoing, content: bytes) -> None:
        def until_the_dot() -> None:
            server.putcmd("data")
            _expect(server.getreply(), 354)
            # Lines that begin with a dot get another one; the dot that ends the message is not sent yet.
            server.send(content.removesuffix(b"\r\n").replace(b"\r\n.", b"\r\n.."))

        _before_data(until_the_dot)
        mail.refuse_when_stale()
        try:
            server.send(b"\r\n.\r\n")
            answer = server.getreply()
        except (smtplib.SMTPException, OSError) as error:
            raise UnknownOutcomeError("the connection broke while the server was accepting") from error
        if answer[0] == -1:
            raise UnknownOutcomeError("the connection broke while the server was accepting")
        _expect(answer, 250)

    def _connected(self) -> smtplib.SMTP:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> smtplib.SMTP:
        host, port = self._url.hostname or "localhost", self._url.port or _PORTS[self._url.scheme]
        if self._url.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT, context=self._context)
        else:
            server = smtplib.SMTP(host, port, timeout=_TIMEOUT)
        if self._url.scheme == "smtp+starttls":
            server.starttls(context=self._context)
        server.ehlo_or_helo_if_needed()
        if self._url.username:
            server.login(unquote(self._url.username), unquote(self._url.password or ""))
        return server

    def _forget(self) -> None:
        if self._connection is not None:
            with suppress(OSError):
                self._connection.close()
        self._connection = None


def _before_data(act: Callable[[], T]) -> T:
    """Do `act`; whatever goes wrong in it, the message was not accepted."""
    try:
        return act()
    except smtplib.SMTPAuthenticationError as error:
        raise OutageError(f"the mail server refuses our login: {error.smtp_code}") from error
    except smtplib.SMTPResponseException as error:
        raise OutageError(f"the mail server answered {error.smtp_code}") from error
    except (smtplib.SMTPException, OSError) as error:
        raise OutageError(f"the mail server cannot be reached: {type(error).__name__}") from error


def _sender_and_recipient(server: smtplib.SMTP, mail: Outgoing) -> None:
    _expect(server.mail(mail.from_address), 250)
    _expect(server.rcpt(mail.to), 250, 251)


def _expect(answer: tuple[int, bytes], *codes: int) -> None:
    # The server's words may repeat the address: the code alone is kept.
    code = answer[0]
    if code in codes:
        return
    if code == -1:
        raise OutageError("the mail server hung up")
    if code == 421:
        raise OutageError("the mail server answered 421")
    if 500 <= code < 600:
        raise RefusedError(f"the mail server answered {code}")
    raise RetryableError(f"the mail server answered {code}")


def _read_url(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in _PORTS:
        raise SettingsError("LEADFLOW_SMTP_URL begins with smtp://, smtps:// or smtp+starttls://")
    return parts


def open(settings: Settings) -> SmtpProvider:
    """The adapter for the server of LEADFLOW_SMTP_URL; it connects with the first mail."""
    return SmtpProvider(settings.smtp_url)
