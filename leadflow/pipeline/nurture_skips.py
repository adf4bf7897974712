"""People for whom no email is left, or whose named email cannot be sent, move on as their step says."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, literal, or_, select, update
from sqlalchemy.orm import Session

from leadflow.db import insert_missing
from leadflow.models import enrolment, message, tpl
from leadflow.pipeline.decisions import record_decisions, subject_of
from leadflow.pipeline.nurture_places import ACTIVE, ON_STEP, after, leave, over
from leadflow.pipeline.nurture_tables import candidate, choice, route_step
from leadflow.playbook.model import Playbook
from leadflow.steps.email import EXIT, SKIP, WAIT
from leadflow.types import DAY, EnrolmentEnd, MessageState, Reason, micros

_NONE_LEFT = (Reason.NO_MAIL_LEFT, Reason.ALREADY_RECEIVED)


def skip_steps(session: Session, playbook: Playbook, now: datetime) -> None:
    """Record the skips, then move those people on; `when_none: wait` keeps them where they stand."""
    _record(session, playbook, now)
    _fail_missing(session, playbook, now)
    step, here = route_step.c, and_(ACTIVE, ON_STEP)
    missing, none = choice.c.reason == Reason.MISSING_FIELD, choice.c.reason.in_(_NONE_LEFT)
    on = or_(and_(missing, step.on_fail != EXIT), and_(none, step.when_none == SKIP))
    for which, values in (
        (and_(on, after(enrolment.c.step)), leave(now, now)),
        (and_(missing, step.on_fail == EXIT), over(EnrolmentEnd.STEP_FAILED, now)),
        (and_(none, step.when_none == EXIT), over(EnrolmentEnd.NO_MAIL_LEFT, now)),
    ):
        session.execute(update(enrolment).where(here, _decided(), which).values(values))
    moved = select(candidate.c.enrolment_id).join(enrolment, enrolment.c.id == candidate.c.enrolment_id)
    # Asked of the few for whom there is no mail: nobody else has moved.
    none_for = select(choice.c.enrolment_id).where(choice.c.reason.is_not(None))
    moved = moved.where(candidate.c.enrolment_id.in_(none_for), enrolment.c.step.is_distinct_from(candidate.c.step))
    session.execute(delete(candidate).where(candidate.c.enrolment_id.in_(moved)))
    session.execute(delete(choice).where(choice.c.enrolment_id.not_in(select(candidate.c.enrolment_id))))


def _decided() -> ColumnElement[bool]:
    """Joins an enrolment to its candidate and what was chosen for it, unless it has moved on since."""
    mine = and_(candidate.c.enrolment_id == enrolment.c.id, candidate.c.step == enrolment.c.step)
    return and_(mine, choice.c.enrolment_id == enrolment.c.id)


def _record(session: Session, playbook: Playbook, now: datetime) -> None:
    goes = and_(choice.c.reason.in_(_NONE_LEFT), route_step.c.when_none != WAIT)
    step = and_(route_step.c.sequence == candidate.c.sequence, route_step.c.step == candidate.c.step)
    subject = subject_of(candidate.c.sequence, candidate.c.step).label("subject")
    rows = (
        select(candidate.c.lead_id, subject, choice.c.reason)
        .join(choice, choice.c.enrolment_id == candidate.c.enrolment_id)
        .join(route_step, step)
        .where(goes | (choice.c.reason == Reason.MISSING_FIELD))
    )
    record_decisions(session, rows, kind="skip", now=now, playbook=playbook)


def _fail_missing(session: Session, playbook: Playbook, now: datetime) -> None:
    """INSERT message: a named email that lacks a field fails where people look for it."""
    who, at = candidate.c, literal(micros(now))
    columns: dict[str, ColumnElement[Any]] = {
        **{name: who[name] for name in ("lead_id", "address_id", "enrolment_id", "sequence", "step", "basis")},
        "email": tpl.c.template,
        "language": choice.c.language,
        "purpose": tpl.c.purpose,
        "counted": tpl.c.counted,
        "version": tpl.c.version,
        "state": literal(MessageState.FAILED.value),
        "reason": choice.c.reason,
        "playbook": literal(playbook.version),
        "planned_at": at.label("planned"),
        "send_at": at.label("leaves"),
        "expires_at": literal(micros(now) + DAY),
    }
    joined = candidate.join(choice, choice.c.enrolment_id == who.enrolment_id)
    rows = select(*columns.values()).select_from(joined.join(tpl, tpl.c.template == choice.c.template))
    lacking = rows.where(choice.c.reason == Reason.MISSING_FIELD)
    session.execute(insert_missing(message, list(columns), lacking))
