"""Who leaves a sequence, who stands still in one, who goes on: decided before anybody enters or moves."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    case,
    exists,
    func,
    literal,
    null,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from leadflow.models import enrolment, message
from leadflow.pipeline.decisions import record_decisions, subject_of
from leadflow.pipeline.nurture_tables import TOUCHED, shift
from leadflow.playbook.model import Playbook
from leadflow.types import EnrolmentEnd, EnrolmentState, MessageState, Reason, micros

#: Suppressed for one of these, a message never left and its step is not over: it may be planned again.
NOT_FINAL = (Reason.PAUSED, Reason.WITH_SALES, Reason.PARKED, Reason.EXITED, Reason.PREFERENCE)
CANCELLED = (MessageState.PLANNED, MessageState.CLAIMED)


def _shifted(which: ColumnElement[bool]) -> ColumnElement[bool]:
    """Enrolments of `nurture_shift`, by their ids: joined, SQLite would walk all active ones for them."""
    return and_(enrolment.c.id.in_(select(shift.c.enrolment_id).where(which)), enrolment.c.ended_at.is_(None))


def _said(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return select(column).where(shift.c.enrolment_id == enrolment.c.id).correlate(enrolment).scalar_subquery()


def end_enrolments(session: Session, now: datetime) -> None:
    """UPDATE enrolment: customers, the disqualified, and those whom exit, goal or on_unmatch lets go."""
    values = {"state": EnrolmentState.ENDED.value, "ended_at": micros(now), "end_reason": _said(shift.c.ends)}
    session.execute(update(enrolment).where(_shifted(shift.c.ends.is_not(None))).values(values))


def pause_enrolments(session: Session, now: datetime) -> None:
    """UPDATE enrolment: with sales, or not matching for now; their waits stand still."""
    still = and_(_shifted(shift.c.pauses.is_not(None)), enrolment.c.state == EnrolmentState.ACTIVE)
    values = {"state": EnrolmentState.PAUSED.value, "paused_at": micros(now), "pause_reason": _said(shift.c.pauses)}
    session.execute(update(enrolment).where(still).values(values))


def resume_enrolments(session: Session, playbook: Playbook, now: datetime) -> None:
    """UPDATE enrolment: what held them has gone; all its instants move on by the length of the pause."""
    back = and_(_shifted(shift.c.resumes), enrolment.c.state == EnrolmentState.PAUSED)
    rows = select(
        enrolment.c.lead_id, enrolment.c.sequence.label("subject"), enrolment.c.pause_reason.label("reason")
    ).where(back)
    record_decisions(session, rows, kind="resume", now=now, playbook=playbook)
    session.execute(update(enrolment).where(back).values(moved_on(now)))


def moved_on(now: datetime) -> dict[str, Any]:
    """Values of an enrolment that goes on where it stood, as if the time in between had not been."""
    still = micros(now) - _whole(func.coalesce(enrolment.c.paused_at, enrolment.c.ended_at))
    return {
        "state": EnrolmentState.ACTIVE.value,
        "completed_at": _whole(enrolment.c.completed_at) + still,
        "due_at": _whole(enrolment.c.due_at) + still,
        "paused_at": null(),
        "pause_reason": null(),
        "ended_at": null(),
        "end_reason": null(),
    }


def cancel_messages(session: Session, playbook: Playbook, now: datetime) -> None:
    """UPDATE message: nothing leaves for an enrolment that is paused, parked or over."""
    why = case(
        (enrolment.c.end_reason == EnrolmentEnd.CUSTOMER, Reason.CUSTOMER.value),
        (enrolment.c.end_reason == EnrolmentEnd.DISQUALIFIED, Reason.DISQUALIFIED.value),
        (enrolment.c.ended_at.is_not(None), Reason.EXITED.value),
        (enrolment.c.state == EnrolmentState.PARKED, Reason.PARKED.value),
        else_=func.coalesce(enrolment.c.pause_reason, Reason.PAUSED.value),
    )
    stopped = and_(message.c.enrolment_id == enrolment.c.id, enrolment.c.state != EnrolmentState.ACTIVE, TOUCHED)
    _suppress(session, message.c.state.in_(CANCELLED), stopped, why, now, playbook)


def expire_messages(session: Session, playbook: Playbook, now: datetime) -> None:
    """UPDATE message: what was not sent in time goes out no more; its step is over."""
    at, planned = micros(now), message.c.state == MessageState.PLANNED
    # Nothing expires before it was to leave: that instant is in the index.
    late = and_(planned, message.c.send_at <= at, message.c.expires_at <= at, message.c.planned_at < at)
    whose = and_(message.c.enrolment_id == enrolment.c.id, TOUCHED)
    _suppress(session, late, whose, literal(Reason.EXPIRED.value), now, playbook)


def _suppress(
    session: Session,
    which: ColumnElement[bool],
    whose: ColumnElement[bool],
    why: ColumnElement[Any],
    now: datetime,
    playbook: Playbook,
) -> None:
    """Record why, then suppress the messages `which` of the enrolments `whose`.

    The few messages first: joined, SQLite would walk all enrolments for them.
    """
    mine = exists(select(enrolment.c.id).where(whose).correlate(message))
    reason = select(why).select_from(enrolment).where(whose).correlate(message).scalar_subquery()
    subject = subject_of(message.c.sequence, message.c.step).label("subject")
    rows: Select[Any] = select(message.c.lead_id, subject, reason.label("reason")).where(which, mine)
    record_decisions(session, rows, kind="suppress", now=now, playbook=playbook)
    session.execute(update(message).where(which, mine).values(state=MessageState.SUPPRESSED.value, reason=reason))


def record_exits(session: Session, playbook: Playbook, now: datetime) -> None:
    """Decisions for the enrolments that this sweep ended or paused, read from their rows."""
    at, name = micros(now), enrolment.c.sequence.label("subject")
    ended = select(enrolment.c.lead_id, name, enrolment.c.end_reason.label("reason"))
    record_decisions(session, ended.where(enrolment.c.ended_at == at, TOUCHED), kind="exit", now=now, playbook=playbook)
    paused = select(enrolment.c.lead_id, name, enrolment.c.pause_reason.label("reason"))
    still = (_shifted(shift.c.pauses.is_not(None)), enrolment.c.paused_at == at)
    record_decisions(session, paused.where(*still), kind="pause", now=now, playbook=playbook)


def _whole(column: ColumnElement[Any]) -> ColumnElement[int]:
    return type_coerce(column, BigInteger)
