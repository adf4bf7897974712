"""Pauses: from the next intent on no mail leaves, or none of a sequence, an email, a purpose; ended, all go on."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, literal, or_, select, true, update
from sqlalchemy.orm import Session

from leadflow.db import insert_into
from leadflow.eligibility import pause_detail
from leadflow.models import enrolment, message, pause, verdict
from leadflow.pipeline.decisions import record_decisions, subject_of
from leadflow.playbook.model import Playbook
from leadflow.types import EnrolmentState, MessageState, Reason, micros

#: What a message may still be kept from.
_NOT_YET = (MessageState.PLANNED, MessageState.CLAIMED)


def pause_mail(session: Session, playbook: Playbook, now: datetime, *, kind: str, name: str, by: str) -> bool:
    """Pause, and suppress what was planned, so that the record says so; False when it was paused already.

    A sweep that plans meanwhile does no harm: the intent asks again.
    """
    add = insert_into(session, pause).values(kind=kind, name=name, since=micros(now), by=by)
    lasting = pause.c.ended_at.is_(None)
    once = add.on_conflict_do_nothing(index_elements=[pause.c.kind, pause.c.name], index_where=lasting)
    if session.scalar(once.returning(pause.c.id)) is None:
        return False
    stopped = and_(message.c.state.in_(_NOT_YET), _of(kind, name))
    subject = subject_of(func.coalesce(message.c.sequence, ""), func.coalesce(message.c.step, message.c.email))
    rows = select(
        message.c.lead_id,
        subject.label("subject"),
        literal(Reason.PAUSED.value).label("reason"),
        pause_detail(message.c.sequence, message.c.email, message.c.purpose).label("detail"),
    )
    record_decisions(session, rows.where(stopped), kind="suppress", now=now, playbook=playbook)
    values = {"state": MessageState.SUPPRESSED, "reason": Reason.PAUSED, "owner": None, "lease_until": None}
    session.execute(update(message).where(stopped).values(values))
    return True


def resume_mail(session: Session, now: datetime, *, kind: str, name: str, by: str) -> bool:
    """End a pause; False when there is none. The next sweep plans what it stopped, in the arbiter's order and hours."""
    mine = and_(pause.c.kind == kind, pause.c.name == name, pause.c.ended_at.is_(None))
    ended = update(pause).where(mine).values(ended_at=micros(now), ended_by=by)
    if session.scalar(ended.returning(pause.c.id)) is None:
        return False
    # Due from now on: what stood still is not late.
    waiting = select(verdict.c.enrolment_id).where(verdict.c.reason == Reason.PAUSED)
    stopped = select(message.c.enrolment_id).where(
        message.c.state == MessageState.SUPPRESSED, message.c.reason == Reason.PAUSED, _of(kind, name)
    )
    still = and_(
        enrolment.c.state == EnrolmentState.ACTIVE,
        enrolment.c.due_at < micros(now),
        or_(enrolment.c.id.in_(waiting), enrolment.c.id.in_(stopped)),
    )
    session.execute(update(enrolment).where(still).values(due_at=micros(now)))
    return True


def _of(kind: str, name: str) -> ColumnElement[bool]:
    """The messages a pause of that kind stops."""
    columns = {"sequence": message.c.sequence, "email": message.c.email, "stream": message.c.purpose}
    return columns[kind] == name if kind in columns else true()
