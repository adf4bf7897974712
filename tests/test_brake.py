"""A night that trips the brake: planned whole, nothing leaves, until somebody has looked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import ColumnElement, Engine, Row, func, select
from sqlalchemy.orm import Session

from leadflow.app import anything_due, approve, drop, held_at, held_nights, hold_words, plan
from leadflow.errors import UsageError
from leadflow.models import escalation, hold, lead_state, message
from leadflow.playbook.example import example_workspace
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Brake, Playbook
from leadflow.testing import World, open_world
from tests.busy_night import rows_of

#: Monday and Tuesday, quarter past four in Paris.
MONDAY = datetime(2026, 3, 23, 3, 15, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)
NOON = MONDAY + timedelta(hours=8)


@pytest.fixture(scope="module")
def book() -> Playbook:
    return load_playbook(example_workspace())


@pytest.fixture
def world(engine: Engine, book: Playbook) -> World:
    """Five people on the eve of Monday, one of them asking for a quote; more than three mails a night are too many."""
    world = open_world(engine, replace(book, brake=Brake(sends_over=3)), MONDAY - timedelta(hours=8))
    for number in range(5):
        world.arrive(f"reader{number}", {"language": "fr", "country": "FR", "industry": "retail", "cms": "shopify"})
    world.arrive("asker", {"language": "fr", "country": "FR"})
    world.act("asker", "quote_requested")
    return world


def count(world: World, *conditions: ColumnElement[bool]) -> int:
    with Session(world.app.engine) as session:
        return session.scalar(select(func.count()).select_from(message).where(*conditions)) or 0


def the_hold(world: World) -> Row[Any]:
    (row,) = held_nights(world.app)
    return row


def test_a_held_night_is_planned_whole_and_nothing_leaves(world: World) -> None:
    world.live_until(MONDAY)
    before = rows_of(world.app.engine)
    world.sweep()
    assert before == rows_of(world.app.engine)
    row = held_at(world.app, MONDAY)
    assert row is not None
    assert hold_words(row) == "brake: 5 mails planned — leadflow approve 2026-03-23"
    world.now = NOON
    world.deliver()
    world.escalate()
    assert count(world, message.c.state == "planned") == 5
    assert (world.sent, world.sales.alerts) == ([], [])
    with Session(world.app.engine) as session:
        assert session.scalars(select(escalation.c.reminders)).all() == [0]
    assert not anything_due(world.app, world.now)


def test_once_approved_it_leaves_by_the_ordinary_deliver(world: World) -> None:
    world.live_until(MONDAY)
    world.now = NOON
    row = the_hold(world)
    approve(world.app, row, NOON, by="ana")
    world.deliver()
    world.escalate()
    assert (len(world.sent), len(world.sales.alerts)) == (5, 1)
    with Session(world.app.engine) as session:
        # Its clock begins when sales hear of it.
        assert session.scalar(select(escalation.c.due_at)) == NOON + timedelta(hours=1)
        answered = select(hold.c.answer, hold.c.answered_by, hold.c.answered_at)
        assert session.execute(answered).one() == ("approved", "ana", NOON)
    for act in (approve, drop):
        with pytest.raises(UsageError, match="2026-03-23 was approved by ana on 2026-03-23 12:15"):
            act(world.app, row, NOON, by="bob")
    with pytest.raises(UsageError, match="nothing of 2026-03-22 is held"):
        held_nights(world.app, "2026-03-22")


def test_a_dropped_night_never_was_and_the_next_sweep_plans_anew(world: World, book: Playbook) -> None:
    world.live_until(MONDAY)
    drop(world.app, the_hold(world), NOON, by="ana")
    with Session(world.app.engine) as session:
        assert session.scalar(select(func.count()).select_from(escalation)) == 0
        assert not session.scalar(select(func.count()).where(lead_state.c.with_sales))
    assert count(world, message.c.state == "suppressed") == 5
    world.app = replace(world.app, playbook=book)
    world.now = TUESDAY
    world.sweep()
    assert count(world, message.c.state == "planned", message.c.planned_at == TUESDAY) == 5


def test_too_many_hand_overs_are_held_before_their_mails_are_planned(engine: Engine, book: Playbook) -> None:
    world = open_world(engine, replace(book, brake=Brake(handovers_over=0)), MONDAY - timedelta(hours=8))
    world.arrive("asker", {"language": "fr", "country": "FR"})
    world.act("asker", "quote_requested")
    world.live_until(MONDAY)
    row = held_at(world.app, MONDAY)
    assert row is not None
    assert hold_words(row) == "brake: 1 hand-over — leadflow approve 2026-03-23"
    assert world.sales.alerts == []


def test_a_plan_holds_nothing(world: World) -> None:
    assert len(plan(world.app, MONDAY, lambda _session, outcomes: outcomes)) == 7
    assert held_nights(world.app) == []
