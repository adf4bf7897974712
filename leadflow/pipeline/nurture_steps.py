"""People move on through the steps of their sequences: in file order, once a sweep, as far as they can go."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Update, and_, func, literal, null, or_, select, type_coerce, update
from sqlalchemy.orm import Session

from leadflow.conditions.compile import compile_condition
from leadflow.conditions.tree import Condition
from leadflow.models import enrolment, escalation, message, verdict
from leadflow.pipeline.decisions import record_decisions, subject_of
from leadflow.pipeline.nurture_exits import NOT_FINAL
from leadflow.pipeline.nurture_match import sources_of
from leadflow.pipeline.nurture_tables import TOUCHED, following
from leadflow.playbook.model import Playbook, Sequence
from leadflow.steps.base import Step
from leadflow.steps.branch import BranchStep
from leadflow.steps.email import EmailStep
from leadflow.steps.escalate import EscalateStep
from leadflow.steps.wait import WaitStep
from leadflow.types import EnrolmentEnd, EnrolmentState, MessageState, Reason, micros
from leadflow.windows import after_span, calendar_of

Values = dict[str, Any]

#: Reasons for which a step may wait, but not for ever.
DEFERRED = (Reason.OUTRANKED, Reason.PRESSURE, Reason.WINDOW, Reason.NO_MAIL_LEFT, Reason.ALREADY_RECEIVED)


def complete_steps(session: Session, playbook: Playbook, now: datetime) -> None:
    """Steps completed since the last sweep: mails that left or never will, hand-overs that were opened."""
    _record_expired(session, playbook, now)
    for sequence in playbook.sequences:
        for step in sequence.steps:
            if isinstance(step, EmailStep):
                session.execute(_sent(sequence, step, now))
                session.execute(_never_sent(sequence, step, now))
            elif isinstance(step, EscalateStep):
                session.execute(_handed_over(sequence, step, now))
            if isinstance(step, EmailStep | EscalateStep):
                late = standing(sequence, step).where(_expired(playbook, now))
                session.execute(late.values(leave(sequence, step, micros(now), now)))


def advance(session: Session, playbook: Playbook, now: datetime) -> None:
    """Waits that are over and branches, in the order of the files."""
    for sequence in playbook.sequences:
        for step in sequence.steps:
            if isinstance(step, WaitStep):
                over = standing(sequence, step).where(enrolment.c.due_at <= micros(now))
                session.execute(over.values(leave(sequence, step, enrolment.c.due_at, now)))
            elif isinstance(step, BranchStep):
                _take_branch(session, playbook, sequence, step, now)


def standing(sequence: Sequence, step: Step) -> Update:
    """UPDATE of the touched, active enrolments whose present step is `step`."""
    return update(enrolment).where(
        enrolment.c.sequence == sequence.name,
        enrolment.c.step == step.name,
        enrolment.c.state == EnrolmentState.ACTIVE,
        TOUCHED,
    )


def leave(sequence: Sequence, step: Step, completed: ColumnElement[Any] | int, now: datetime) -> Values:
    """Values of an enrolment that has completed `step` and goes on with the step after it."""
    return arrive(step, following(sequence, step), completed, now)


def arrive(step: Step, target: Step | None, completed: ColumnElement[Any] | int, now: datetime) -> Values:
    """Values of an enrolment that has completed `step` and now stands on `target`, or is through."""
    at = literal(completed, BigInteger) if isinstance(completed, int) else type_coerce(completed, BigInteger)
    values: Values = {"position": step.name, "completed_at": at}
    if target is None:
        return values | over(EnrolmentEnd.FINISHED, now)
    return values | {"step": target.name, "due_at": due(target, at, now)}


def due(target: Step, completed: ColumnElement[Any], now: datetime) -> ColumnElement[Any] | int:
    """When a step just reached is due: a wait when it is over, the others at once."""
    if isinstance(target, WaitStep):
        return after_span(calendar_of(enrolment.c.lead_id), completed, target.span)
    # Hand-overs are opened by the next sweep: its escalate comes before this phase.
    return micros(now) + (1 if isinstance(target, EscalateStep) else 0)


def over(end: EnrolmentEnd, now: datetime) -> Values:
    """Values of an enrolment that ends."""
    ended = {"state": EnrolmentState.ENDED.value, "ended_at": micros(now), "end_reason": end.value}
    return ended | {"step": null(), "due_at": null()}


def _of_step(sequence: Sequence, step: Step, now: datetime) -> Update:
    # What a sweep at `now` planned or sent is not seen by a second one at the same instant.
    mine = and_(message.c.enrolment_id == enrolment.c.id, message.c.step == step.name)
    return standing(sequence, step).where(mine, message.c.planned_at < micros(now))


def _sent(sequence: Sequence, step: Step, now: datetime) -> Update:
    """UPDATE enrolment: the mail of this step was accepted, or may have been; the next wait counts from then."""
    left = message.c.state.in_([MessageState.ACCEPTED, MessageState.UNKNOWN])
    done = _of_step(sequence, step, now).where(left, message.c.sent_at < micros(now))
    return done.values(leave(sequence, step, message.c.sent_at, now))


def _never_sent(sequence: Sequence, step: EmailStep, now: datetime) -> Update:
    """UPDATE enrolment: the mail of this step failed, or was suppressed for good."""
    for_good = and_(message.c.state == MessageState.SUPPRESSED, message.c.reason.not_in(NOT_FINAL))
    done = _of_step(sequence, step, now).where(or_(message.c.state == MessageState.FAILED, for_good))
    return done.values(failed(sequence, step, now))


def failed(sequence: Sequence, step: EmailStep, now: datetime) -> Values:
    """Values after a mail that will never leave, as `on_fail` says."""
    if step.on_fail == "exit":
        return over(EnrolmentEnd.STEP_FAILED, now)
    return leave(sequence, step, micros(now), now)


def _expired(playbook: Playbook, now: datetime) -> ColumnElement[bool]:
    """Enrolments whose mail, or hand-over, has waited longer than `defer_at_most`: nothing waits for ever."""
    limit = after_span(calendar_of(enrolment.c.lead_id), enrolment.c.due_at, playbook.pressure.defer_at_most)
    deferred = select(verdict.c.enrolment_id).where(verdict.c.reason.in_(DEFERRED), verdict.c.since < micros(now))
    handovers = [
        f"{sequence.name}/{step.name}"
        for sequence in playbook.sequences
        for step in sequence.steps
        if isinstance(step, EscalateStep)
    ]
    waiting = or_(enrolment.c.id.in_(deferred), subject_of(enrolment.c.sequence, enrolment.c.step).in_(handovers))
    return and_(
        enrolment.c.state == EnrolmentState.ACTIVE, TOUCHED, waiting, type_coerce(limit, BigInteger) <= micros(now)
    )


def _record_expired(session: Session, playbook: Playbook, now: datetime) -> None:
    subject = subject_of(enrolment.c.sequence, enrolment.c.step).label("subject")
    rows = select(enrolment.c.lead_id, subject, literal(Reason.EXPIRED.value).label("reason"))
    record_decisions(session, rows.where(_expired(playbook, now)), kind="skip", now=now, playbook=playbook)


def _handed_over(sequence: Sequence, step: EscalateStep, now: datetime) -> Update:
    """UPDATE enrolment: sales has the lead, as this step asked."""
    opened = select(escalation.c.lead_id).where(
        escalation.c.rule == f"{sequence.name}/{step.name}",
        escalation.c.lead_id == enrolment.c.lead_id,
        escalation.c.opened_at >= func.coalesce(enrolment.c.due_at, 0),
    )
    return standing(sequence, step).where(opened.exists()).values(leave(sequence, step, micros(now), now))


def _take_branch(session: Session, playbook: Playbook, sequence: Sequence, step: BranchStep, now: datetime) -> None:
    """UPDATE enrolment: to where the first case that holds points, else to the next step of the file."""
    for condition, target in step.cases:
        going = standing(sequence, step).where(enrolment.c.due_at <= micros(now))
        if condition is not None:
            going = going.where(_holds(playbook, sequence, step, condition, now))
        session.execute(going.values(arrive(step, sequence.step(target), enrolment.c.due_at, now)))
    rest = standing(sequence, step).where(enrolment.c.due_at <= micros(now))
    session.execute(rest.values(leave(sequence, step, enrolment.c.due_at, now)))


def _holds(
    playbook: Playbook, sequence: Sequence, step: Step, condition: Condition, now: datetime
) -> ColumnElement[bool]:
    sources, here = sources_of(playbook), enrolment.alias("here")
    on_it = select(here.c.lead_id).where(here.c.sequence == sequence.name, here.c.step == step.name)
    holds = compile_condition(condition, sources, now, playbook.vocabulary)
    found = select(sources.lead_id).select_from(sources.from_).where(sources.lead_id.in_(on_it), holds)
    return enrolment.c.lead_id.in_(found.correlate(None))
