"""Who leaves, who stands still, who goes on, and what becomes of mail that was planned for them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from leadflow.conditions.tree import FieldLeaf
from leadflow.models import enrolment, lead, message
from tests.pipeline.nurture_world import STEPS, WELCOME, World, book, sequence

IRISH = FieldLeaf(field="country", operator="in", value=("IE",))


@pytest.mark.parametrize(
    ("state", "end"), [({"lifecycle": "customer"}, "customer"), ({"lifecycle": "disqualified"}, "disqualified")]
)
def test_a_customer_or_disqualified_lead_leaves_every_sequence_and_its_mail_with_it(
    session: Session, state: dict[str, Any], end: str
) -> None:
    world = World(session, book())
    world.lead()
    world.sweep()
    world.state(1, **state)
    world.now += timedelta(hours=1)
    world.sweep()
    assert world.enrolments() == [("discovery", "ended", end)]
    assert world.emails() == [("welcome", "suppressed")]
    assert world.decisions("exit") == [("discovery", end)]
    assert world.decisions("suppress") == [("discovery/welcome", end)]


@pytest.mark.parametrize(("part", "end"), [("exit", "exited"), ("goal", "goal")])
def test_an_exit_or_goal_that_holds_ends_the_enrolment(session: Session, part: str, end: str) -> None:
    parts: dict[str, Any] = {part: IRISH}
    world = World(session, book(sequence(steps=STEPS, **parts)))
    world.lead()
    world.sweep()
    session.execute(update(lead).values(country="IE"))
    world.now += timedelta(hours=1)
    world.sweep()
    assert world.enrolments() == [("discovery", "ended", end)]
    assert world.emails() == [("welcome", "suppressed")]


@pytest.mark.parametrize(
    ("on_unmatch", "expected"),
    [
        ("pause", ("discovery", "paused", "wait")),
        ("exit", ("discovery", "ended", "unmatched")),
        ("finish", ("discovery", "active", "wait")),
    ],
)
def test_when_enter_no_longer_holds_on_unmatch_says_what_happens(
    session: Session, on_unmatch: str, expected: tuple[str, str, str]
) -> None:
    world = World(session, book(sequence(steps=STEPS, on_unmatch=on_unmatch)))
    world.lead()
    world.sweep()
    world.state(stage="evaluation")
    world.night()
    assert world.enrolments() == [expected]


def test_a_paused_wait_stands_still(session: Session) -> None:
    world = World(session, book())
    world.lead()
    world.sweep()
    world.night()
    before = session.execute(select(enrolment.c.due_at)).scalar_one()
    world.state(with_sales=True)
    world.night()
    assert world.enrolments() == [("discovery", "paused", "wait")]
    assert world.decisions("pause") == [("discovery", "with_sales")]
    world.state(with_sales=False)
    world.night(10)
    assert world.decisions("resume") == [("discovery", "with_sales")]
    after = session.execute(select(enrolment.c.due_at)).scalar_one()
    assert (before, after) == (before, before + timedelta(days=10))


def test_mail_cancelled_by_a_pause_is_planned_again_in_its_row(session: Session) -> None:
    world = World(session, book())
    world.lead()
    world.sweep()
    world.state(with_sales=True)
    world.now += timedelta(hours=1)
    world.sweep()
    assert session.execute(select(message.c.state, message.c.reason)).one() == ("suppressed", "with_sales")
    world.state(with_sales=False)
    world.night(2)
    assert session.execute(select(message.c.state, message.c.reason)).one() == ("planned", None)
    world.night()
    assert world.emails() == [("welcome", "accepted")]


@pytest.mark.parametrize(("on_fail", "expected"), [("next", "wait"), ("exit", "step_failed")])
def test_a_mail_that_never_left_is_what_on_fail_says(session: Session, on_fail: str, expected: str) -> None:

    steps = [replace(WELCOME, on_fail=on_fail), *STEPS[1:]]
    world = World(session, book(sequence(steps=steps)))
    world.lead()
    world.sweep()
    session.execute(update(message).values(state="suppressed", reason="bounced"))
    world.night()
    assert world.enrolments()[0][2] == expected


def test_a_mail_with_an_unknown_outcome_completes_its_step(session: Session) -> None:
    world = World(session, book())
    world.lead()
    world.sweep()
    session.execute(update(message).values(state="unknown", sent_at=message.c.send_at))
    world.night()
    assert world.enrolments() == [("discovery", "active", "wait")]


def test_a_planned_mail_past_its_expiry_goes_out_no_more_and_the_sequence_goes_on(session: Session) -> None:
    world = World(session, book())
    world.lead()
    world.sweep()
    world.now += timedelta(days=7)
    world.sweep()
    assert session.execute(select(message.c.state, message.c.reason)).one() == ("suppressed", "expired")
    assert world.enrolments() == [("discovery", "active", "wait")]
    assert world.decisions("suppress") == [("discovery/welcome", "expired")]
