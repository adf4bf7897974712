"""A server that says 202 to whatever is posted, at the cost of reading it; GET says how many came, and since when."""

import asyncio
import json
import time


class _Sink(asyncio.Protocol):
    posts, first = 0, 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to read."""
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._read, self._size = transport, bytearray(), 0

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole."""
        self._read += data
        while self._is_whole():
            is_post = self._read.startswith(b"POST")
            del self._read[: self._size]
            self._size = 0
            self._transport.write(_accepted() if is_post else _told())

    def _is_whole(self) -> bool:
        if not self._size:
            end = self._read.find(b"\r\n\r\n")
            if end < 0:
                return False
            head = bytes(self._read[:end]).lower()
            _before, _name, length = head.partition(b"\r\ncontent-length:")
            self._size = end + 4 + int(length.split(b"\r\n", 1)[0] or 0)
        return len(self._read) >= self._size


def _accepted() -> bytes:
    if not _Sink.posts:
        _Sink.first = time.time()
    _Sink.posts += 1
    return b"HTTP/1.1 202 Accepted\r\nX-Message-Id: bench\r\nContent-Length: 0\r\n\r\n"


def _told() -> bytes:
    """What came since it was last asked."""
    body = json.dumps({"posts": _Sink.posts, "first": _Sink.first}).encode()
    _Sink.posts = 0
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
