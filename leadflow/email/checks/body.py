"""One body, text or frame looked over from its source alone."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from leadflow.email.checks.colours import Colour
from leadflow.email.checks.links import check_images, check_links
from leadflow.email.checks.markdown import elements_of, images_of, links_of, readable, without_code
from leadflow.email.checks.merge import check_greeting, check_merge_fields
from leadflow.email.checks.mjml import check_mjml
from leadflow.email.checks.page import Page, check_page
from leadflow.email.checks.rows import Finding
from leadflow.email.checks.source import NOTHING, Written
from leadflow.email.checks.typography import check_french, is_french


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a body stands in, and what it may stand on."""

    #: Ids of the frame and of the snippets: where anchors may lead besides.
    ids: frozenset[str] = frozenset()
    #: The colour behind the content.
    behind: Colour | None = None
    #: Names that templates may use.
    known: frozenset[str] = frozenset()
    #: Dotted name → text for a missing value, in the language of the body.
    defaults: Mapping[str, str] = field(default_factory=dict)


def check_body(source: str, *, kind: str, language: str, around: Around) -> Iterator[Finding]:
    """Findings in a body of `kind`: md, html or mjml."""
    written = Written(source)
    if not written.plain.replace(NOTHING, "").strip():
        yield written.finding("body-empty", 0)
        return
    if kind == "md":
        plain = without_code(written.plain)
        yield from check_links(written, list(links_of(plain)), around.ids)
        yield from check_images(written, list(images_of(plain)))
        for tag, at in elements_of(plain):
            yield written.finding("html-in-markdown", at, tag=tag, language=language)
        words = readable(plain)
    else:
        page = Page(written)
        yield from check_page(page, language=language, ids=around.ids, behind=around.behind)
        if kind == "mjml":
            yield from check_mjml(page)
        words = page.readable
    yield from _words(written, words, language, around)


def check_text(source: str, *, language: str, around: Around) -> Iterator[Finding]:
    """Findings in a text part that somebody wrote by hand."""
    written = Written(source)
    if not written.plain.replace(NOTHING, "").strip():
        yield written.finding("body-empty", 0)
        return
    yield from _words(written, written.plain, language, around)


def _words(written: Written, words: str, language: str, around: Around) -> Iterator[Finding]:
    yield from check_merge_fields(written, words, around.known)
    yield from check_greeting(written, around.defaults)
    if is_french(language):
        yield from check_french(written, words)


def check_law(source: str, written: Written, *, text: bool = False) -> Iterator[Finding]:
    """What the law asks of `written`, a frame or a whole document; `source` is the same with its snippets."""
    shown = "".join(Written(source).values())
    if "links.unsubscribe" not in shown:
        yield written.finding("no-unsubscribe-text" if text else "no-unsubscribe", 0)
    if "brand.postal_address" not in shown:
        yield written.finding("no-postal-address", 0)


def ids_of(source: str, kind: str) -> frozenset[str]:
    """Where anchors may lead in a body or frame; Markdown has no ids."""
    return Page(Written(source)).ids if kind in ("html", "mjml") else frozenset()


def behind_content(layout: str) -> Colour | None:
    """The colour on which the frame shows the content of an email, None where it does not say."""
    return Page(Written(layout)).behind_content()


def is_whole(source: str) -> bool:
    """Whether a body does without the frame."""
    return bool(re.match(r"\s*<(?:mjml|!doctype|html)\b", source.lstrip("\ufeff"), re.IGNORECASE))
