"""HTTP/1.1 as far as a server under test needs it: requests read piece by piece, answers of every bad kind."""

import asyncio
import json
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The first lines of a request."""

    method: str
    path: str
    headers: Mapping[str, str]

    @property
    def length(self) -> int:
        """How many bytes of body follow."""
        return int(self.headers.get("content-length", "0"))

    @property
    def pid(self) -> int:
        """Whose request it is: workers of these tests carry their process in their key, `SG.<pid>`."""
        key = self.headers.get("authorization", "").removeprefix("Bearer SG.")
        return int(key) if key.isdigit() else 0


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """The next request of a connection; None when there is none."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = raw.decode("latin-1").split("\r\n")
    method, path, _version = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines if line)
    return Head(method=method, path=path, headers={name.strip().lower(): value.strip() for name, _, value in pairs})


async def read_rest(reader: asyncio.StreamReader, begun: bytes, length: int) -> bytes | None:
    """`begun` and what is missing of `length` bytes; None when the sender is gone before the end."""
    try:
        return begun + await reader.readexactly(length - len(begun))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def answer(status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> bytes:
    """A response with a JSON body, or an empty one."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(content)}", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


async def say(writer: asyncio.StreamWriter, content: bytes) -> None:
    """Write, whoever still listens."""
    with suppress(ConnectionError):
        writer.write(content)
        await writer.drain()


def reset(writer: asyncio.StreamWriter) -> None:
    """Break the connection off: the other side reads an error, not an end."""
    raw = writer.get_extra_info("socket")
    if raw is not None:
        with suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def half_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say that nothing more will come, and go on listening until the other side ends too."""
    with suppress(OSError, ConnectionError):
        writer.write_eof()
        await reader.read()
    writer.close()
