"""Who enters a sequence, when, how often, and what a further sequence of the track does to the first."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leadflow.conditions.tree import FieldLeaf
from leadflow.models import enrolment, sequence_existing
from leadflow.playbook.model import Reentry
from leadflow.types import DAY, Leads
from tests.pipeline.nurture_world import STEPS, WAIT, WELCOME, World, book, email, sequence

IN_EVALUATION = FieldLeaf(field="stage", operator="is", value="evaluation")


def _entered(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(enrolment)) or 0


def test_those_who_were_there_before_enter_by_the_ramp_in_the_order_of_their_seeds(session: Session) -> None:
    world = World(session, book(sequence(steps=STEPS, existing_per_day=3)))
    for lead_id in range(1, 9):
        world.lead(lead_id, seed=1000 - lead_id)
    world.sweep()
    assert sorted(session.scalars(select(enrolment.c.lead_id)), reverse=True) == [8, 7, 6]
    world.now += timedelta(hours=5)
    world.sweep()
    assert _entered(session) == 3
    world.night()
    assert _entered(session) == 6
    world.night()
    assert _entered(session) == 8
    assert session.scalar(select(func.count()).select_from(sequence_existing)) == 0


@pytest.mark.parametrize(("per_day", "expected"), [(0, 1), (None, 3)])
def test_existing_none_lets_only_newcomers_in_and_all_lets_everybody_in(
    session: Session, per_day: int | None, expected: int
) -> None:
    world = World(session, book(sequence(steps=STEPS, existing_per_day=per_day)))
    world.lead(1)
    world.lead(2)
    world.sweep()
    world.lead(3, at=world.now)
    world.night()
    assert _entered(session) == expected


def test_somebody_waiting_who_stops_matching_and_matches_again_enters_at_once(session: Session) -> None:
    world = World(session, book(sequence(steps=STEPS, existing_per_day=0)))
    world.lead()
    world.sweep()
    world.state(stage="evaluation")
    world.night()
    world.state(stage="discovery")
    world.night()
    assert world.enrolments() == [("discovery", "active", "welcome")]


def test_a_sweep_of_one_lead_does_not_open_a_sequence(session: Session) -> None:
    world = World(session, book())
    world.lead()
    world.sweep(Leads((1,)))
    assert world.enrolments() == []
    world.sweep()
    assert world.enrolments() == [("discovery", "active", "welcome")]


def test_a_sequence_that_is_not_live_lets_nobody_in(session: Session) -> None:
    world = World(session, book(sequence(steps=STEPS, live=False)))
    world.lead()
    world.sweep()
    assert world.enrolments() == []


def test_nobody_enters_twice_where_it_says_once(session: Session) -> None:
    world = World(session, book(sequence(steps=[WELCOME])))
    world.lead()
    world.sweep()
    for _ in range(5):
        world.night()
    assert world.enrolments() == [("discovery", "ended", "finished")]


def test_somebody_may_come_back_after_the_cool_down_and_not_more_often_than_allowed(session: Session) -> None:
    again = Reentry(again=True, cool_down=10 * DAY, at_most=2)
    emails = [email("welcome", pick="named", again_after=DAY)]
    world = World(session, book(sequence(steps=[WELCOME], reentry=again), emails=emails))
    world.lead()
    world.sweep()
    world.night()
    world.night(9)
    assert [state for _, state, _ in world.enrolments()] == ["ended"]
    world.night()
    assert [state for _, state, _ in world.enrolments()] == ["ended", "active"]
    for _ in range(5):
        world.night(10)
    assert [state for _, state, _ in world.enrolments()] == ["ended", "ended"]
    assert world.emails() == [("welcome", "accepted")] * 2


def _two_stages(**parts: object) -> list[object]:
    further = sequence("evaluation", steps=STEPS, enter=IN_EVALUATION, priority=60, **parts)
    return [sequence(steps=STEPS, goal=IN_EVALUATION), further]


def test_moving_on_hands_on_and_moving_back_goes_on_where_one_stood(session: Session) -> None:
    world = World(session, book(*_two_stages()))  # type: ignore[arg-type]
    world.lead()
    world.sweep()
    world.night()
    world.state(stage="evaluation")
    world.night()
    assert world.enrolments() == [("discovery", "ended", "handed_on"), ("evaluation", "active", "wait")]
    world.state(stage="discovery")
    world.night(6)
    assert world.enrolments() == [("discovery", "active", "wait"), ("evaluation", "ended", "handed_on")]
    assert ("discovery", "handed_on") in world.decisions("resume")
    waited = session.execute(select(enrolment.c.due_at).where(enrolment.c.sequence == "discovery")).scalar_one()
    # Nineteen hours and three quarters were left when the lead moved on; they are still to come.
    assert waited is not None
    assert waited - world.now == timedelta(hours=19, minutes=45)


def test_another_track_runs_beside_the_first(session: Session) -> None:
    news = sequence("news", steps=[WAIT], track="news")
    world = World(session, book(sequence(steps=STEPS), news))
    world.lead()
    world.sweep()
    assert sorted(name for name, _, _ in world.enrolments()) == ["discovery", "news"]


@pytest.mark.parametrize("state", [{"lifecycle": "customer"}, {"lifecycle": "disqualified"}, {"with_sales": True}])
def test_customers_the_disqualified_and_those_with_sales_do_not_enter(
    session: Session, state: dict[str, object]
) -> None:
    world = World(session, book())
    world.lead(state=state)
    world.sweep()
    assert world.enrolments() == []
