"""Clocks of the office: when an answer is due that must come within `4 business_hours`."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from leadflow.playbook.model import Playbook
from leadflow.types import Span, SpanKind
from leadflow.windows.hours import hours_of, open_slots

_LOOK_AHEAD = timedelta(days=30)


def due_after(_session: Session, playbook: Playbook, at: datetime, span: Span) -> datetime:
    """The instant when `span` has passed since `at` on the office's calendar.

    A business hour runs while the window is open; a business day is a window's length of them, so
    what is asked on Monday at ten within one is due on Tuesday at ten.
    """
    window = playbook.window
    match span.kind:
        case SpanKind.ELAPSED:
            return at.astimezone(UTC) + timedelta(microseconds=span.amount)
        case SpanKind.BUSINESS_HOURS:
            return _after_open(playbook, at, timedelta(hours=span.amount))
        case SpanKind.BUSINESS_DAYS:
            length = (window.end - window.start) % (24 * 60) or 24 * 60
            return _after_open(playbook, at, timedelta(minutes=length * span.amount))


def _after_open(playbook: Playbook, at: datetime, left: timedelta) -> datetime:
    hours = hours_of(playbook)
    # A window that opened yesterday may still be open.
    day = at.astimezone(hours.zone).date() - timedelta(days=1)
    began = at.astimezone(UTC)
    while True:
        empty = True
        for slot in open_slots(hours, day, day + _LOOK_AHEAD):
            empty = False
            start = max(slot.opens, began)
            if slot.closes - start >= left and slot.closes > start:
                return start + left
            left -= max(slot.closes - start, timedelta())
            began = max(began, slot.closes)
        if empty and day > at.astimezone(hours.zone).date() + timedelta(days=800):
            # A calendar that never opens has no business hours: count plain ones.
            return at.astimezone(UTC) + left
        day += _LOOK_AHEAD + timedelta(days=1)
