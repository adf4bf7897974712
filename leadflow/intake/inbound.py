"""Reads a mail that came back: a bounce or a complaint that a server wrote, a reply that a person did, or neither.

What it says becomes the news of a provider, in the same words; an answering machine's mail says nothing (RFC 3834).
"""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr, parsedate_to_datetime
from html.parser import HTMLParser

from leadflow.errors import InputError
from leadflow.intake.inbound_reports import header_of, read_report
from leadflow.ports import ProviderEvent

#: Signs of a reply that its owner is shown.
LONGEST = 2_000
#: What we sign our mails with: who sent it, and the message's number.
_ATTEMPT = re.compile(r"<([\w.-]+-\d+)@[^<>\s]+>")
_OF_PROGRAMS = ("X-Autoreply", "X-Autorespond", "X-Auto-Reply", "List-Id", "Feedback-ID")
_ROBOTS = re.compile(r"^(mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)([+@-]|$)", re.IGNORECASE)
#: How programs that answer for people who are away begin a subject.
_AWAY = re.compile(
    r"\s*(auto(matic|mated)?[ -]?(reply|response|answer)|out of (the )?office|away from|on (annual )?leave"
    r"|r[ée]ponse automatique|absence|absente?\b|en cong[ée]s?|cong[ée]s\b|abwesen|automatische antwort)",
    re.IGNORECASE,
)
_QUOTED = re.compile(
    r"^\s*(>|-{2,}\s*(original message|message d'origine|message transf)|_{10,}"
    r"|(le|on) .{5,120}(a écrit|wrote)\s*:\s*$|(de|from)\s*:\s.+@)",
    re.IGNORECASE,
)
#: Signs of a body that are looked at; more is no answer to anything.
_LOOKED_AT = 100_000
_UNSEEN = ("script", "style", "head")


class _Words(HTMLParser):
    """What a page of HTML shows, a line an element."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the parser's own way of calling
        self._unseen += tag in _UNSEEN

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in _UNSEEN and self._unseen > 0

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.lines.append(data)


def read_inbound(raw: bytes, received_at: datetime) -> list[ProviderEvent]:
    """What the mail says, a piece of news for each recipient it is about; nothing for what is no answer to us.

    InputError for one that no reader of mail could read.
    """
    try:
        return _read(message_from_bytes(raw, policy=policy.default), raw, received_at)
    except Exception as error:  # whatever a stranger wrote must not stop the others
        raise InputError("this mail cannot be read") from error


def _read(mail: EmailMessage, raw: bytes, received_at: datetime) -> list[ProviderEvent]:
    at = _date(mail, received_at)
    known = hashlib.sha256(header_of(mail, "Message-ID").encode() or raw).hexdigest()
    if (report := read_report(mail)) is not None:
        attempt = next(_attempts(*report.origin), None)
        return [
            ProviderEvent(
                external_id=f"{known}.{number}",
                kind=one.kind,
                at=at,
                address=one.address,
                attempt_id=attempt,
                hardness=one.hardness,
                classification=one.status,
                note=one.note,
            )
            for number, one in enumerate(report.told)
        ]
    address = parseaddr(header_of(mail, "From"))[1]
    if not address or is_automatic(mail, address):
        return []
    attempt = next(_attempts(header_of(mail, "In-Reply-To"), header_of(mail, "References")), None)
    subject = header_of(mail, "Subject")[:200] or None
    return [
        ProviderEvent(
            external_id=known,
            kind="replied",
            at=at,
            address=address,
            attempt_id=attempt,
            subject=subject,
            note=said_in(mail) or None,
        )
    ]


def is_automatic(mail: EmailMessage, address: str) -> bool:
    """Whether a program sent it: it says so (RFC 3834 and what came before), or looks like one that does not."""
    submitted = header_of(mail, "Auto-Submitted").partition(";")[0].strip().lower()
    precedence = header_of(mail, "Precedence").strip().lower()
    return (
        submitted not in ("", "no")
        or precedence in ("bulk", "junk", "list", "auto_reply")
        or any(
            header_of(mail, name) for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply", "List-Id", "Feedback-ID")
        )
        or header_of(mail, "Return-Path").strip() == "<>"
        or bool(_ROBOTS.match(address))
        or bool(_AWAY.match(header_of(mail, "Subject")))
    )


def said_in(mail: EmailMessage) -> str:
    """The beginning of what a person wrote, without what they answer to."""
    part = mail.get_body(("plain", "html"))
    if not isinstance(part, EmailMessage):
        return ""
    try:
        text = str(part.get_content())[:_LOOKED_AT]
    except (LookupError, ValueError, AttributeError):
        return ""
    if part.get_content_subtype() == "html":
        words = _Words()
        words.feed(text)
        text = "\n".join(words.lines)
    lines: list[str] = []
    for line in text.splitlines():
        if _QUOTED.match(line):
            break
        if line.strip() or (lines and lines[-1]):
            lines.append(line.strip())
    return "".join(sign for sign in "\n".join(lines).strip() if sign.isprintable() or sign == "\n")[:LONGEST]


def _date(mail: EmailMessage, received_at: datetime) -> datetime:
    """When it was written; a clock that is ahead, or says nothing, counts as now."""
    try:
        found = parsedate_to_datetime(header_of(mail, "Date"))
    except (ValueError, TypeError, IndexError, OverflowError):
        return received_at
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    return min(aware.astimezone(UTC), received_at)


def _attempts(*texts: str) -> Iterator[str]:
    """Our attempts among the ids of messages, the last named first: that is the mail it answers."""
    for text in texts:
        yield from reversed(_ATTEMPT.findall(text))
