"""Failed messages that somebody asks to be tried again: planned in their rows, through the arbiter's key and caps."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    case,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from leadflow.db import json_object
from leadflow.models import message
from leadflow.pipeline.decisions import record_decisions, subject_of
from leadflow.pipeline.reconcile_rows import free_at
from leadflow.playbook.model import Playbook
from leadflow.types import IN_FLIGHT, MessageState, micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """The messages somebody speaks of."""

    state: MessageState = MessageState.FAILED
    reason: str | None = None
    email: str | None = None
    #: Planned to leave at this instant or later.
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resend:
    """What would be done with them, counted: one line an email, reason and fate."""

    email: str
    reason: str
    #: go, expired, or busy: the address has another mail in flight, or would have.
    fate: str
    n: int


def plan_resend(session: Session, playbook: Playbook, now: datetime, which: Which) -> Sequence[Resend]:
    """What would become of the messages of `which`; nothing is written."""
    fated = _fated(playbook, now, which).subquery()
    columns = (fated.c.email, fated.c.reason, fated.c.fate)
    rows = session.execute(select(*columns, func.count().label("n")).group_by(*columns).order_by(*columns))
    return [Resend(email=row.email, reason=row.reason, fate=row.fate, n=row.n) for row in rows]


def resend(session: Session, playbook: Playbook, now: datetime, which: Which, *, by: str) -> int:
    """Plan them again; how many are. Who said so is kept with each."""
    fated = _fated(playbook, now, which).subquery()
    ids = session.scalars(select(fated.c.id).where(fated.c.fate == "go").order_by(fated.c.id)).all()
    subject = subject_of(func.coalesce(message.c.sequence, ""), func.coalesce(message.c.step, message.c.email))
    detail = json_object(by=literal(by), message=message.c.id, attempt=message.c.attempt_id)
    before = func.coalesce(message.c.reason, "").label("reason")
    told = select(message.c.lead_id, subject.label("subject"), before, detail.label("detail"))
    planned = 0
    for some in (ids[start : start + 500] for start in range(0, len(ids), 500)):
        mine = and_(message.c.id.in_(some), message.c.state == which.state)
        record_decisions(session, told.where(mine), kind="resend", now=now, playbook=playbook)
        again: dict[str, Any] = {"state": MessageState.PLANNED, "reason": None, "owner": None, "lease_until": None}
        leaves = _leaves(playbook, now)
        again |= {"send_at": leaves, "sent_at": null(), "attempts": 0, "note": None}
        planned += len(session.scalars(update(message).where(mine).values(again).returning(message.c.id)).all())
    return planned


def _fated(playbook: Playbook, now: datetime, which: Which) -> Select[Any]:
    """(id, email, reason, fate) of each message of `which`: of several to one address the oldest goes."""
    other = message.alias("other")
    flying = (
        select(other.c.id)
        .where(other.c.address_id == message.c.address_id, other.c.counted, other.c.state.in_(IN_FLIGHT))
        .exists()
    )
    late = type_coerce(message.c.expires_at, BigInteger) <= _leaves(playbook, now)
    chosen = (
        select(message.c.id, message.c.email, message.c.counted, message.c.address_id, message.c.send_at)
        .add_columns(func.coalesce(message.c.reason, "").label("reason"))
        .add_columns(late.label("late"), and_(message.c.counted, flying).label("flying"))
        .where(message.c.state == which.state, *_asked(which))
        .subquery("chosen")
    )
    eligible = and_(~chosen.c.late, ~chosen.c.flying, chosen.c.counted)
    turn = func.row_number().over(
        partition_by=[chosen.c.address_id, eligible], order_by=[chosen.c.send_at, chosen.c.id]
    )
    numbered = select(chosen, turn.label("turn")).subquery("numbered")
    busy = or_(numbered.c.flying, and_(numbered.c.counted, numbered.c.turn > 1))
    fate = case((numbered.c.late, literal("expired")), (busy, literal("busy")), else_=literal("go"))
    return select(numbered.c.id, numbered.c.email, numbered.c.reason, fate.label("fate"))


def _leaves(playbook: Playbook, now: datetime) -> ColumnElement[int]:
    """When it may go: now, or when the caps free its address."""
    at = literal(micros(now), BigInteger)
    return case((message.c.counted, free_at(playbook, at)), else_=at)


def _asked(which: Which) -> list[ColumnElement[bool]]:
    named = {message.c.reason: which.reason, message.c.email: which.email}
    asked = [column == word for column, word in named.items() if word is not None]
    return asked if which.since is None else [*asked, message.c.send_at >= micros(which.since)]
