"""How a queue of mails is spread over the hours: each has its place by number, and no hour gets more than its share."""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, case, func, literal, select, type_coerce

from leadflow.db import greatest
from leadflow.models import window_slot
from leadflow.playbook.model import Window
from leadflow.types import HOUR, MINUTE, SECOND

Number = ColumnElement[Any]

#: An hour always has room for so many: a share of a small queue would be a mail or two.
ROOM = 25


def width_of(n: Number, window: Window) -> Number:
    """Over how many microseconds `n` mails go, so that `max_share_per_hour` holds; 0 when one hour takes them all."""
    n = type_coerce(n, BigInteger)
    # A twentieth more, for what rounding adds where several queues share an hour.
    needed = n * _whole(HOUR // 20 * 21 * 100) // greatest(n * _whole(window.max_share_per_hour), _whole(ROOM * 100))
    return case((n <= _whole(ROOM), _whole(0)), else_=needed)


def whole_width(window: Window) -> int:
    """Over how long any number goes, where it cannot be known how many come after them."""
    return HOUR // 20 * 21 * 100 // window.max_share_per_hour if window.max_share_per_hour < 100 else 0


def offset_of(place: Number, n: Number, width: Number, seed: Number) -> Number:
    """How long after the first the mail at `place` (0 …) of `n` leaves; in its cell the lead's seed says when."""
    place, n, width = (type_coerce(number, BigInteger) for number in (place, n, width))
    cell = greatest(width // n, _whole(1))
    return (place * width // n + seed * _whole(SECOND) % cell) // _whole(SECOND) * _whole(SECOND)


def within_hours(calendar_id: Number, first: Number, offset: Number, window: Window) -> Number:
    """`first` + `offset`, carried over into the next open stretch where this one closes before."""
    later_table = window_slot.alias("later")
    slot, later = window_slot.c, later_table.c
    start, closes = type_coerce(first, BigInteger), type_coerce(slot.closes_at, BigInteger)
    room = closes - start
    length = ((window.end - window.start) % (24 * 60) or 24 * 60) * MINUTE
    reopens = (
        select(type_coerce(later.opens_at, BigInteger))
        .where(later.calendar_id == slot.calendar_id, later.closes_at > slot.closes_at)
        .order_by(later.closes_at)
        .limit(1)
        .correlate_except(later_table)
        .scalar_subquery()
    )
    carried = func.coalesce(reopens + (offset - room) % _whole(length), closes)
    found = select(case((offset < room, start + offset), else_=carried))
    found = found.where(slot.calendar_id == calendar_id, closes > start).order_by(slot.closes_at).limit(1)
    return found.correlate_except(window_slot).scalar_subquery()


def _whole(number: int) -> Number:
    return literal(number, BigInteger)
