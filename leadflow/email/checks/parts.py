"""A text part written by hand beside the mail it stands for: links and facts that only one of them has."""

import re
from collections.abc import Iterator
from urllib.parse import quote

from leadflow.email.checks.rows import Finding
from leadflow.email.checks.source import NOTHING, Written, tags_replaced
from leadflow.email.markdown import markdown_to_html
from leadflow.email.parity import text_differences
from leadflow.email.protect import Vault
from leadflow.text import _

_CALL = re.compile(r"\{\{-?\s*links\.(\w+)\s*(?:\(\s*[\"']([^\"']*)[\"']\s*\))?\s*-?\}\}")
#: More than any mail has: reading them would take minutes.
_MOST_LINKS = 500
#: No site is called so: stands for ours until the mail is written.
_SITE = "https://ours.invalid/"


def check_parts(source: str, text: str, body: str, kind: str) -> Iterator[Finding]:
    """Findings in the text part `source` of a mail whose `body` is of `kind`; `text` and `body` have their snippets."""
    named: dict[str, str] = {}
    html = _plain(body, named)
    if kind == "md":
        html = markdown_to_html(html, Vault())
    if html.count("<a ") > _MOST_LINKS:
        return
    written, found = Written(source), text_differences(html, _plain(text, named))
    for link in found.lost_links:
        if link.startswith(("http://", "https://")):
            yield written.finding("text-link", 0, target=named.get(link, link))
    for fact in found.lost_facts:
        yield written.finding("text-fact", 0, fact=fact, where=_("the mail"))
    for fact in found.added_facts:
        place = re.search(rf"(?<!\d){re.escape(fact)}", written.plain.replace(NOTHING, " "))
        yield written.finding("text-fact", place.start() if place else 0, fact=fact, where=_("the text part"))


def _plain(source: str, named: dict[str, str]) -> str:
    """`source` without Jinja, its links as addresses, of which `named` keeps what was written."""

    def shown(tag: str) -> str:
        call = _CALL.fullmatch(tag)
        if call is None:
            return ""
        address = f"{_SITE}{call[1]}/{quote(call[2] or '')}"
        named[address] = tag
        return address

    return tags_replaced(source, shown)
