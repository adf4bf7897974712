"""Posts to one address over kept HTTP/1.1 connections, and knows of each post whether a byte of it has left.

The parser is llhttp's. A general client spends four times as much on a request, and will not say when it begins one.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httptools

#: Bytes that are read at once: answers are short.
_AT_ONCE = 8192
#: Bytes of an answer that are read; a server that sends more is none we know.
_MOST = 1_000_000
#: Seconds after which an idle connection is not trusted any more: whoever is at the other end may have let go of it.
_IDLE = 10.0


class UnreachableError(Exception):
    """No connection was made: nothing has left."""


class BrokenError(Exception):
    """The connection ended, or the server was not understood, after bytes may have left."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; names of headers are in small letters."""

    status: int
    headers: Mapping[str, str]


class Wire:
    """Kept connections to the server of `url`; used from one event loop."""

    def __init__(self, url: str, headers: Mapping[str, str], *, connect: float, patience: float) -> None:
        to = urlsplit(url)
        self._host, self._tls = to.hostname or "", to.scheme == "https"
        self._port = to.port or (443 if self._tls else 80)
        said = {"Host": to.netloc.rpartition("@")[2], **headers}
        lines = [f"POST {to.path or '/'} HTTP/1.1", *(f"{name}: {value}" for name, value in said.items())]
        self._head = "\r\n".join([*lines, "Content-Length: "]).encode("ascii")
        self._connect, self._patience = connect, patience
        self._idle: list[_Connection] = []
        self._context: ssl.SSLContext | None = None

    async def post(self, body: bytes, may_begin: Callable[[], None]) -> Answer:
        """Post `body`; what `may_begin` raises keeps it here: it is asked right before the first byte.

        Raises UnreachableError, BrokenError, or TimeoutError `patience` seconds after the first byte.
        """
        connection = self._kept() or await self._open()
        try:
            may_begin()
        except BaseException:
            self._keep(connection)
            raise
        answer = await connection.post(b"%b%d\r\n\r\n%b" % (self._head, len(body), body), self._patience)
        self._keep(connection)
        return answer

    def close(self) -> None:
        """Close the connections that are idle."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    def _kept(self) -> "_Connection | None":
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable():
                return connection
            connection.close()
        return None

    def _keep(self, connection: "_Connection") -> None:
        if connection.is_usable():
            self._idle.append(connection)
        else:
            connection.close()

    async def _open(self) -> "_Connection":
        if self._tls and self._context is None:
            self._context = ssl.create_default_context()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect):
                _transport, connection = await loop.create_connection(
                    _Connection, self._host, self._port, ssl=self._context
                )
        except (OSError, TimeoutError) as error:
            raise UnreachableError(type(error).__name__) from error
        return connection


class _Connection(asyncio.BufferedProtocol):
    """One connection with one request at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        # Without one of its own a quarter of a megabyte is taken and given back for each answer.
        self._buffer = memoryview(bytearray(_AT_ONCE))
        self._waiting: asyncio.Future[Answer] | None = None
        self._is_closed, self._used_at = False, self._loop.time()

    def is_usable(self) -> bool:
        """Whether it may carry another request."""
        return not self._is_closed and not self._transport.is_closing() and self._loop.time() - self._used_at < _IDLE

    def close(self) -> None:
        """End it; whoever waits for an answer hears so."""
        self._is_closed = True
        self._transport.abort()

    async def post(self, request: bytes, patience: float) -> Answer:
        """Write `request`, and wait for its answer."""
        self._begin()
        waiting: asyncio.Future[Answer] = self._loop.create_future()
        self._waiting = waiting
        self._transport.write(request)
        timer = self._loop.call_later(patience, self._fail, TimeoutError())
        try:
            return await waiting
        finally:
            timer.cancel()
            if self._waiting is not None:
                # Cut off, with an answer still to come: nobody else may read it.
                self._waiting = None
                self.close()

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._read = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio tells."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - narrows what the protocol is given
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio tells."""
        self._is_closed = True
        self._fail(BrokenError(type(exc).__name__ if exc else "closed"))

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        """asyncio asks."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """asyncio tells."""
        self._read += nbytes
        if self._waiting is None:
            # Nobody asked.
            self.close()
            return
        if self._read > _MOST:
            self._fail(BrokenError("too long"))
            return
        try:
            self._parser.feed_data(self._buffer[:nbytes])
        except httptools.HttpParserError as error:
            self._fail(BrokenError(type(error).__name__))

    def on_header(self, name: bytes, value: bytes) -> None:
        """The parser tells."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_message_complete(self) -> None:
        """The parser tells."""
        status = self._parser.get_status_code()
        if status < 200:
            # An interim answer.
            self._headers = {}
            return
        self._is_closed = not self._parser.should_keep_alive()
        self._used_at = self._loop.time()
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(Answer(status, self._headers))

    def _fail(self, error: Exception) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(error)
        self.close()
