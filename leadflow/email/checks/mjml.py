"""MJML that cannot be read, said at the element that is to blame: the compiler itself does not say where."""

import re
from collections.abc import Iterator

import mrml

from leadflow.email.checks.html import VOID, Token
from leadflow.email.checks.page import Page
from leadflow.email.checks.rows import Finding
from leadflow.email.checks.source import NOTHING, VALUE
from leadflow.reading import did_you_mean
from leadflow.text import _

_ELEMENTS = frozenset(
    f"mj-{name}"
    for name in re.findall(
        r"\S+",
        "accordion accordion-element accordion-text accordion-title all attributes body breakpoint button carousel"
        " carousel-image class column divider font group head hero html-attributes image include navbar navbar-link"
        " preview raw section selector social social-element spacer style table text title wrapper html-attribute",
    )
)


#: Deeper than any mail: what the compiler does there is not asked.
_DEEPEST = 100


def check_mjml(page: Page) -> Iterator[Finding]:
    """Findings for elements that MJML does not know, for tags that do not pair, and for what cannot be compiled."""
    found = list(_pairs(page))
    yield from found
    first = next((token for token in page.tokens if token.kind == "open"), None)
    if not found and (first is None or first.name != "mjml" or not _compiles(page.written.plain)):
        yield page.written.finding("mjml-unreadable", 0)


def _compiles(plain: str) -> bool:
    try:
        mrml.to_html(plain.replace(NOTHING, " ").replace(VALUE, "x"))
    except OSError:
        return False
    return True


def _pairs(page: Page) -> Iterator[Finding]:
    open_: list[Token] = []
    for token in page.tokens:
        if token.kind == "open" and token.name.startswith("mj-") and token.name not in _ELEMENTS:
            mend = did_you_mean(token.name, _ELEMENTS).strip() or _("Remove it, or take mj-text, mj-button, mj-image")
            yield page.written.finding("mjml-element", token.at, tag=token.name, mend=mend)
        if len(open_) > _DEEPEST:
            yield page.written.finding("mjml-unreadable", token.at)
            return
        if token.kind == "open" and not token.alone:
            open_.append(token)
        elif token.kind == "close" and token.name not in VOID:
            if not any(one.name == token.name for one in open_):
                yield page.written.finding("mjml-stray", token.at, tag=token.name)
                return
            if open_[-1].name != token.name:
                yield page.written.finding("mjml-tag", open_[-1].at, tag=open_[-1].name)
                return
            open_.pop()
    if open_:
        yield page.written.finding("mjml-tag", open_[-1].at, tag=open_[-1].name)
