"""Looks a finished mail over: what a reader would stumble on, and what the law and mailboxes ask for."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from leadflow.email.checks.rows import GMAIL_CLIPS_AT, SUBJECT_AT_MOST
from leadflow.email.markdown import html_to_text
from leadflow.email.render import Rendered
from leadflow.text import _

_GREETS_NOBODY = re.compile(r"\b(Hi|Hello|Dear|Bonjour|Bonsoir|Cher|Chère|Madame|Monsieur)[ \u00a0]+[,!]")
_LEFT_OVER = re.compile(r"\{\{|\}\}|\{%|%\}|LFTAG\d|\bNone\b(?! of\b)|\bUndefined\b")


def lint_mail(mail: Rendered, *, language: str, unsubscribe_url: str, postal_address: str) -> tuple[str, ...]:
    """What is wrong with `mail`, in words; empty when nothing is."""
    return (*_words(mail), *_law(mail, unsubscribe_url, postal_address), *_form(mail, language))


def _words(mail: Rendered) -> Iterator[str]:
    for part in (mail.subject, mail.preheader, mail.text, html_to_text(mail.html)):
        if found := _GREETS_NOBODY.search(part):
            yield _('greets nobody: "{words}"').format(words=found[0])
        if found := _LEFT_OVER.search(part):
            yield _('"{words}" was left over').format(words=found[0])
    if not mail.subject:
        yield _("has no subject")
    if len(mail.subject) > SUBJECT_AT_MOST:
        yield _("the subject is longer than {n} signs").format(n=SUBJECT_AT_MOST)


def _law(mail: Rendered, unsubscribe_url: str, postal_address: str) -> Iterator[str]:
    for part, name in ((html_to_text(mail.html), "HTML"), (mail.text, _("text"))):
        if unsubscribe_url not in part:
            yield _("the {part} has no unsubscribe link").format(part=name)
        if postal_address not in part:
            yield _("the {part} has no postal address").format(part=name)


def _form(mail: Rendered, language: str) -> Iterator[str]:
    if len(mail.html.encode()) > GMAIL_CLIPS_AT:
        yield _("is longer than {n} kB: Gmail would hide the end").format(n=GMAIL_CLIPS_AT // 1000)
    page = _Page()
    page.feed(mail.html)
    if page.language != language:
        yield _('the HTML does not say that it is in "{language}"').format(language=language)
    if page.without_alt:
        yield _("an image has no alternative text")
    if page.without_words:
        yield _("a link has no words")


class _Page(HTMLParser):
    """The language of a page, and what a screen reader could not read out."""

    def __init__(self) -> None:
        super().__init__()
        self.language: str | None = None
        self.without_alt = 0
        self.without_words = 0
        self._words: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "html":
            self.language = given.get("lang")
        elif tag == "img":
            self.without_alt += "alt" not in given
            if self._words is not None:
                self._words.append(given.get("alt") or "")
        elif tag == "a":
            self._words = []

    def handle_data(self, data: str) -> None:
        if self._words is not None:
            self._words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._words is not None:
            self.without_words += not "".join(self._words).strip()
            self._words = None
