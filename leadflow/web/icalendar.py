"""Writes one appointment as an iCalendar file (RFC 5545), which any calendar opens."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

#: Bytes of a line; what is longer goes on in the next one, after a space.
_WIDTH = 75


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """What a calendar is told."""

    #: The same for the same appointment, so that a second file moves it and adds none.
    uid: str
    #: When the file was made.
    made_at: datetime
    starts_at: datetime
    ends_at: datetime
    title: str
    text: str
    place: str = ""


def as_ics(appointment: Appointment) -> bytes:
    """The file."""
    told = {
        "UID": appointment.uid,
        "DTSTAMP": _instant(appointment.made_at),
        "DTSTART": _instant(appointment.starts_at),
        "DTEND": _instant(appointment.ends_at),
        "SUMMARY": _text(appointment.title),
        "DESCRIPTION": _text(appointment.text),
        "LOCATION": _text(appointment.place),
    }
    event = [f"{name}:{value}" for name, value in told.items() if value]
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//leadflow//hand-overs//EN", "BEGIN:VEVENT"]
    lines = [*head, *event, "END:VEVENT", "END:VCALENDAR"]
    return b"".join(part + b"\r\n" for line in lines for part in _folded(line.encode()))


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    """`value` with the signs escaped that separate values; of other control signs none is left."""
    plain = "".join(sign for sign in value if sign == "\n" or sign.isprintable() or sign in "\u00a0\u202f")
    for sign, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        plain = plain.replace(sign, escaped)
    return plain


def _folded(line: bytes) -> Iterator[bytes]:
    """`line` in parts of at most 75 bytes, none of which cuts a character in two."""
    lead = b""
    while len(lead) + len(line) > _WIDTH:
        end = _WIDTH - len(lead)
        while line[end] & 0xC0 == 0x80:
            end -= 1
        yield lead + line[:end]
        lead, line = b" ", line[end:]
    yield lead + line
