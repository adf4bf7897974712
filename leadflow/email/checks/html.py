"""HTML and MJML cut into tags and text by a scanner that knows offsets and reads each sign once."""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from leadflow.email.checks.source import NOTHING

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_OPENS = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]*)")
_INSIDE = re.compile(r"[^\"'>]+|\"[^\"]*\"|'[^']*'")
_ATTRIBUTE = re.compile(r"([^\s\"'<>/=\ue001]+)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"'<>]+))?")
#: What stands between such tags is no text.
_RAW = {"style", "script", "mj-style"}
#: Elements without an end.
VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """`value` has its entities resolved and its Jinja tags blanked; `at` is where its first sign stands."""

    name: str
    value: str
    named_at: int
    at: int
    quoted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A tag that opens or closes, or the text between two tags."""

    #: open, close or text.
    kind: str
    #: The element's name in small letters; empty for a text.
    name: str = ""
    text: str = ""
    at: int
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    #: `<br/>`, or an element that never has an end.
    alone: bool = False

    def value(self, name: str) -> str | None:
        """The value of an attribute, None where it is not there."""
        found = self.attributes.get(name)
        return None if found is None else found.value


def tokens(plain: str) -> list[Token]:
    """The tags and texts of `plain`, in its order; comments are left out."""
    source = _COMMENT.sub(lambda found: re.sub(r"[^\n]", NOTHING, found[0]), plain)
    return list(_tokens(source))


def _tokens(source: str) -> Iterator[Token]:
    done = 0
    for opened in _OPENS.finditer(source):
        if opened.start() < done:
            continue
        end = _end_of(source, opened.end())
        if end is None:
            break
        if opened.start() > done:
            yield Token(kind="text", text=source[done : opened.start()], at=done)
        name, done = opened[2].lower(), end
        if opened[1]:
            yield Token(kind="close", name=name, at=opened.start())
            continue
        inside = source[opened.end() : end - 1]
        alone = name in VOID or inside.endswith("/")
        attributes = {found.name: found for found in _attributes(inside, opened.end())}
        yield Token(kind="open", name=name, at=opened.start(), attributes=attributes, alone=alone)
        if name in _RAW and not alone:
            close = re.compile(rf"</{name}\b", re.IGNORECASE).search(source, end)
            done = close.start() if close else len(source)
            yield Token(kind="raw", name=name, text=source[end:done], at=end)
    if done < len(source):
        yield Token(kind="text", text=source[done:], at=done)


def _end_of(source: str, start: int) -> int | None:
    """Just behind the `>` of a tag; None where a quote or the tag is never closed: what follows is not read."""
    place = start
    while place < len(source):
        if source[place] == ">":
            return place + 1
        inside = _INSIDE.match(source, place)
        if inside is None:
            return None
        place = inside.end()
    return None


def _attributes(inside: str, start: int) -> Iterator[Attribute]:
    for found in _ATTRIBUTE.finditer(inside):
        value = found[2] or ""
        quoted = value[:1] in ('"', "'")
        at = start + (found.start(2) + quoted if found[2] else found.start(1))
        yield Attribute(
            name=found[1].lower(),
            value=html.unescape(value[1:-1] if quoted else value),
            named_at=start + found.start(1),
            at=at,
            quoted=quoted or not value,
        )
