"""Reads reports that servers write: what became of a mail (DSN, RFC 3464), and who called it spam (ARF, RFC 5965)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage, Message

_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
#: Enhanced codes (RFC 3463) that say the address is at fault for good: no such mailbox or domain, or one that was shut.
_NOBODY_THERE = ("1.0", "1.1", "1.2", "1.3", "1.6", "1.10", "2.1", "4.4")
#: Subjects of codes that say the sender is: the system's limits, the protocol, the content, the policy.
_SENDERS_FAULT = ("3", "5", "6", "7")
_NOES = {"abuse": "complained", "fraud": "complained", "virus": "complained", "opt-out": "unsubscribed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a report says of one recipient, in the words of a provider's news."""

    kind: str
    address: str | None
    hardness: str | None = None
    status: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report on one mail of ours."""

    told: tuple[Told, ...]
    #: Where the id of that mail may stand.
    origin: tuple[str, ...]


def read_report(mail: EmailMessage) -> Report | None:
    """The report in `mail`; None when it is none."""
    parts = {part.get_content_type(): part for part in mail.walk()}
    origin = tuple(_origin(mail))
    if (status := parts.get("message/delivery-status")) is not None:
        return Report(told=tuple(_of_delivery(status)), origin=origin)
    if (feedback := parts.get("message/feedback-report")) is not None:
        return Report(told=tuple(_of_feedback(feedback, mail)), origin=origin)
    return None


def header_of(mail: Message, name: str) -> str:
    """A header as text a database can hold; nothing for one that is absent or cannot be read."""
    try:
        text = str(mail.get(name) or "")
    except Exception:  # headers of the wild break their parsers in many ways
        return ""
    return _printable(text)


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text.encode("utf-8", "replace").decode())


def _of_delivery(part: Message) -> Iterator[Told]:
    """One for each recipient's block of fields; the first block is about the whole mail."""
    for block in _blocks(part)[1:]:
        action = header_of(block, "Action").strip().lower()
        diagnosis = header_of(block, "Diagnostic-Code")[:500]
        status = _status(header_of(block, "Status"), diagnosis)
        kind, hardness = _fate(action, status)
        address = _address(header_of(block, "Original-Recipient")) or _address(header_of(block, "Final-Recipient"))
        yield Told(kind=kind, hardness=hardness, address=address, status=status, note=diagnosis or None)


def _fate(action: str, status: str) -> tuple[str, str | None]:
    """Our word for what happened, and whether the address is at fault: for good, for now, or not at all."""
    if action != "failed":
        return {"delayed": "deferred", "delivered": "delivered"}.get(action, "other"), None
    kind, _dot, code = status.partition(".")
    if kind == "5" and code in _NOBODY_THERE:
        return "bounced", "hard"
    if kind == "5" and code.partition(".")[0] in _SENDERS_FAULT:
        return "blocked", None
    return "blocked", "soft"


def _status(told: str, diagnosis: str) -> str:
    """The code that says most: many servers write 5.0.0, and what they mean in the diagnosis."""
    found = ["".join(f"{a}.{b}.{c}") for a, b, c in _STATUS.findall(f"{told} {diagnosis}")]
    return next((code for code in found if not code.endswith(".0.0")), found[0] if found else "")


def _of_feedback(part: Message, mail: EmailMessage) -> Iterator[Told]:
    block = next(iter(_blocks(part)), part)
    kind = _NOES.get(header_of(block, "Feedback-Type").strip().lower(), "other")
    told = [value for name in ("Original-Rcpt-To", "Removal-Recipient") for value in block.get_all(name) or ()]
    addresses = [address for address in dict.fromkeys(map(_address, told)) if address]
    yield from (Told(kind=kind, address=address) for address in addresses or (_addressee(mail),))


def _addressee(mail: EmailMessage) -> str | None:
    """To whom the mail went that the report has attached."""
    found = (_address(value) for value in _of_original(mail, "To"))
    return next(found, None)


def _origin(mail: EmailMessage) -> Iterator[str]:
    yield from _of_original(mail, "Message-ID")


def _of_original(mail: EmailMessage, name: str) -> Iterator[str]:
    """The header of that name in the mail, or the headers, that a report brings along."""
    for part in mail.walk():
        match part.get_content_type():
            case "message/rfc822":
                yield from (found for inner in _blocks(part) if (found := header_of(inner, name)))
            case "text/rfc822-headers" | "message/rfc822-headers":
                line = re.search(rf"^{name}:\s*(.+(?:\n[ \t].+)*)", _plain(part), re.IGNORECASE | re.MULTILINE)
                yield from (_printable(line[1]),) if line else ()


def _plain(part: Message) -> str:
    payload = part.get_payload(decode=True)
    return payload.decode("utf-8", "replace").replace("\r\n", "\n") if isinstance(payload, bytes) else ""


def _blocks(part: Message) -> list[Message]:
    """The groups of fields in a part, which the parser reads as mails of headers alone."""
    payload = part.get_payload()
    return [block for block in payload if isinstance(block, Message)] if isinstance(payload, list) else []


def _address(value: str) -> str | None:
    """`rfc822; a@b.example` or `<a@b.example>`."""
    text = _printable(str(value)).rpartition(";")[2].strip()
    bare = text.rpartition("<")[2].partition(">")[0].strip() if "<" in text else text
    return bare if "@" in bare else None
