"""Mails that piled up, while the machine was off or a night was held, are spread over the hours from now on."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Update, and_, func, literal, select, type_coerce, update

from leadflow.eligibility import held
from leadflow.models import lead, message, window_slot
from leadflow.pipeline.scope import in_scope
from leadflow.playbook.model import Playbook, Window
from leadflow.types import MessageState, Purpose, Scope, micros
from leadflow.windows import calendar_of, offset_of, width_of


def spread_backlog(playbook: Playbook, now: datetime, scope: Scope) -> Update:
    """UPDATE message: what fell due before the present window opened, where it is more than one hour takes.

    A second run at `now` finds none of them: they are due from `now` on.
    """
    at = micros(now)
    opened = (
        select(type_coerce(window_slot.c.opens_at, BigInteger))
        .where(
            window_slot.c.calendar_id == calendar_of(message.c.lead_id),
            window_slot.c.opens_at <= at,
            window_slot.c.closes_at > at,
        )
        .correlate_except(window_slot)
        .scalar_subquery()
    )
    late = and_(type_coerce(message.c.send_at, BigInteger) < opened, in_scope(message.c.lead_id, scope))
    return spread_late(playbook.window, now, and_(late, ~held(message.c.planned_at)))


def spread_late(window: Window, now: datetime, which: ColumnElement[bool]) -> Update:
    """UPDATE message: those of `which` that are due, oldest first, no more of them in an hour than its share."""
    due = and_(
        message.c.state == MessageState.PLANNED,
        message.c.send_at <= micros(now),
        message.c.purpose != Purpose.SERVICE,
        which,
    )
    order: list[Any] = [message.c.send_at, lead.c.seed, message.c.id]
    numbered = (
        select(
            message.c.id,
            lead.c.seed,
            (func.row_number().over(order_by=order) - 1).label("place"),
            func.count().over().label("n"),
        )
        .join(lead, lead.c.id == message.c.lead_id)
        .where(due)
        .subquery("numbered")
    )
    sized = select(numbered, width_of(numbered.c.n, window).label("width")).subquery("sized")
    offset = offset_of(sized.c.place, sized.c.n, sized.c.width, sized.c.seed)
    spread = update(message).where(message.c.id == sized.c.id, sized.c.width > 0)
    return spread.values(send_at=literal(micros(now), BigInteger) + offset)
