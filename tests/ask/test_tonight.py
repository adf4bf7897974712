"""Everybody counts once a night, under the reason that is nearest to a mail."""

from sqlalchemy.orm import Session

from leadflow.eligibility import tonight
from leadflow.steps.email import EmailStep
from leadflow.types import Reason
from tests.pipeline.nurture_world import LEARN, WAIT, World, book, email, sequence

FOR_DECISION = email("guide", stage=("decision",))


def counted(world: World) -> dict[Reason, int]:
    found = tonight(world.session, world.playbook, world.now)
    assert found.mailed + sum(found.skipped.values()) == found.people
    return dict(found.skipped)


def test_a_step_skipped_tonight_for_want_of_a_mail_counts_as_no_mail_left(session: Session) -> None:
    world = World(session, book(sequence(steps=(LEARN, WAIT)), emails=(FOR_DECISION,)))
    world.lead()
    world.sweep()
    assert counted(world) == {Reason.NO_MAIL_LEFT: 1}


def test_the_night_after_the_same_person_is_not_due(session: Session) -> None:
    world = World(session, book(sequence(steps=(LEARN, WAIT)), emails=(FOR_DECISION,)))
    world.lead()
    world.sweep()
    world.night()
    assert counted(world) == {Reason.NOT_DUE: 1}


def test_whoever_goes_on_to_another_mail_the_same_night_counts_as_mailed(session: Session) -> None:
    steps = (LEARN, EmailStep(name="welcome", email="welcome"))
    world = World(session, book(sequence(steps=steps), emails=(FOR_DECISION,)))
    world.lead()
    world.sweep()
    assert counted(world) == {}


def test_a_person_s_own_reason_goes_before_a_skipped_step(session: Session) -> None:
    world = World(session, book(sequence(steps=(LEARN, WAIT)), emails=(FOR_DECISION,)))
    world.lead()
    world.sweep()
    world.state(with_sales=True)
    assert counted(world) == {Reason.WITH_SALES: 1}
