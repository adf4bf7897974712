"""Who leaves a sequence, who stands still in one, who goes on: decided before anybody enters or moves."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, func, null, or_, select, type_coerce, update
from sqlalchemy.orm import Session

from leadflow.models import enrolment, message
from leadflow.pipeline.decisions import record_decisions, subject_of
from leadflow.pipeline.nurture_match import matches, of_touched, on_unmatch
from leadflow.pipeline.nurture_tables import TOUCHED, touched
from leadflow.playbook.model import Playbook
from leadflow.types import EnrolmentEnd, EnrolmentState, MessageState, Reason, micros

#: Suppressed for one of these, a message never left and its step is not over: it may be planned again.
NOT_FINAL = (Reason.PAUSED, Reason.WITH_SALES, Reason.PARKED, Reason.EXITED)
CANCELLED = (MessageState.PLANNED, MessageState.CLAIMED)


def end_enrolments(session: Session, playbook: Playbook, now: datetime) -> None:
    """UPDATE enrolment: customers, the disqualified, and those whom exit, goal or on_unmatch lets go."""
    unmatched = and_(on_unmatch(playbook, "exit"), ~matches(playbook, touched.c.enters))
    why = case(
        (touched.c.held == Reason.CUSTOMER, EnrolmentEnd.CUSTOMER.value),
        (touched.c.held == Reason.DISQUALIFIED, EnrolmentEnd.DISQUALIFIED.value),
        (matches(playbook, touched.c.exits), EnrolmentEnd.EXITED.value),
        (matches(playbook, touched.c.goals), EnrolmentEnd.GOAL.value),
        (unmatched, EnrolmentEnd.UNMATCHED.value),
        else_=null(),
    )
    ended = update(enrolment).where(of_touched(), why.is_not(None))
    session.execute(ended.values(state=EnrolmentState.ENDED.value, ended_at=micros(now), end_reason=why))


def pause_enrolments(session: Session, playbook: Playbook, now: datetime) -> None:
    """UPDATE enrolment: with sales, or not matching for now; their waits stand still."""
    with_sales = func.coalesce(touched.c.held, "") == Reason.WITH_SALES
    unmatched = and_(on_unmatch(playbook, "pause"), ~matches(playbook, touched.c.enters))
    paused = update(enrolment).where(
        of_touched(), enrolment.c.state == EnrolmentState.ACTIVE, or_(with_sales, unmatched)
    )
    why = case((with_sales, Reason.WITH_SALES.value), else_=Reason.PAUSED.value)
    session.execute(paused.values(state=EnrolmentState.PAUSED.value, paused_at=micros(now), pause_reason=why))


def resume_enrolments(session: Session, playbook: Playbook, now: datetime) -> None:
    """UPDATE enrolment: what held them has gone; all its instants move on by the length of the pause."""
    back = and_(
        of_touched(),
        enrolment.c.state == EnrolmentState.PAUSED,
        func.coalesce(touched.c.held, "") != Reason.WITH_SALES,
        or_(~on_unmatch(playbook, "pause"), matches(playbook, touched.c.enters)),
    )
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
    stopped = and_(
        message.c.enrolment_id == enrolment.c.id,
        message.c.state.in_(CANCELLED),
        enrolment.c.state != EnrolmentState.ACTIVE,
        TOUCHED,
    )
    _suppress(session, stopped, why, now, playbook)


def expire_messages(session: Session, playbook: Playbook, now: datetime) -> None:
    """UPDATE message: what was not sent in time goes out no more; its step is over."""
    late = and_(
        message.c.enrolment_id == enrolment.c.id,
        message.c.state == MessageState.PLANNED,
        message.c.expires_at <= micros(now),
        message.c.planned_at < micros(now),
        TOUCHED,
    )
    _suppress(session, late, case((late, Reason.EXPIRED.value)), now, playbook)


def _suppress(
    session: Session, which: ColumnElement[bool], why: ColumnElement[Any], now: datetime, playbook: Playbook
) -> None:
    """Record why, then suppress: messages joined to their enrolments."""
    subject = subject_of(message.c.sequence, message.c.step).label("subject")
    rows: Select[Any] = select(message.c.lead_id, subject, why.label("reason")).where(which)
    record_decisions(session, rows, kind="suppress", now=now, playbook=playbook)
    session.execute(update(message).where(which).values(state=MessageState.SUPPRESSED.value, reason=why))


def record_exits(session: Session, playbook: Playbook, now: datetime) -> None:
    """Decisions for the enrolments that this sweep ended or paused, read from their rows."""
    at, name = micros(now), enrolment.c.sequence.label("subject")
    ended = select(enrolment.c.lead_id, name, enrolment.c.end_reason.label("reason"))
    record_decisions(session, ended.where(enrolment.c.ended_at == at, TOUCHED), kind="exit", now=now, playbook=playbook)
    paused = select(enrolment.c.lead_id, name, enrolment.c.pause_reason.label("reason"))
    still = (enrolment.c.paused_at == at, enrolment.c.ended_at.is_(None), TOUCHED)
    record_decisions(session, paused.where(*still), kind="pause", now=now, playbook=playbook)


def _whole(column: ColumnElement[Any]) -> ColumnElement[int]:
    return type_coerce(column, BigInteger)
