"""Pauses: no intent begins after them, nobody loses a step, and what stood still goes on in its turn."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, insert, select
from sqlalchemy.orm import Session

from leadflow.eligibility import tonight
from leadflow.esp.memory import MemoryProvider
from leadflow.models import decision, enrolment, message, pause
from leadflow.pipeline.pauses import pause_mail, resume_mail
from leadflow.ports import Outgoing
from leadflow.steps.email import EmailStep
from leadflow.types import Reason, micros
from tests.build import NIGHT
from tests.pipeline.mails import add_message, deliver, mail_playbook
from tests.pipeline.nurture_world import IN_DISCOVERY, STEPS, World, book, email, sequence

ALL = {"kind": "all", "name": "", "by": "ana"}


class Stops(MemoryProvider):
    """Somebody pauses all mail while the n-th one is on the wire."""

    def __init__(self, engine: Engine, n: int) -> None:
        super().__init__()
        self._engine, self._n = engine, n

    async def send(self, mail: Outgoing) -> str:
        """Keep the mail; at the n-th, pause."""
        if len(self.sent) + 1 == self._n:
            with Session(self._engine) as session, session.begin():
                assert pause_mail(session, mail_playbook(), NIGHT, **ALL)
        return await super().send(mail)


def states(engine: Engine) -> dict[str, int]:
    with Session(engine) as session:
        found = session.execute(select(message.c.state, func.count()).group_by(message.c.state))
        return {row[0]: row[1] for row in found}


def test_a_pause_half_way_through_a_drain_lets_no_further_intent_begin(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        for number in range(1, 41):
            add_message(session, number)
    provider = Stops(engine, 18)
    deliver(engine, provider, batch=4)
    # The claims of four whose intents were written before the pause are sent to their end: two of them at most.
    sent = len(provider.sent)
    assert sent in (20, 24)
    assert states(engine) == {"accepted": sent, "suppressed": 40 - sent}
    with Session(engine) as session:
        intents = session.scalar(select(func.count()).where(message.c.attempt_id.is_not(None)))
    assert intents == sent
    deliver(engine, provider)
    assert len(provider.sent) == sent


def test_the_intent_itself_asks_for_pauses(engine: Engine) -> None:
    # As when a sweep plans, or a worker claims, while somebody pauses.
    with Session(engine) as session, session.begin():
        for number in range(1, 4):
            add_message(session, number)
        session.execute(insert(pause), {"kind": "sequence", "name": "s", "since": NIGHT, "by": "ana"})
    provider = MemoryProvider()
    deliver(engine, provider)
    assert provider.sent == []
    with Session(engine) as session:
        row = session.execute(select(decision.c.reason, decision.c.detail).limit(1)).one()
    assert row == ("paused", {"pause": "sequence s", "since": micros(NIGHT)})


@pytest.fixture
def world(session: Session) -> World:
    """Six people with a welcome planned, by two sequences of three."""
    welcome = EmailStep(name="welcome", email="hello")
    other = sequence("other", track="other", steps=[welcome], enter=IN_DISCOVERY, priority=10)
    world = World(session, book(sequence(steps=STEPS), other, emails=[email("guide"), email("hello", pick="named")]))
    for number in range(1, 4):
        world.lead(number)
    world.sweep()
    return world


def stop(world: World, kind: str, name: str = "") -> bool:
    return pause_mail(world.session, world.playbook, world.now, kind=kind, name=name, by="ana")


def go_on(world: World, kind: str, name: str = "") -> bool:
    return resume_mail(world.session, world.now, kind=kind, name=name, by="ana")


def test_what_was_planned_is_cancelled_at_once_and_says_by_what(world: World) -> None:
    assert stop(world, "all")
    assert world.emails() == [("welcome", "suppressed")]
    assert world.decisions("suppress") == [("discovery/welcome", "paused")]
    found = world.session.scalars(select(decision.c.detail).where(decision.c.kind == "suppress")).first()
    assert found == {"pause": "all", "since": micros(world.now)}
    assert not stop(world, "all")


def test_sweeps_plan_nothing_while_a_pause_lasts_and_say_why(world: World) -> None:
    stop(world, "all")
    world.night()
    assert world.verdict() == "paused"
    assert tonight(world.session, world.playbook, world.now).skipped == {Reason.PAUSED: 3}
    assert ("discovery/welcome", "paused") in world.decisions("skip")
    details = world.session.scalars(
        select(decision.c.detail).where(decision.c.kind == "skip", decision.c.reason == "paused")
    )
    assert {detail["pause"] for detail in details} == {"all"}


def test_a_second_sweep_at_the_same_instant_changes_nothing(world: World) -> None:
    stop(world, "email", "welcome")
    world.night()
    before = list(world.session.execute(select(decision).order_by(*decision.primary_key)))
    world.sweep()
    assert before == list(world.session.execute(select(decision).order_by(*decision.primary_key)))


def test_resumed_everybody_goes_on_where_they_stood_however_long_it_was(world: World) -> None:
    stop(world, "all")
    for _night in range(9):
        world.night()
    assert go_on(world, "all")
    world.sweep()
    assert world.emails() == [("welcome", "planned")]
    assert [(name, state) for name, state, _step in world.enrolments()] == [
        ("discovery", "active"),
        ("other", "active"),
    ]
    # The other sequence's mail waits for this one, and is not late for having stood still.
    world.night()
    world.night()
    due = world.session.scalars(select(enrolment.c.due_at).where(enrolment.c.sequence == "other")).first()
    assert due is not None
    assert due >= world.now - timedelta(days=2)
    assert not go_on(world, "all")


def test_a_paused_sequence_lets_another_of_lower_priority_go_first(world: World) -> None:
    stop(world, "sequence", "discovery")
    world.night()
    assert world.emails() == [("welcome", "suppressed"), ("hello", "planned")]


def test_a_paused_email_waits_and_no_other_goes_in_its_place(session: Session) -> None:
    best = EmailStep(name="learn", best_for="discovery")
    world = World(session, book(sequence(steps=[best]), emails=[email("guide", rank=90), email("second")]))
    world.lead(1)
    stop(world, "email", "guide")
    world.sweep()
    assert (world.emails(), world.verdict()) == ([], "paused")
    go_on(world, "email", "guide")
    world.night()
    assert world.emails() == [("guide", "planned")]
