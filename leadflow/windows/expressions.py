"""The SQL that looks up a calendar: the next open instant, the start of the n-th business day after another."""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, case, func, literal, select, type_coerce

from leadflow.db import Instant, least
from leadflow.models import business_day, calendar, lead, window_slot
from leadflow.types import DAY, HOUR, SECOND, Span, SpanKind

Number = ColumnElement[Any]


def calendar_of(lead_id: Number) -> Number:
    """The calendar a lead lives by; `ensure_calendars` has seen to it that there is one."""
    pair = (
        calendar.c.zone == func.coalesce(lead.c.zone, ""),
        calendar.c.country == func.coalesce(lead.c.country, ""),
    )
    found = select(calendar.c.id).select_from(lead.join(calendar, pair[0] & pair[1])).where(lead.c.id == lead_id)
    return found.correlate_except(lead, calendar).scalar_subquery()


def next_open(calendar_id: Number, at: Number, *, seed: Number | None = None, spread: int = 0) -> Number:
    """The first open instant from `at` on; NULL beyond the calendar's horizon.

    Mails do not all leave when a window opens: a seed gives each its place in the first `spread` microseconds.
    """
    slot, moment = window_slot.c, type_coerce(at, BigInteger)
    opens = _whole(slot.opens_at)
    if seed is not None and spread >= SECOND:
        room = least(literal(spread // SECOND, BigInteger), (_whole(slot.closes_at) - opens) // SECOND)
        opens = opens + (seed % room) * SECOND
    found = select(case((opens > moment, opens), else_=moment))
    found = found.where(slot.calendar_id == calendar_id, _whole(slot.closes_at) > moment)
    return _instant(found.order_by(slot.closes_at).limit(1).correlate_except(window_slot).scalar_subquery())


def after_business_days(calendar_id: Number, at: Number, n: Number | int) -> Number:
    """The start of the n-th business day after the one `at` lies in (a Saturday counts as its Friday)."""
    before, day = business_day.alias("day_of"), business_day.c
    today = (
        select(before.c.n)
        .where(before.c.calendar_id == calendar_id, _whole(before.c.starts_at) <= type_coerce(at, BigInteger))
        .order_by(before.c.starts_at.desc())
        .limit(1)
        .correlate_except(before)
        .scalar_subquery()
    )
    found = select(day.starts_at).where(day.calendar_id == calendar_id, day.n == func.coalesce(today, -1) + n)
    return found.correlate_except(business_day).scalar_subquery()


def shortest(span: Span) -> int:
    """Microseconds that pass at least before `span` is over, in any calendar and whatever becomes of its clocks."""
    match span.kind:
        case SpanKind.BUSINESS_DAYS:
            # The day it begins in counts as none and may be over; another one a zone may skip.
            return max(0, span.amount - 2) * DAY
        case SpanKind.BUSINESS_HOURS:
            return span.amount * HOUR
        case SpanKind.ELAPSED:
            return span.amount


def after_span(calendar_id: Number, at: Number, span: Span) -> Number:
    """`at` plus a span people wrote; business hours are for the office's clocks and count as plain ones here."""
    match span.kind:
        case SpanKind.BUSINESS_DAYS:
            return after_business_days(calendar_id, at, span.amount)
        case SpanKind.BUSINESS_HOURS:
            return _instant(type_coerce(at, BigInteger) + span.amount * HOUR)
        case SpanKind.ELAPSED:
            return _instant(type_coerce(at, BigInteger) + span.amount)


def _whole(column: Number) -> Number:
    return type_coerce(column, BigInteger)


def _instant(number: Number) -> Number:
    return type_coerce(number, Instant())
