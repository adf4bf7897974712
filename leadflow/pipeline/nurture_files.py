"""Fits what stands in the tables to today's files: renamed, removed and moved steps, emails edited since planning."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    func,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from leadflow.models import (
    account,
    enrolment,
    lead,
    message,
    sequence_existing,
    sequence_live,
    tpl,
    tpl_lang,
)
from leadflow.pipeline.catalogue import has_bits
from leadflow.pipeline.nurture_places import ACTIVE, ON_STEP, after, arrive, due, find_moving, over
from leadflow.pipeline.nurture_tables import TOUCHED, entry, route, route_step, shift, touched
from leadflow.pipeline.nurture_variants import variant_of
from leadflow.playbook.model import Playbook, Sequence
from leadflow.types import EnrolmentEnd, EnrolmentState, MessageState, Reason, micros


def rename_steps(session: Session, playbook: Playbook) -> None:
    """`was: old-name` carries keys and positions over, for emails, sequences and steps."""
    emails = {email.was: name for name, email in playbook.emails.items() if email.was}
    if emails:
        email = message.c.email
        session.execute(update(message).where(email.in_(list(emails))).values(email=case(emails, value=email)))
    names = {sequence.name for sequence in playbook.sequences}
    for sequence in playbook.sequences:
        if sequence.was and sequence.was not in names:
            for table in (enrolment, message, sequence_live, sequence_existing):
                session.execute(update(table).where(table.c.sequence == sequence.was).values(sequence=sequence.name))
        renamed = _renamed(sequence)
        if renamed:
            for column in (enrolment.c.position, enrolment.c.step, message.c.step):
                _rename(session, sequence, column, renamed)


def end_removed(session: Session, playbook: Playbook, now: datetime) -> None:
    """UPDATE enrolment: whoever is under way in a sequence that is gone for good leaves it."""
    if playbook.removed_sequences:
        inside = and_(enrolment.c.sequence.in_(playbook.removed_sequences), enrolment.c.ended_at.is_(None), TOUCHED)
        session.execute(update(enrolment).where(inside).values(over(EnrolmentEnd.EXITED, now)))


def _renamed(sequence: Sequence) -> dict[str, str]:
    names = {step.name for step in sequence.steps}
    return {step.was: step.name for step in sequence.steps if step.was and step.was not in names}


def _rename(session: Session, sequence: Sequence, column: Any, renamed: dict[str, str]) -> None:
    table = column.table
    here = and_(table.c.sequence == sequence.name, column.in_(list(renamed)))
    session.execute(update(table).where(here).values({column.name: case(renamed, value=column)}))


def follow_files(session: Session, now: datetime) -> None:
    """Park who stands nowhere, find everybody's present step, and when it is due."""
    known, here = _follows(), _follows(step=func.coalesce(enrolment.c.step, ""))
    # Whoever comes back to a sequence may stand where nobody does any more, too.
    back = select(entry.c.enrolment_id).where(entry.c.how == "reopen")
    unsure = enrolment.c.id.in_(select(shift.c.enrolment_id).where(shift.c.lost).union_all(back))
    parked, active = (enrolment.c.state == state for state in (EnrolmentState.PARKED, EnrolmentState.ACTIVE))
    session.execute(update(enrolment).where(parked, unsure, known).values(state=EnrolmentState.ACTIVE.value))
    session.execute(update(enrolment).where(active, unsure, ~known).values(state=EnrolmentState.PARKED.value))
    nowhere = and_(active, unsure, or_(enrolment.c.step.is_(None), ~here))
    usual = after(func.coalesce(enrolment.c.position, ""))
    session.execute(update(enrolment).where(nowhere, usual).values(arrive(enrolment.c.completed_at, now)))
    find_moving(session, now)
    waiting = update(enrolment).where(ACTIVE, ON_STEP, enrolment.c.due_at.is_(None))
    session.execute(waiting.values(due_at=due(route_step, enrolment.c.completed_at, now)))


def _at_position() -> tuple[ColumnElement[bool], ...]:
    return (
        route.c.sequence == enrolment.c.sequence,
        route.c.position == func.coalesce(enrolment.c.position, ""),
    )


def _follows(*, step: ColumnElement[Any] | None = None) -> ColumnElement[bool]:
    """Today's file knows the last completed step, and has `step` after it where one is asked for."""
    found = select(route.c.sequence).where(*_at_position())
    if step is not None:
        found = found.where(route.c.step == step)
    return found.correlate(enrolment).exists()


def rebind_messages(session: Session, playbook: Playbook, now: datetime) -> None:
    """UPDATE message: planned mails whose email was edited get the new text; what it needs is compared again.

    A body that is gone leaves the step to be planned anew; `freeze: true` keeps the text of the day.
    """
    found = _rebound(playbook).subquery("rebound")
    gone, lacking = found.c.needs.is_(None), found.c.needs.op("&")(found.c.has) != found.c.needs
    bound = update(message).where(message.c.id == found.c.id, message.c.planned_at < micros(now))
    session.execute(
        bound.values(
            version=func.coalesce(found.c.version, message.c.version),
            variant=found.c.variant,
            playbook=playbook.version,
            state=case(
                (gone, MessageState.SUPPRESSED.value),
                (lacking, MessageState.FAILED.value),
                else_=MessageState.PLANNED.value,
            ),
            reason=case((gone, Reason.PAUSED.value), (lacking, Reason.MISSING_FIELD.value), else_=null()),
        )
    )


def _rebound(playbook: Playbook) -> Select[Any]:
    """Planned messages whose text is no longer today's, with what the new one needs and the person has."""
    frozen = [name for name, email in playbook.emails.items() if email.freeze]
    bodies = and_(
        tpl_lang.c.template == message.c.email,
        tpl_lang.c.lang == message.c.language,
        tpl_lang.c.for_lang == func.coalesce(lead.c.language, ""),
    )
    return (
        select(
            message.c.id,
            tpl.c.version,
            tpl_lang.c.needs,
            has_bits(playbook).label("has"),
            variant_of(playbook, message.c.email, lead.c.seed).label("variant"),
        )
        .select_from(
            message.join(lead, lead.c.id == message.c.lead_id)
            .outerjoin(account, account.c.id == lead.c.account_id)
            .outerjoin(tpl, tpl.c.template == message.c.email)
            .outerjoin(tpl_lang, bodies)
        )
        .where(message.c.state == MessageState.PLANNED, func.coalesce(tpl.c.version, "") != message.c.version)
        .where(message.c.email.not_in(frozen), message.c.enrolment_id.is_not(None))
        .where(message.c.lead_id.in_(select(touched.c.lead_id)))
    )
