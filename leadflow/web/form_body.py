"""What a browser posts of a form: urlencoded or multipart, limited before it is parsed, text by name."""

from collections.abc import AsyncGenerator, Mapping
from urllib.parse import parse_qsl

from fastapi import HTTPException, Request
from starlette.formparsers import MultiPartException, MultiPartParser

from leadflow.web.bodies import KB, raw_body

_LARGEST = 64 * KB
_MOST_FIELDS = 100
_read_raw = raw_body(_LARGEST)

#: Name → the first value of it.
Posted = Mapping[str, str]


async def posted_form(request: Request) -> Posted:
    """The fields of the body; 413 when it is too large, 415 when it is no form, 400 when it cannot be read."""
    raw = await _read_raw(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    match kind:
        case "application/x-www-form-urlencoded" | "":
            pairs = _urlencoded(raw)
        case "multipart/form-data":
            pairs = await _multipart(request, raw)
        case _:
            raise HTTPException(415, "a form is urlencoded or multipart")
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name, value)
    try:
        "".join((*found, *found.values())).encode()
    except UnicodeEncodeError:
        raise HTTPException(400, "the form cannot be read") from None
    return found


def _urlencoded(raw: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        raise HTTPException(400, "the form cannot be read") from None


async def _multipart(request: Request, raw: bytes) -> list[tuple[str, str]]:
    async def whole() -> AsyncGenerator[bytes, None]:
        yield raw

    try:
        parser = MultiPartParser(request.headers, whole(), max_files=0, max_fields=_MOST_FIELDS)
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError, ValueError, LookupError):
        raise HTTPException(400, "the form cannot be read") from None
    return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
