"""Each rule that always holds is broken once, and told."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.orm import Session

from leadflow.ask import invariants
from leadflow.ask.invariants import broken
from leadflow.eligibility import Tonight
from leadflow.models import enrolment, escalation, hold, lead_score, lead_state, lifecycle_change, message
from tests.build import NIGHT
from tests.counting import counting
from tests.pipeline.nurture_world import World, book


@pytest.fixture
def world(session: Session) -> World:
    """One person with a planned mail and one with sales: all is well."""
    world = World(session, book())
    world.lead(1)
    world.lead(2, state={"with_sales": True})
    hand_over = {"number": 1, "rule": "hot", "rep": "Marc", "route": "r", "opened_at": NIGHT, "due_at": NIGHT}
    session.execute(insert(escalation).values(lead_id=2, playbook="p", **hand_over))
    world.sweep()
    return world


def told(world: World) -> list[str]:
    return list(broken(world.session, world.playbook, world.now))


def test_a_sound_night_breaks_no_rule(world: World) -> None:
    assert told(world) == []


def change(table: Any, **values: Any) -> Callable[[Session], object]:
    return lambda session: session.execute(update(table).values(**values))


BROKEN: list[tuple[Callable[[Session], object], str]] = [
    (change(message, state="failed"), "1 messages failed or suppressed without a reason"),
    (change(message, state="suppressed"), "1 messages failed or suppressed without a reason"),
    (change(message, state="accepted"), "1 messages counted as sent without an attempt"),
    (change(message, state="unknown"), "1 messages counted as sent without an attempt"),
    (change(lead_score, fit=10_001), "2 scores outside 0 to 100"),
    (change(lead_score, engagement=-1), "2 scores outside 0 to 100"),
    (change(lead_state, with_sales=True), "1 people with sales without an open hand-over, or the other way round"),
    (change(lead_state, with_sales=False), "1 people with sales without an open hand-over, or the other way round"),
    (
        change(escalation, closed_at=NIGHT),
        "1 people with sales without an open hand-over, or the other way round",
    ),
    (
        lambda session: session.execute(delete(lead_state).where(lead_state.c.lead_id == 1)),
        "1 people without a state",
    ),
]


def test_a_broken_rule_is_told(world: World) -> None:
    for breaks, words in BROKEN:
        with world.session.begin_nested() as once:
            breaks(world.session)
            assert words in told(world)
            once.rollback()
        assert told(world) == []


@pytest.mark.parametrize(
    ("table", "column", "words"),
    [
        (message, "lead_id", "1 messages to a person who is not there"),
        (message, "enrolment_id", "1 messages of an enrolment that is not there"),
        (enrolment, "lead_id", "1 enrolments of a person who is not there"),
        (escalation, "lead_id", "1 hand-overs of a person who is not there"),
        (lifecycle_change, "lead_id", "1 lifecycle changes of a person who is not there"),
    ],
)
def test_a_row_whose_owner_is_not_there_is_told(world: World, table: Any, column: str, words: str) -> None:
    if table is lifecycle_change:
        move = {"before": "lead", "after": "customer", "cause": "crm", "effective_at": NIGHT, "recorded_at": NIGHT}
        world.session.execute(insert(lifecycle_change).values(lead_id=1, **move))
    assert told(world) == []
    world.session.execute(update(table).values({column: 999}))
    assert words in told(world)


def test_only_the_newest_rows_are_looked_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invariants, "_NEWEST", 1)
    for number in (3, 4):
        world.lead(number)
    world.sweep()
    first, *_others, last = world.session.scalars(select(message.c.id).order_by(message.c.id))
    world.session.execute(update(message).where(message.c.id == first).values(enrolment_id=999))
    assert "1 messages of an enrolment that is not there" not in told(world)
    world.session.execute(update(message).where(message.c.id == last).values(enrolment_id=998))
    assert "1 messages of an enrolment that is not there" in told(world)


def test_an_active_enrolment_that_waits_for_nothing_is_stranded(world: World) -> None:
    world.session.execute(update(enrolment).values(due_at=None))
    assert told(world) == []  # its mail is on its way
    world.session.execute(update(message).values(state="suppressed", reason="expired"))
    assert told(world) == ["1 people stranded: in a sequence without a next step"]


def test_a_person_handed_on_to_nowhere_is_stranded(world: World) -> None:
    world.session.execute(delete(message))
    world.session.execute(update(enrolment).values(state="ended", ended_at=NIGHT, end_reason="handed_on"))
    assert told(world) == ["1 people stranded: handed on to a sequence they never came to"]
    row = {"lead_id": 1, "sequence": "further", "track": "nurture", "entry": 1, "due_at": NIGHT}
    world.session.execute(insert(enrolment), row | {"entered_at": NIGHT, "completed_at": NIGHT})
    assert told(world) == []


def test_a_mail_that_left_a_held_night_is_told(world: World) -> None:
    values = {"at": NIGHT, "night": "n", "rule": "sends_over", "what": "mails", "mails": 1, "handovers": 0}
    world.session.execute(insert(hold), values)
    assert told(world) == []
    world.session.execute(update(message).values(state="accepted", attempt_id="a", sent_at=NIGHT))
    assert told(world) == ["1 mails left of a night that the brake holds"]


def test_people_who_are_not_counted_are_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invariants, "tonight", lambda *_: Tonight(people=1, mailed=1))
    assert told(world) == ["1 mailed and 0 without do not make 2 people"]


def test_the_rules_cost_the_same_statements_for_any_number_of_people(engine: Engine, world: World) -> None:
    with counting(engine) as seen:
        told(world)
        few = len(seen)
        for number in range(10, 30):
            world.lead(number)
        told(world)
    assert len(seen) == 2 * few + 20 * 4  # a lead is four rows
