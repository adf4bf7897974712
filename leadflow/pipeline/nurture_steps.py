"""People move on through the steps of their sequences: as far as they can go, once a sweep."""

from datetime import datetime

from sqlalchemy import BigInteger, ColumnElement, Update, and_, func, literal, or_, select, type_coerce, update
from sqlalchemy.orm import Session

from leadflow.conditions.compile import compile_condition
from leadflow.conditions.tree import Condition
from leadflow.models import enrolment, escalation, message, verdict
from leadflow.pipeline.decisions import record_decisions, subject_of
from leadflow.pipeline.nurture_exits import NOT_FINAL
from leadflow.pipeline.nurture_match import sources_of
from leadflow.pipeline.nurture_places import ACTIVE, ON_STEP, after, find_moving, leave, over
from leadflow.pipeline.nurture_tables import route_step
from leadflow.playbook.model import Playbook, Sequence
from leadflow.steps.base import Step
from leadflow.steps.branch import BranchStep
from leadflow.steps.email import EXIT
from leadflow.steps.wait import WaitStep
from leadflow.types import EnrolmentEnd, MessageState, Reason, micros
from leadflow.windows import after_span, calendar_of, shortest

#: Reasons for which a step may wait, but not for ever.
DEFERRED = (Reason.OUTRANKED, Reason.PRESSURE, Reason.WINDOW, Reason.NO_MAIL_LEFT, Reason.ALREADY_RECEIVED)


def complete_steps(session: Session, playbook: Playbook, now: datetime) -> None:
    """Steps completed since the last sweep: mails that left or never will, hand-overs that were opened."""
    find_moving(session, now)
    late = _expired(playbook, now)
    subject = subject_of(enrolment.c.sequence, enrolment.c.step).label("subject")
    rows = select(enrolment.c.lead_id, subject, literal(Reason.EXPIRED.value).label("reason")).where(late)
    record_decisions(session, rows, kind="skip", now=now, playbook=playbook)
    # Who has moved on with one of these stands on a step that none of the next is about.
    for completed in (_sent(now), _never_sent(now), _handed_over(now), _moving().where(late).values(leave(now, now))):
        session.execute(completed)
    session.execute(_failed_out(now))


def advance(session: Session, playbook: Playbook, now: datetime) -> None:
    """Waits that are over, then branches in the order of the files, as often as one can lead to a wait that is over."""
    for _round in range(_most_waits(playbook)):
        session.execute(_waited(now))
        for sequence in playbook.sequences:
            for step in sequence.steps:
                if isinstance(step, BranchStep):
                    _take_branch(session, playbook, sequence, step, now)


def _most_waits(playbook: Playbook) -> int:
    """How many rounds take anybody as far as they can go: one, and one for each wait behind another step."""
    moving = [(s, step) for s in playbook.sequences for step in s.steps if isinstance(step, WaitStep | BranchStep)]
    return max((1 + max(_waits(s, target) for target in s.onward(step)) for s, step in moving), default=0)


def _waits(sequence: Sequence, step: Step | None) -> int:
    if not isinstance(step, WaitStep | BranchStep):
        return 0
    return isinstance(step, WaitStep) + max(_waits(sequence, target) for target in sequence.onward(step))


def _moving() -> Update:
    """UPDATE of the touched, active enrolments, beside their present step and the usual one after it."""
    return update(enrolment).where(ACTIVE, ON_STEP, after(enrolment.c.step))


def _waited(now: datetime) -> Update:
    """UPDATE enrolment: the wait is over; the next step counts from its end."""
    waits = or_(route_step.c.wait_in.is_not(None), route_step.c.wait_days.is_not(None))
    return _moving().where(waits, enrolment.c.due_at <= micros(now)).values(leave(enrolment.c.due_at, now))


def _of_mail(now: datetime) -> ColumnElement[bool]:
    """Joins an enrolment to the message of its present step."""
    # What a sweep at `now` planned or sent is not seen by a second one at the same instant.
    seen = message.c.planned_at < micros(now)
    mine = and_(message.c.enrolment_id == enrolment.c.id, message.c.step == enrolment.c.step, seen)
    return and_(mine, route_step.c.purpose.is_not(None))


def _sent(now: datetime) -> Update:
    """UPDATE enrolment: the mail was accepted, or may have been; the next wait counts from then."""
    left = and_(message.c.state.in_([MessageState.ACCEPTED, MessageState.UNKNOWN]), message.c.sent_at < micros(now))
    return _moving().where(_of_mail(now), left).values(leave(message.c.sent_at, now))


def _will_not_leave(now: datetime) -> ColumnElement[bool]:
    """The mail of the step failed, or was suppressed for good."""
    for_good = and_(message.c.state == MessageState.SUPPRESSED, message.c.reason.not_in(NOT_FINAL))
    return and_(_of_mail(now), or_(message.c.state == MessageState.FAILED, for_good))


def _never_sent(now: datetime) -> Update:
    """UPDATE enrolment: on without the mail."""
    return _moving().where(_will_not_leave(now), route_step.c.on_fail != EXIT).values(leave(now, now))


def _failed_out(now: datetime) -> Update:
    """UPDATE enrolment: out, as `on_fail: exit` says."""
    out = update(enrolment).where(ACTIVE, ON_STEP, _will_not_leave(now), route_step.c.on_fail == EXIT)
    return out.values(over(EnrolmentEnd.STEP_FAILED, now))


def _expired(playbook: Playbook, now: datetime) -> ColumnElement[bool]:
    """Enrolments whose mail, or hand-over, has waited longer than `defer_at_most`: nothing waits for ever."""
    limit = after_span(calendar_of(enrolment.c.lead_id), enrolment.c.due_at, playbook.pressure.defer_at_most)
    deferred = select(verdict.c.enrolment_id).where(verdict.c.reason.in_(DEFERRED), verdict.c.since < micros(now))
    waiting = or_(and_(route_step.c.purpose.is_not(None), enrolment.c.id.in_(deferred)), route_step.c.asks)
    # Most have not waited for as many days by any calendar, which is asked without looking one up.
    long_ago = enrolment.c.due_at <= micros(now) - shortest(playbook.pressure.defer_at_most)
    return and_(ACTIVE, ON_STEP, waiting, long_ago, type_coerce(limit, BigInteger) <= micros(now))


def _handed_over(now: datetime) -> Update:
    """UPDATE enrolment: sales has the lead, as this step asked."""
    opened = select(escalation.c.lead_id).where(
        escalation.c.rule == subject_of(enrolment.c.sequence, enrolment.c.step),
        escalation.c.lead_id == enrolment.c.lead_id,
        escalation.c.opened_at >= func.coalesce(enrolment.c.due_at, 0),
    )
    here = opened.correlate(enrolment).exists()
    return _moving().where(route_step.c.asks, here).values(leave(now, now))


def _take_branch(session: Session, playbook: Playbook, sequence: Sequence, step: BranchStep, now: datetime) -> None:
    """UPDATE enrolment: to where the first case that holds points, else to the next step of the file."""
    here = (enrolment.c.sequence == sequence.name, enrolment.c.step == step.name, enrolment.c.due_at <= micros(now))
    going, values = update(enrolment).where(ACTIVE, *here), leave(enrolment.c.due_at, now)
    for condition, target in step.cases:
        holds = [] if condition is None else [_holds(playbook, sequence, step, condition, now)]
        session.execute(going.where(after(enrolment.c.step, step=target), *holds).values(values))
    session.execute(going.where(after(enrolment.c.step)).values(values))


def _holds(
    playbook: Playbook, sequence: Sequence, step: Step, condition: Condition, now: datetime
) -> ColumnElement[bool]:
    sources, here = sources_of(playbook), enrolment.alias("here")
    on_it = select(here.c.lead_id).where(here.c.sequence == sequence.name, here.c.step == step.name)
    holds = compile_condition(condition, sources, now, playbook.vocabulary)
    found = select(sources.lead_id).select_from(sources.from_).where(sources.lead_id.in_(on_it), holds)
    return enrolment.c.lead_id.in_(found.correlate(None))
