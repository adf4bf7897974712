"""Asks a site in this thread, one request after the other: an event loop and no client around it."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

import anyio.to_thread
import pytest
from starlette.types import ASGIApp, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Direct:
    """A site to ask; each request may come from another network."""

    site: ASGIApp
    loop: asyncio.AbstractEventLoop

    def ask(
        self, method: str, where: str, body: bytes = b"", headers: Mapping[str, str] | None = None, ip: str = "90.1.2.3"
    ) -> Answer:
        """The answer to one request; an exception of the site is raised here."""
        path, _mark, query = where.partition("?")
        told = [(b"host", b"testserver"), (b"content-length", str(len(body)).encode())]
        told += [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
        raw = unquote_to_bytes(path)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": raw.decode("utf-8", "replace"),
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": told,
            "client": (ip, 4000),
            "server": ("testserver", 80),
            "state": {},
        }
        return self.loop.run_until_complete(_answered(self.site, scope, body))


async def _answered(site: ASGIApp, scope: dict[str, Any], body: bytes) -> Answer:
    parts: list[Message] = []
    # Read once: whoever waits for more than the body waits for the end of the connection.
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if waiting:
            return waiting.pop()
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        parts.append(message)

    await site(scope, receive, send)
    headers = {name.decode(): value.decode("latin-1") for name, value in parts[0]["headers"]}
    content = b"".join(part.get("body", b"") for part in parts[1:])
    return Answer(status=parts[0]["status"], headers=headers, body=content)


@contextmanager
def asked_directly(monkeypatch: pytest.MonkeyPatch, *sites: ASGIApp) -> Iterator[list[Direct]]:
    """The sites, answering in this thread: what a door does beside its loop is done at once."""

    async def at_once(work: Callable[..., Any], *given: Any, **_how: Any) -> Any:
        return work(*given)

    monkeypatch.setattr(anyio.to_thread, "run_sync", at_once)
    loop = asyncio.new_event_loop()
    try:
        yield [Direct(site, loop) for site in sites]
    finally:
        loop.close()
