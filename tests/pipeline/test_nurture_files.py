"""Files change while people stand in them: renamed, removed and inserted steps, edited emails."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from leadflow.conditions.tree import FieldLeaf
from leadflow.models import decision, enrolment, escalation, message, sequence_live
from leadflow.playbook.model import Playbook
from leadflow.steps.branch import BranchStep
from leadflow.steps.escalate import EscalateStep
from leadflow.steps.wait import WaitStep
from tests.pipeline.nurture_world import LEARN, STEPS, WAIT, WELCOME, World, book, days, email, sequence

HOUR = timedelta(hours=1)
IRISH = FieldLeaf(field="country", operator="in", value=("IE",))


def _waiting(session: Session, playbook: Playbook | None = None) -> World:
    """Somebody whose welcome was sent and who waits."""
    world = World(session, playbook or book())
    world.lead()
    world.sweep()
    world.night()
    return world


def test_a_renamed_step_carries_position_and_key_over(session: Session) -> None:
    world = _waiting(session)
    hello, pause = replace(WELCOME, name="hello", was="welcome"), replace(WAIT, name="pause", was="wait")
    world.playbook = book(sequence(steps=[hello, pause, LEARN]))
    world.now += HOUR
    world.sweep()
    row = session.execute(select(enrolment.c.position, enrolment.c.step, enrolment.c.state)).one()
    assert tuple(row) == ("hello", "pause", "active")
    assert session.execute(select(message.c.step)).scalar_one() == "hello"


def test_a_renamed_sequence_carries_its_people_over(session: Session) -> None:
    world = _waiting(session)
    world.playbook = book(sequence("basics", steps=STEPS, was="discovery"))
    world.now += HOUR
    world.sweep()
    assert world.enrolments() == [("basics", "active", "wait")]
    assert session.scalars(select(sequence_live.c.sequence)).all() == ["basics"]


def test_whoever_stands_after_a_removed_step_goes_on_where_the_file_says(session: Session) -> None:
    world = _waiting(session)
    world.playbook = book(sequence(steps=[WAIT, LEARN], removed={"welcome": "learn"}))
    world.now += HOUR
    world.sweep()
    assert world.enrolments() == [("discovery", "active", "learn")]


def test_whoever_stands_nowhere_is_parked_until_the_name_is_back(session: Session) -> None:
    world = _waiting(session)
    before = world.playbook
    world.playbook = book(sequence(steps=[LEARN]))
    world.now += HOUR
    world.sweep()
    assert world.enrolments() == [("discovery", "parked", "wait")]
    world.playbook = before
    world.now += HOUR
    world.sweep()
    assert world.enrolments() == [("discovery", "active", "wait")]


def test_a_step_inserted_after_the_last_completed_one_comes_next(session: Session) -> None:
    world = _waiting(session)
    longer = WaitStep(name="longer", span=days(10))
    world.playbook = book(sequence(steps=[WELCOME, longer, WAIT, LEARN]))
    world.now += HOUR
    world.sweep()
    assert world.enrolments() == [("discovery", "active", "longer")]
    due = session.execute(select(enrolment.c.due_at)).scalar_one()
    assert due is not None
    assert due - world.now > timedelta(days=12)


def test_when_the_steps_ahead_are_gone_the_sequence_is_over(session: Session) -> None:
    world = _waiting(session)
    world.playbook = book(sequence(steps=[WELCOME]))
    world.now += HOUR
    world.sweep()
    assert world.enrolments() == [("discovery", "ended", "finished")]


def _edited(**parts: Any) -> Playbook:
    return replace(book(emails=[email("welcome", pick="named", **parts), email("guide")]), version="1" * 64)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"version": "welcome-2"}, ("welcome-2", "planned", None)),
        ({"version": "welcome-2", "freeze": True}, ("welcome-1", "planned", None)),
        (
            {"version": "welcome-2", "needs": {"fr": frozenset({"lead.first_name"})}},
            ("welcome-2", "failed", "missing_field"),
        ),
        ({"version": "welcome-2", "written_in": ("en",)}, ("welcome-2", "suppressed", "paused")),
    ],
)
def test_planned_mail_goes_out_with_the_newest_text(
    session: Session, parts: Mapping[str, Any], expected: tuple[str, str, str | None]
) -> None:
    world = World(session, book())
    world.lead()
    world.sweep()
    world.playbook = _edited(**parts)
    world.now += HOUR
    world.sweep()
    row = session.execute(select(message.c.version, message.c.state, message.c.reason)).one()
    assert tuple(row) == expected


def test_mail_that_is_already_claimed_keeps_its_text(session: Session) -> None:
    world = World(session, book())
    world.lead()
    world.sweep()
    session.execute(update(message).values(state="claimed"))
    world.playbook = _edited(version="welcome-2")
    world.now += HOUR
    world.sweep()
    assert session.execute(select(message.c.version)).scalar_one() == "welcome-1"


@pytest.mark.parametrize(("country", "expected"), [("IE", "learn"), ("FR", "late")])
def test_a_branch_goes_where_the_first_case_that_holds_says(session: Session, country: str, expected: str) -> None:
    late = WaitStep(name="late", span=days(3))
    fork = BranchStep(name="fork", cases=((IRISH, "learn"), (None, "late")))
    steps = [fork, late, replace(LEARN, then="end")]
    world = World(session, book(sequence(steps=steps)))
    world.lead(country=country)
    world.sweep()
    assert world.enrolments() == [("discovery", "active", expected)]
    assert world.emails() == ([("guide", "planned")] if country == "IE" else [])
    world.now += HOUR
    world.sweep()
    assert world.enrolments() == [("discovery", "active", expected)]


HUMAN = EscalateStep(name="human", reason="silent", answer_within=days(1))


def test_an_escalate_step_waits_for_the_next_sweeps_hand_over(session: Session) -> None:
    world = World(session, book(sequence(steps=[HUMAN, WAIT])))
    world.lead()
    world.sweep()
    due = session.execute(select(enrolment.c.due_at)).scalar_one()
    assert due is not None
    assert due > world.now
    world.now += HOUR
    row = {"lead_id": 1, "number": 1, "rule": "discovery/human", "rep": "Inès", "route": "r", "playbook": "1"}
    session.execute(escalation.insert(), row | {"opened_at": world.now, "due_at": world.now, "band": "A1"})
    world.sweep()
    assert world.enrolments() == [("discovery", "active", "wait")]


def test_an_escalate_step_nobody_could_take_goes_on_after_a_while(session: Session) -> None:
    world = World(session, book(sequence(steps=[HUMAN, WAIT])))
    world.lead()
    world.sweep()
    world.night(4)
    assert world.enrolments() == [("discovery", "active", "human")]
    world.night(4)
    assert world.enrolments() == [("discovery", "active", "wait")]
    assert session.scalars(select(decision.c.reason).where(decision.c.kind == "skip")).all() == ["expired"]


def test_an_email_called_otherwise_is_not_sent_again_to_those_who_had_it(session: Session) -> None:
    world = _waiting(session)
    again = replace(WELCOME, name="again", email="hello")
    hello = email("hello", pick="named", was="welcome")
    world.playbook = book(sequence(steps=[WELCOME, WAIT, again, LEARN]), emails=[hello, email("guide")])
    world.now += HOUR
    world.sweep()
    assert world.emails() == [("hello", "accepted")]
    world.night(3)
    assert world.emails() == [("hello", "accepted"), ("guide", "planned")]
    assert ("discovery/again", "already_received") in world.decisions("skip")


def test_a_sequence_gone_for_good_lets_its_people_go_and_its_mails_with_them(session: Session) -> None:
    world = World(session, book())
    world.lead()
    world.sweep()
    world.playbook = replace(book(sequence("other", steps=[WAIT], live=False)), removed_sequences=("discovery",))
    world.now += HOUR
    world.sweep()
    assert world.enrolments() == [("discovery", "ended", "exited")]
    assert session.scalars(select(message.c.reason)).all() == ["exited"]
    assert ("discovery", "exited") in world.decisions("exit")


def test_whoever_stands_behind_a_step_that_ends_all_is_through(session: Session) -> None:
    world = _waiting(session)
    world.playbook = book(sequence(steps=[WAIT, LEARN], removed={"welcome": "end"}))
    world.now += HOUR
    world.sweep()
    assert world.enrolments() == [("discovery", "ended", "finished")]
