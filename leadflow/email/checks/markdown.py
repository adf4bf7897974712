"""Links, images and stray HTML of a Markdown body, where they were written."""

import re
from collections.abc import Iterator

from leadflow.email.checks.source import NOTHING, Image, Link, entities_read

_CODE = re.compile(r"^(?:```|~~~).*?^(?:```|~~~)|(?<!`)`++[^`\n]++`++", re.DOTALL | re.MULTILINE)
_LINK = re.compile(
    r"(!?)\[([^\[\]\n]*(?:\[[^\[\]\n]*\][^\[\]\n]*)*)\]"
    r"\(\s*(<[^<>\n]*>|[^\s()]*(?:\([^\s()]*\)[^\s()]*)*)(?:\s+[\"'][^\"'\n]*[\"'])?\s*\)?"
)
_IMAGE = re.compile(r"!\[([^\[\]\n]*)\]\(\s*(<[^<>\n]*>|[^\s()]*)")
_PICTURE = re.compile(r"!\[([^\[\]\n]*)\](?:\([^()\n]*\))?")
_AUTOLINK = re.compile(r"<((?:https?|mailto|tel|javascript|data|ftp):[^\s<>]*)>")
_NAMED = re.compile(r"^ {0,3}\[([^\]\n]+)\]:[ \t]*(\S+)", re.MULTILINE)
_HTML = re.compile(r"</?([a-z][a-z0-9]*)(?:\s[^<>]*)?/?>", re.IGNORECASE)
_ELEMENT = re.compile(
    r"a|abbr|b|big|blockquote|br|button|center|div|em|font|footer|h[1-6]|head|header|hr|html|i|img|li|ol|p|pre|s|section"
    r"|small|span|strike|strong|style|su[bp]|table|tbody|t[dhr]|u|ul"
)


def without_code(plain: str) -> str:
    """`plain` with its code blanked out: what stands there is shown as it is."""
    return _CODE.sub(lambda found: _blank(found[0]), plain)


def links_of(plain: str) -> Iterator[Link]:
    """The links of a Markdown text without code."""
    for found in _LINK.finditer(plain):
        if not found[1]:
            yield Link(at=found.start(), target_at=_at(found), target=_bare(found[3]), words=_words(found[2]))
    for found in _AUTOLINK.finditer(plain):
        yield Link(at=found.start(), target_at=found.start(1), target=found[1], words=None)
    for found in _NAMED.finditer(plain):
        yield Link(at=found.start(), target_at=found.start(2), target=_bare(found[2]), words=None)


def images_of(plain: str) -> Iterator[Image]:
    """The images of a Markdown text without code; an alternative text that is empty was forgotten."""
    for found in _IMAGE.finditer(plain):
        target_at = found.start(2) + found[2].startswith("<")
        yield Image(at=found.start(), target_at=target_at, target=_bare(found[2]), alt=found[1].strip() or None)


def elements_of(plain: str) -> Iterator[tuple[str, int]]:
    """Name and place of each HTML element that opens in a Markdown text without code."""
    for found in _HTML.finditer(plain):
        if _ELEMENT.fullmatch(found[1].lower()) and not found[0].startswith("</"):
            yield found[1].lower(), found.start()


def _at(found: re.Match[str]) -> int:
    return found.start(3) + found[3].startswith("<")


def _bare(target: str) -> str:
    return target[1:-1] if target.startswith("<") and target.endswith(">") else target


def _words(label: str) -> str:
    """What a reader sees of a label: images by their alternative text, emphasis by its words."""
    return re.sub(r"[*_~`]", "", _PICTURE.sub(r"\1", label)).strip()


def readable(plain: str) -> str:
    """What people read of a Markdown text without code, each sign at its place; targets and marks are blank."""
    plain = _LINK.sub(_without_target, plain)
    for pattern in (_NAMED, _AUTOLINK, _HTML):
        plain = pattern.sub(lambda found: _blank(found[0]), plain)
    return entities_read(plain)


def _without_target(found: re.Match[str]) -> str:
    # From the bracket that ends the label on: between the words of a link and what follows, nothing is read.
    words = found.end(2) - found.start()
    return found[0][:words] + _blank(found[0][words:])


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", NOTHING, text)
