"""A sequence hands a lead over when its `escalate` step has come."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from leadflow.conditions.tree import All
from leadflow.models import enrolment, escalation, lead_state
from leadflow.playbook.model import Playbook, Sequence
from leadflow.steps.escalate import EscalateStep
from leadflow.steps.wait import WaitStep
from leadflow.types import Span, SpanKind
from tests.build import NIGHT, add_lead
from tests.pipeline.sales import ask_quote, escalate, handed, selling

DAY = Span(kind=SpanKind.BUSINESS_DAYS, amount=1)


def decision() -> Playbook:
    """A sequence that waits, then hands over."""
    steps = (
        WaitStep(name="wait-1", span=DAY),
        EscalateStep(name="human", was="call", reason="silent", answer_within=DAY),
    )
    sequence = Sequence(name="decision", title={}, track="nurture", enter=All(()), steps=steps)
    return selling(sequences=(sequence,))


def enrol(session: Session, lead_id: int, **columns: Any) -> None:
    """An enrolment on the step `human`, due since an hour."""
    add_lead(session, lead_id)
    plain = {"lead_id": lead_id, "sequence": "decision", "track": "nurture", "entry": 1, "step": "human"}
    dates = {"entered_at": NIGHT, "completed_at": NIGHT, "due_at": NIGHT - timedelta(hours=1)}
    session.execute(insert(enrolment), plain | dates | columns)


@pytest.mark.parametrize("step", ["human", "call"])
def test_a_lead_on_an_escalate_step_is_handed_over_in_its_name(session: Session, step: str) -> None:
    enrol(session, 1, step=step)

    escalate(session, decision())

    assert [(lead_id, rule) for lead_id, rule, _ in handed(session)] == [(1, "decision/human")]
    assert session.scalar(select(escalation.c.due_at)) is not None
    assert session.scalar(select(lead_state.c.with_sales)) is True


@pytest.mark.parametrize(
    "columns",
    [
        {"step": "wait-1"},
        {"state": "paused"},
        {"sequence": "another"},
        {"due_at": NIGHT},
    ],
)
def test_nobody_else_is(session: Session, columns: dict[str, Any]) -> None:
    enrol(session, 1, **columns)

    escalate(session, decision())

    assert handed(session) == []


def test_a_hot_rule_comes_before_the_step(session: Session) -> None:
    enrol(session, 1)
    ask_quote(session, 1, 1)

    escalate(session, decision())

    assert [rule for _, rule, _ in handed(session)] == ["hand-raise"]


def test_a_lead_who_was_handed_over_not_long_ago_waits(session: Session) -> None:
    enrol(session, 1)
    row = {"lead_id": 1, "number": 1, "rule": "hot-profile", "rep": "Marc", "route": "r", "playbook": "p"}
    at = NIGHT - timedelta(days=20)
    session.execute(insert(escalation), row | {"opened_at": at, "due_at": at, "closed_at": at, "state": "lapsed"})

    assert escalate(session, decision()).counts["same_lead"] == 1


def test_a_second_run_opens_nothing_more(session: Session) -> None:
    enrol(session, 1)

    escalate(session, decision())

    assert escalate(session, decision()).changed == 0
