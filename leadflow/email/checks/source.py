"""The text of a template with its Jinja tags blanked out, sign for sign, so that every offset keeps its place."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from leadflow.email.checks.rows import Finding

#: Stands for each sign of a value `{{ … }}`, and of what shows nothing: `{% … %}`, comments.
VALUE, NOTHING = "\ue000", "\ue001"
_STRINGS = r"\"[^\"\n]*\"|'[^'\n]*'"
# A tag that is never closed ends where the next begins: each sign is looked at once.
_TAG = re.compile(
    rf"\{{\{{(?:{_STRINGS}|(?!\}}\}}|\{{\{{).)*+\}}\}}|\{{%(?:{_STRINGS}|(?!%\}}|\{{%).)*+%\}}|\{{#(?:(?!#\}}|\{{#).)*+#\}}",
    re.DOTALL,
)
_ENTITY = re.compile(r"&(?:#(\d{1,6})|#x([0-9a-f]{1,5})|([a-z]\w{1,20}));", re.IGNORECASE)
_BLANKS = {"nbsp": "\u00a0", "160": "\u00a0", "a0": "\u00a0", "8239": "\u202f", "202f": "\u202f"}


class Written:
    """One template as it was written."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.plain = _TAG.sub(_blank, text)
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def finding(self, code: str, offset: int, /, **told: object) -> Finding:
        """A finding at `offset`."""
        line, column = self.place(offset)
        return Finding(code=code, line=line, column=column, told=told)

    def values(self) -> Iterator[str]:
        """What stands between braces."""
        return (tag[0] for tag in _TAG.finditer(self.text) if not tag[0].startswith("{#"))


def tags_replaced(text: str, replace: Callable[[str], str]) -> str:
    """`text` with each of its Jinja tags passed through `replace`."""
    return _TAG.sub(lambda tag: replace(tag[0]), text)


def _blank(tag: re.Match[str]) -> str:
    sign = VALUE if tag[0].startswith("{{") else NOTHING
    return "".join("\n" if char == "\n" else sign for char in tag[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link of a body: where it stands, where its target stands, the target with blanks, its words or None."""

    at: int
    target_at: int
    target: str
    words: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image of a body; `alt` is None where none is written."""

    at: int
    target_at: int
    target: str
    alt: str | None


def entities_read(text: str) -> str:
    """`text` as long as it was, each entity as its blank or as something that is no sign of punctuation."""

    def read(found: re.Match[str]) -> str:
        return _BLANKS.get((found[1] or found[2] or found[3]).lower(), VALUE) * len(found[0])

    return _ENTITY.sub(read, text)
