"""Rules that always hold; a night that finds one broken says so and fails."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, Table, and_, func, not_, or_, select
from sqlalchemy.orm import Session

from leadflow.eligibility import held, tonight
from leadflow.models import enrolment, escalation, lead, lead_score, lead_state, lifecycle_change, message
from leadflow.playbook.model import Playbook
from leadflow.text import _
from leadflow.types import EnrolmentEnd, EnrolmentState, MessageState

_HIGHEST = 10_000
#: Rows of a table whose ids are looked up, the newest: as much work in a night after years as in the first month.
_NEWEST = 100_000


def broken(session: Session, playbook: Playbook, now: datetime) -> Sequence[str]:
    """The broken rules in words, with how many rows break each; empty when all is well. Bounded statements."""
    return [words.format(n=n) for words, query in _rules() if (n := session.scalar(query) or 0)] + [
        *_everybody_counted(session, playbook, now)
    ]


def _rules() -> Iterator[tuple[str, Select[tuple[int]]]]:
    silent = message.c.state.in_([MessageState.FAILED, MessageState.SUPPRESSED])
    yield (
        _("{n} messages failed or suppressed without a reason"),
        _count(message, silent, message.c.reason.is_(None)),
    )
    yield (
        _("{n} messages counted as sent without an attempt"),
        _count(message, message.c.state.in_(["sending", "accepted", "unknown"]), message.c.attempt_id.is_(None)),
    )
    scored = or_(*(not_(column.between(0, _HIGHEST)) for column in (lead_score.c.fit, lead_score.c.engagement)))
    yield _("{n} scores outside 0 to 100"), _count(lead_score, scored)
    with_sales = select(escalation.c.lead_id).where(escalation.c.closed_at.is_(None))
    yield (
        _("{n} people with sales without an open hand-over, or the other way round"),
        _count(lead_state, lead_state.c.with_sales != lead_state.c.lead_id.in_(with_sales)),
    )
    placed = select(lead_state.c.lead_id)
    yield _("{n} people without a state"), _count(lead, lead.c.id.not_in(placed))
    yield _("{n} people stranded: in a sequence without a next step"), _count(enrolment, _stranded())
    yield _("{n} people stranded: handed on to a sequence they never came to"), _count(enrolment, _handed_nowhere())
    yield from _owned()
    left = message.c.state.in_([MessageState.SENDING, MessageState.ACCEPTED, MessageState.UNKNOWN])
    yield _("{n} mails left of a night that the brake holds"), _count(message, left, held(message.c.planned_at))


def _owned() -> Iterator[tuple[str, Select[tuple[int]]]]:
    """Whose ids no foreign key watches."""
    yield _("{n} messages to a person who is not there"), _astray(message, message.c.lead_id, lead)
    yield (
        _("{n} messages of an enrolment that is not there"),
        _astray(message, message.c.enrolment_id, enrolment),
    )
    yield _("{n} enrolments of a person who is not there"), _astray(enrolment, enrolment.c.lead_id, lead)
    yield _("{n} hand-overs of a person who is not there"), _astray(escalation, escalation.c.lead_id, lead)
    yield (
        _("{n} lifecycle changes of a person who is not there"),
        _astray(lifecycle_change, lifecycle_change.c.lead_id, lead),
    )


def _astray(table: Table, column: ColumnElement[Any], owner: Table) -> Select[tuple[int]]:
    # These tables only grow; what was sound when it was new stays so, for nothing is ever taken out of an owner.
    newest = select(column.label("owner")).order_by(table.c.id.desc()).limit(_NEWEST).subquery()
    there = select(owner.c.id).where(owner.c.id == newest.c.owner).exists()
    return _count(newest, newest.c.owner.is_not(None), ~there)


def _count(table: FromClause, *conditions: ColumnElement[bool]) -> Select[tuple[int]]:
    return select(func.count()).select_from(table).where(*conditions)


def _stranded() -> ColumnElement[bool]:
    """Live and active, yet neither due at some time nor waiting for a message of theirs."""
    waiting = select(message.c.enrolment_id).where(
        message.c.state.in_([MessageState.PLANNED, MessageState.CLAIMED, MessageState.SENDING]),
        message.c.enrolment_id.is_not(None),
    )
    return and_(
        enrolment.c.ended_at.is_(None),
        enrolment.c.state == EnrolmentState.ACTIVE,
        enrolment.c.due_at.is_(None),
        enrolment.c.id.not_in(waiting),
    )


def _handed_nowhere() -> ColumnElement[bool]:
    """Handed on, yet nothing of that track came after: neither a live enrolment nor one that ended later."""
    after = enrolment.alias("after")
    came = and_(
        after.c.lead_id == enrolment.c.lead_id,
        after.c.track == enrolment.c.track,
        after.c.id != enrolment.c.id,
        or_(after.c.ended_at.is_(None), after.c.ended_at >= enrolment.c.ended_at),
    )
    return and_(enrolment.c.end_reason == EnrolmentEnd.HANDED_ON, ~select(after.c.id).where(came).exists())


def _everybody_counted(session: Session, playbook: Playbook, now: datetime) -> Iterator[str]:
    people = session.scalar(select(func.count()).select_from(lead)) or 0
    night = tonight(session, playbook, now)
    if night.mailed + sum(night.skipped.values()) != people:
        yield _("{mailed} mailed and {skipped} without do not make {people} people").format(
            mailed=night.mailed, skipped=sum(night.skipped.values()), people=people
        )
