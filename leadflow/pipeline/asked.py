"""Finds who stands on an `escalate` step of a sequence, its time come."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import BigInteger, func, literal, null, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from leadflow.db import Word, insert_into
from leadflow.models import enrolment, lead_state
from leadflow.pipeline.crossing import crossing
from leadflow.pipeline.scope import in_scope, not_ahead
from leadflow.playbook.model import Playbook, Sequence
from leadflow.steps.base import Step
from leadflow.steps.escalate import EscalateStep
from leadflow.types import EnrolmentState, Scope, Span, micros


def due_steps(playbook: Playbook) -> Iterator[tuple[str, Sequence, EscalateStep]]:
    """Every escalate step with the name its hand-overs carry: `sequence/step`."""
    for sequence in playbook.sequences:
        for step in sequence.steps:
            if isinstance(step, EscalateStep):
                yield f"{sequence.name}/{step.name}", sequence, step


def spans_of(playbook: Playbook) -> dict[str, Span]:
    """`answer_within` of every hot rule and escalate step, by the name a hand-over carries."""
    hot = {rule.name: rule.answer_within for rule in playbook.sales.hot}
    return hot | {name: step.answer_within for name, _sequence, step in due_steps(playbook)}


def find_asked(session: Session, playbook: Playbook, now: datetime, scope: Scope) -> None:
    """Add to `crossing` the leads of `scope` who stand on an escalate step: one statement a step."""
    for name, sequence, step in due_steps(playbook):
        session.execute(add_asked(session, now, scope, name, sequence, step))


def add_asked(
    session: Session, now: datetime, scope: Scope, name: str, sequence: Sequence, step: EscalateStep
) -> postgresql.Insert:
    """INSERT crossing: the active enrolments who stand on `step`; what a lead asks for already stays."""
    rows = (
        select(
            enrolment.c.lead_id,
            func.coalesce(lead_state.c.hot, 0),
            literal(0, BigInteger),
            literal(name, Word),
        )
        .select_from(enrolment.outerjoin(lead_state, lead_state.c.lead_id == enrolment.c.lead_id))
        .where(enrolment.c.sequence.in_(_names(sequence)), enrolment.c.state == EnrolmentState.ACTIVE)
        # Nurture makes the step due just after the sweep that reached it, so a second run finds nothing new.
        .where(enrolment.c.step.in_(_names(step)), enrolment.c.due_at < micros(now))
        .where(in_scope(enrolment.c.lead_id, scope), not_ahead(enrolment.c.lead_id, now))
    )
    inserted = insert_into(session, crossing).from_select(["lead_id", "held", "opening", "step"], rows)
    return inserted.on_conflict_do_update(
        index_elements=[crossing.c.lead_id], set_={"step": inserted.excluded.step}, where=crossing.c.step.is_(null())
    )


def _names(each: Sequence | Step) -> tuple[str, ...]:
    return (each.name, each.was) if each.was else (each.name,)
