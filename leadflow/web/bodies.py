"""Request bodies: raw, limited while they arrive, and as JSON that a database can hold."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import HTTPException, Request

KB = 1024


def raw_body(limit: int) -> Callable[[Request], Awaitable[bytes]]:
    """A dependency that reads the body as it came, and stops at `limit` bytes with 413."""

    async def read(request: Request) -> bytes:
        declared = request.headers.get("content-length", "0")
        if declared.isdigit() and int(declared) > limit:
            raise HTTPException(413, "the body is too large")
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > limit:
                raise HTTPException(413, "the body is too large")
        return bytes(body)

    return read


def parse_json(raw: bytes) -> Any:
    """The JSON in `raw`; 400 for what is not JSON, for NaN and for text no database takes."""
    try:
        value = json.loads(raw)
        # Written back strictly: NaN, a number beyond a float and half a surrogate pair do not survive it.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        if _has_nul(value):
            raise ValueError("NUL")
    except (ValueError, RecursionError):
        raise HTTPException(400, "the body is not JSON that can be kept") from None
    return value


def _has_nul(value: Any) -> bool:
    match value:
        case str():
            return "\0" in value
        case list():
            return any(map(_has_nul, value))
        case dict():
            return any(_has_nul(key) or _has_nul(inner) for key, inner in value.items())
        case _:
            return False
