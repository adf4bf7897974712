"""People for whom no email is left, or whose named email cannot be sent, move on as their step says."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, literal, select
from sqlalchemy.orm import Session

from leadflow.db import insert_missing
from leadflow.models import enrolment, message, tpl
from leadflow.pipeline.decisions import record_decisions, subject_of
from leadflow.pipeline.nurture_steps import failed, leave, over, standing
from leadflow.pipeline.nurture_tables import candidate, choice
from leadflow.playbook.model import Playbook, Sequence
from leadflow.steps.email import EmailStep
from leadflow.types import DAY, EnrolmentEnd, MessageState, Reason, micros

_NONE_LEFT = (Reason.NO_MAIL_LEFT, Reason.ALREADY_RECEIVED)


def skip_steps(session: Session, playbook: Playbook, now: datetime) -> None:
    """Record the skips, then move those people on; `when_none: wait` keeps them where they stand."""
    _record(session, playbook, now)
    _fail_missing(session, playbook, now)
    for sequence, step in email_steps(playbook):
        _move(session, sequence, step, [Reason.MISSING_FIELD], failed(sequence, step, now))
        if step.when_none == "exit":
            _move(session, sequence, step, _NONE_LEFT, over(EnrolmentEnd.NO_MAIL_LEFT, now))
        elif step.when_none == "skip":
            _move(session, sequence, step, _NONE_LEFT, leave(sequence, step, micros(now), now))
    moved = select(candidate.c.enrolment_id).join(enrolment, enrolment.c.id == candidate.c.enrolment_id)
    moved = moved.where(enrolment.c.step.is_distinct_from(candidate.c.step))
    session.execute(delete(choice).where(choice.c.enrolment_id.in_(moved)))
    session.execute(delete(candidate).where(candidate.c.enrolment_id.in_(moved)))


def email_steps(playbook: Playbook) -> Iterator[tuple[Sequence, EmailStep]]:
    """Every email step, in the order of the files."""
    for sequence in playbook.sequences:
        for step in sequence.steps:
            if isinstance(step, EmailStep):
                yield sequence, step


def _record(session: Session, playbook: Playbook, now: datetime) -> None:
    waits = [f"{sequence.name}/{step.name}" for sequence, step in email_steps(playbook) if step.when_none == "wait"]
    subject = subject_of(candidate.c.sequence, candidate.c.step)
    goes: ColumnElement[bool] = and_(choice.c.reason.in_(_NONE_LEFT), subject.not_in(waits))
    rows = (
        select(candidate.c.lead_id, subject.label("subject"), choice.c.reason)
        .join(choice, choice.c.enrolment_id == candidate.c.enrolment_id)
        .where(goes | (choice.c.reason == Reason.MISSING_FIELD))
    )
    record_decisions(session, rows, kind="skip", now=now, playbook=playbook)


def _move(session: Session, sequence: Sequence, step: EmailStep, reasons: Any, values: dict[str, Any]) -> None:
    """UPDATE enrolment: the candidates of `step`; whoever a step before it has just moved here is not yet one."""
    here = and_(candidate.c.sequence == sequence.name, candidate.c.step == step.name)
    gone: Select[Any] = select(choice.c.enrolment_id).join(candidate, candidate.c.enrolment_id == choice.c.enrolment_id)
    gone = gone.where(choice.c.reason.in_(reasons), here)
    session.execute(standing(sequence, step).where(enrolment.c.id.in_(gone)).values(values))


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
