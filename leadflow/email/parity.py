"""What the two parts of a mail say differently: links and numbers of the HTML that its text lacks, and the reverse."""

import re
from dataclasses import dataclass

from leadflow.email.markdown import ADDRESS, html_to_text

_GROUPED = re.compile(r"(?<=\d)[ \u00a0\u2009\u202f](?=\d{3}(?!\d))")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_SCHEME = re.compile(r"^(?:mailto|tel):", re.IGNORECASE)
_MAILBOX = re.compile(r"\S+@\S+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """In the order in which they stand; all empty where both parts say the same."""

    #: Of the HTML, not in the text.
    lost_links: tuple[str, ...]
    lost_facts: tuple[str, ...]
    #: Of the text, not in the HTML.
    added_links: tuple[str, ...]
    added_facts: tuple[str, ...]

    def __bool__(self) -> bool:
        return any((self.lost_links, self.lost_facts, self.added_links, self.added_facts))


def text_differences(html: str, text: str) -> Differences:
    """How `text` differs from `html`, both as a reader gets them; a fact is a number, however it is grouped."""
    hrefs: list[str] = []

    def noted(href: str) -> str:
        hrefs.append(href)
        return href

    seen = html_to_text(html, noted)
    ours, theirs = _links(seen), _links(text)
    wanted = dict.fromkeys([*(_SCHEME.sub("", href) for href in hrefs), *ours])
    facts, told = _facts(seen), _facts(text)
    return Differences(
        lost_links=tuple(link for link in wanted if link not in theirs and not _written(link, text)),
        lost_facts=tuple(fact for fact in facts if fact not in told),
        added_links=tuple(link for link in theirs if link not in wanted),
        added_facts=tuple(fact for fact in told if fact not in facts),
    )


def _written(link: str, text: str) -> bool:
    # An address that ends in a full stop is not found among words.
    return re.search(re.escape(link) + r"(?![\w/])", text) is not None


def _links(text: str) -> dict[str, None]:
    return dict.fromkeys(ADDRESS.findall(text))


def _facts(text: str) -> dict[str, None]:
    words = _MAILBOX.sub(" ", ADDRESS.sub(" ", text))
    return dict.fromkeys(_NUMBER.findall(_GROUPED.sub("", words)))
