"""How heavy the HTML of a mail will be: as it is compiled, with room for the addresses of its links."""

import re
from collections.abc import Iterator

import css_inline
import mrml

from leadflow.email.checks.rows import GMAIL_CLIPS_AT, HEAVY_FROM, Finding
from leadflow.email.checks.source import NOTHING, VALUE, Written
from leadflow.email.markdown import markdown_to_html
from leadflow.email.protect import Vault

#: Shorter bodies are never heavy: MJML grows most.
_MAY_BE_HEAVY = {"md": 20_000, "html": 10_000, "mjml": 2_000}
#: What a link gets besides: our site, what is signed, and where it leads.
_ADDRESS = 160
_CONTENT = re.compile(r"\{\{\s*content\s*\}\}")
_INLINER = css_inline.CSSInliner(keep_style_tags=False, keep_at_rules=True, load_remote_stylesheets=False)


def check_weight(source: str, *, kind: str, whole: bool, layout: str) -> Iterator[Finding]:
    """A finding for a body that is heavy in its frame, or without one where it is a document of its own."""
    if len(source) < _MAY_BE_HEAVY[kind]:
        return
    weight = _weight(source, kind, whole, layout)
    if weight > HEAVY_FROM:
        code = "clipped" if weight > GMAIL_CLIPS_AT else "heavy"
        yield Written(source).finding(code, 0, n=weight // 1000)


def _weight(source: str, kind: str, whole: bool, layout: str) -> int:
    plain = _shown(source)
    body = markdown_to_html(plain, Vault()) if kind == "md" else plain
    try:
        page = _mjml(body) if kind == "mjml" else body
        if not whole:
            page = _mjml(_shown(_CONTENT.sub("CONTENT", layout))).replace("CONTENT", body)
        page = _INLINER.inline(page)
    except (OSError, ValueError):
        # It cannot be compiled: another check says so.
        page = body
    return len(page.encode()) + _ADDRESS * page.count("<a ")


def _mjml(source: str) -> str:
    return str(mrml.to_html(source).content)


def _shown(source: str) -> str:
    return Written(source).plain.replace(NOTHING, "").replace(VALUE, "x")
