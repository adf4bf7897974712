"""Moves people between lead, prospect, customer and disqualified: the one place that may, each move with its owner."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, String, and_, cast, func, literal, select, true, update
from sqlalchemy.orm import Session

from leadflow.db import Instant, insert_into, json_object
from leadflow.errors import UsageError
from leadflow.models import decision, lead_state, lifecycle_change
from leadflow.text import _
from leadflow.types import Lifecycle, micros, month_of


class Cause(StrEnum):
    """Who moves a person on."""

    #: Qualification, and clocks that ran out.
    SWEEP = "sweep"
    SALES = "sales"
    CRM = "crm"
    IMPORT = "import"


_L = Lifecycle
_SOLD = frozenset({Cause.SALES, Cause.CRM, Cause.IMPORT})

#: The moves that exist, and who may make them; any other is refused.
OWNERS: Mapping[tuple[Lifecycle, Lifecycle], frozenset[Cause]] = {
    (_L.LEAD, _L.PROSPECT): frozenset({Cause.SWEEP, Cause.SALES}),
    # A rejection, a lost deal, or nobody answered.
    (_L.PROSPECT, _L.LEAD): frozenset({Cause.SWEEP, Cause.SALES, Cause.CRM}),
    (_L.LEAD, _L.CUSTOMER): _SOLD,
    (_L.PROSPECT, _L.CUSTOMER): _SOLD,
    # Whoever signs was worth calling after all.
    (_L.DISQUALIFIED, _L.CUSTOMER): _SOLD,
    (_L.LEAD, _L.DISQUALIFIED): frozenset({Cause.SALES, Cause.IMPORT}),
    (_L.PROSPECT, _L.DISQUALIFIED): frozenset({Cause.SALES, Cause.IMPORT}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """How many people moved, and how many stand where no such move exists (already there counts as neither)."""

    moved: int = 0
    refused: int = 0


def move_lifecycle(
    session: Session,
    now: datetime,
    *,
    people: Select[Any],
    to: Lifecycle,
    cause: Cause,
    playbook: str,
) -> Moved:
    """Move the `people` (columns `lead_id` and `effective_at`, a lead once) to `to`, in five statements.

    Writes lifecycle_change and decision rows, then lead_state. The selection must not read what these tables say
    about the move itself; it is asked again by each statement.
    """
    wanted = people.subquery("wanted")
    before = lead_state.c.lifecycle
    joined = wanted.join(lead_state, lead_state.c.lead_id == wanted.c.lead_id)
    allowed = before.in_([start for (start, end), owners in OWNERS.items() if end == to and cause in owners])
    refused = and_(before != to, ~allowed)
    counted = select(
        func.count().filter(allowed).label("moved"),
        func.count().filter(refused).label("refused"),
    ).select_from(joined)
    found = session.execute(counted).one()
    if found.moved:
        moving = joined, allowed, wanted.c.effective_at
        session.execute(_history(session, now, moving, to=to, cause=cause))
        session.execute(_decisions(session, now, moving, to=to, cause=cause, playbook=playbook))
        session.execute(
            update(lead_state)
            .where(lead_state.c.lead_id.in_(select(wanted.c.lead_id)), allowed)
            .values(lifecycle=to, lifecycle_since=micros(now))
        )
    return Moved(moved=found.moved, refused=found.refused)


_Moving = tuple[Any, ColumnElement[bool], ColumnElement[Any]]


def _history(session: Session, now: datetime, moving: _Moving, *, to: Lifecycle, cause: Cause) -> Any:
    joined, allowed, effective_at = moving
    columns = ["lead_id", "before", "after", "cause", "effective_at", "recorded_at"]
    rows = select(
        lead_state.c.lead_id,
        lead_state.c.lifecycle,
        literal(str(to), String),
        literal(str(cause), String),
        cast(effective_at, Instant),
        literal(micros(now), BigInteger),
    )
    return insert_into(session, lifecycle_change).from_select(columns, rows.select_from(joined).where(allowed))


def _decisions(session: Session, now: datetime, moving: _Moving, *, to: Lifecycle, cause: Cause, playbook: str) -> Any:
    joined, allowed, _effective_at = moving
    columns = ["lead_id", "kind", "subject", "at", "month", "reason", "detail", "playbook"]
    rows = select(
        lead_state.c.lead_id,
        literal("lifecycle", String),
        literal(str(to), String),
        literal(micros(now), BigInteger),
        literal(month_of(now), BigInteger),
        literal(str(cause), String),
        json_object(before=lead_state.c.lifecycle),
        literal(playbook, String),
    )
    inserted = insert_into(session, decision).from_select(columns, rows.select_from(joined).where(allowed, true()))
    return inserted.on_conflict_do_nothing()


def move_one(session: Session, now: datetime, *, lead_id: int, to: Lifecycle, cause: Cause, playbook: str) -> Moved:
    """Move one person; UsageError, in words, when no such move exists. Standing there already is no error."""
    one = select(literal(lead_id, BigInteger).label("lead_id"), literal(micros(now), BigInteger).label("effective_at"))
    done = move_lifecycle(session, now, people=one, to=to, cause=cause, playbook=playbook)
    if done.refused:
        before = session.scalar(select(lead_state.c.lifecycle).where(lead_state.c.lead_id == lead_id))
        words = _("{cause} cannot make a {before} a {after}: no such move exists")
        raise UsageError(words.format(cause=cause, before=before, after=to))
    return done


def may_move(before: str, to: Lifecycle, cause: Cause) -> bool:
    """Whether `cause` may move somebody from `before` to `to`."""
    return cause in OWNERS.get((Lifecycle(before), to), frozenset())
