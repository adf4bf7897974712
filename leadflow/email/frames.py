"""What a renderer's two processes say to each other: frames with their length in front, plain data inside."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, TypeGuard

import orjson

from leadflow.email.catalog import Email
from leadflow.email.compile import Base, Compiled
from leadflow.email.pieces import Pieces, StrangePageError
from leadflow.email.render import Drawn, MissingValueError, Rendered, one_line
from leadflow.email.slots import Link
from leadflow.errors import TemplateError

#: Bytes of the HTML, and of the text, of one mail; of the subject, and of the preheader.
LONGEST_PART, LONGEST_LINE = 2_000_000, 10_000
#: Bytes of an answer, and of a question: a batch with its facts.
LONGEST_ANSWER, LONGEST_QUESTION = 8_000_000, 64_000_000
#: Signs of what a failure says.
LONGEST_NOTE = 400

_LENGTH = struct.Struct("<I")


class Kind(StrEnum):
    """The first byte of an answer."""

    MAIL = "m"
    SHAPE = "s"
    FAILURE = "f"


class BrokenAnswerError(Exception):
    """The child said something that no renderer says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One email in one language as the sending process knows it: what its links are, not how it is written."""

    #: Hash of `source`.
    key: str
    name: str
    language: str
    version: str
    variant: str
    #: As `Compiled` has them.
    pages: tuple[str, ...]
    urls: tuple[str, ...]
    slots: Mapping[str, Link]
    #: The question that compiles it: any child can be asked.
    source: bytes
    #: What its HTML and its text say in every mail.
    html: Pieces = field(default_factory=Pieces, compare=False, repr=False)
    text: Pieces = field(default_factory=Pieces, compare=False, repr=False)


def framed(payload: bytes) -> bytes:
    """`payload` with its length in front."""
    return _LENGTH.pack(len(payload)) + payload


def length_of(read: bytes, at: int, limit: int) -> int:
    """How many bytes follow the four at `at`."""
    length: int = _LENGTH.unpack_from(read, at)[0]
    if length > limit:
        raise BrokenAnswerError
    return length


HEAD = _LENGTH.size


def source_of(email: Email, language: str, base: Base) -> bytes:
    """Everything that compiling `email` in `language` takes, as JSON; whom it is for is no business of a renderer."""
    return orjson.dumps([language, _plain(email), _plain(base)], default=_plain_value, option=orjson.OPT_SORT_KEYS)


def read_source(source: bytes) -> tuple[Email, str, Mapping[str, Any]]:
    """(email, language, the fields of base) of `source_of`."""
    language, email, base = orjson.loads(source)
    return Email(**email), language, base


def _plain(record: object) -> dict[str, Any]:
    values = {field.name: getattr(record, field.name) for field in fields(record)}  # type: ignore[arg-type]
    return {name: value for name, value in values.items() if isinstance(value, str | int | Mapping | None)}


def _plain_value(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(type(value).__name__)


def shape_frame(compiled: Compiled) -> bytes:
    """The answer to a question that compiles."""
    slots = [[name, kind, target] for name, (kind, target) in compiled.slots.items()]
    told = [compiled.name, compiled.language, compiled.version, compiled.variant, compiled.pages, compiled.urls, slots]
    told += [list(part.constants) for part in (compiled.html, compiled.text)]
    return framed(Kind.SHAPE.encode() + orjson.dumps(told))


def mail_frame(mail: Drawn) -> bytes:
    """The answer with a mail; TemplateError for one that is too long or cannot be written in UTF-8."""
    pages = (mail.html, mail.text)
    told = [mail.subject, mail.preheader, *([" ".join(page.order), page.said] for page in pages)]
    try:
        answer = orjson.dumps(told)
    except TypeError as error:
        raise TemplateError("the mail has a sign that cannot be written in UTF-8") from error
    if _is_too_long(mail):
        raise TemplateError("the mail is too long: 2 MB is the most")
    return b"".join((_LENGTH.pack(1 + len(answer)), Kind.MAIL.encode(), answer))


def _is_too_long(mail: Drawn) -> bool:
    lines = (mail.subject, mail.preheader)
    return any(len(line.encode()) > LONGEST_LINE for line in lines) or any(
        # Four bytes are the most that a sign takes: most mails need not be counted.
        sum(map(len, page.pieces)) * 4 > LONGEST_PART and len("".join(page.pieces).encode()) > LONGEST_PART
        for page in (mail.html, mail.text)
    )


def failure_frame(error: TemplateError) -> bytes:
    """The answer that there is none, and why."""
    note = one_line(str(error))[:LONGEST_NOTE]
    told = [isinstance(error, MissingValueError), note, error.line or 0, error.column or 0]
    return framed(Kind.FAILURE.encode() + orjson.dumps(told))


def read_mail(payload: memoryview, html: Pieces, text: Pieces, ending: str = "") -> Rendered | TemplateError:
    """The mail or failure in `payload`, of a template with such pieces; BrokenAnswerError when it is neither.

    `ending` is HTML for the end of its body.
    """
    if bytes(payload[:1]) != Kind.MAIL.encode():
        return read_failure(payload)
    match _told(payload, Kind.MAIL):
        case [str() as subject, str() as preheader, [str() as order, said], [str() as second, words]] if _are_texts(
            said
        ) and _are_texts(words):
            try:
                page, page_json = html.page(order, said, LONGEST_PART, ending)
                plain, plain_json = text.page(second, words, LONGEST_PART)
            except StrangePageError as error:
                raise BrokenAnswerError from error
        case _:
            raise BrokenAnswerError
    if not (_is_line(subject) and _is_line(preheader)):
        raise BrokenAnswerError
    lines = {"subject": subject, "preheader": preheader}
    return Rendered(**lines, html=page, text=plain, html_json=page_json, text_json=plain_json)


def _is_line(text: str) -> bool:
    return one_line(text) == text and len(text.encode()) <= LONGEST_LINE


def read_failure(payload: memoryview) -> TemplateError:
    """The failure in `payload`; BrokenAnswerError when it is none."""
    match _told(payload, Kind.FAILURE):
        case [bool() as missing, str() as note, int() as line, int() as column] if len(note) <= LONGEST_NOTE:
            return (MissingValueError if missing else TemplateError)(one_line(note), line=line, column=column)
    raise BrokenAnswerError


def read_shape(payload: memoryview, key: str, source: bytes) -> Shape | TemplateError:
    """The shape or failure in `payload`; BrokenAnswerError when it is neither."""
    if bytes(payload[:1]) != Kind.SHAPE.encode():
        return read_failure(payload)
    match _told(payload, Kind.SHAPE):
        case [str() as name, str() as language, str() as version, str() as variant, pages, urls, slots, html, text] if (
            _are_texts(pages)
            and _are_texts(urls)
            and _are_texts(html)
            and _are_texts(text)
            and isinstance(slots, list)
            and all(map(_are_texts, slots))
        ):
            try:
                made = {slot: (kind, target) for slot, kind, target in slots}
            except ValueError as error:
                raise BrokenAnswerError from error
        case _:
            raise BrokenAnswerError
    if not set(made.values()) <= {*(("page", path) for path in pages), *(("url", url) for url in urls)}:
        raise BrokenAnswerError
    return Shape(
        key=key,
        name=name,
        language=language,
        version=version,
        variant=variant,
        pages=tuple(pages),
        urls=tuple(urls),
        slots=made,
        source=source,
        html=Pieces(html),
        text=Pieces(text),
    )


def _told(payload: memoryview, kind: Kind) -> object:
    try:
        return orjson.loads(payload[1:]) if bytes(payload[:1]) == kind.encode() else None
    except orjson.JSONDecodeError as error:
        raise BrokenAnswerError from error


def _are_texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and set(map(type, value)) <= {str}
