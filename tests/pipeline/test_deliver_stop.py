"""A run that is stopped, cut short or refused leaves nothing behind that does not say where it stands."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from leadflow.app import crew
from leadflow.db import make_engine
from leadflow.errors import BuildError, OutageError, RetryableError, SettingsError
from leadflow.esp.memory import MemoryProvider
from leadflow.freshness import seconds
from leadflow.models import message
from leadflow.pipeline import deliver_run
from leadflow.pipeline.deliver_record import patiently
from leadflow.ports import Outgoing
from leadflow.types import instant_of
from tests.build import NIGHT
from tests.pipeline.mails import add_message, deliver, row
from tests.postgres import Server


class Slow(MemoryProvider):
    """Takes ten mails at once, each for `seconds`."""

    in_flight = 10

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds, self.most, self._now = seconds, 0, 0

    async def send(self, mail: Outgoing) -> str:
        """Take it, slowly."""
        self._now += 1
        self.most = max(self.most, self._now)
        await asyncio.sleep(self.seconds)
        self._now -= 1
        return await super().send(mail)


def plan(session: Session, n: int) -> None:
    for number in range(1, n + 1):
        add_message(session, number)
    session.commit()


def states(engine: Engine) -> Counter[str]:
    with Session(engine) as session:
        return Counter(session.scalars(select(message.c.state)))


@contextmanager
def listening(engine: Engine, what: str, heard: Callable[..., None]) -> Iterator[None]:
    event.listen(engine, what, heard)
    try:
        yield
    finally:
        event.remove(engine, what, heard)


def test_as_many_are_on_the_wire_at_once_as_the_provider_takes(engine: Engine, session: Session) -> None:
    plan(session, 30)
    provider = Slow(0.01)
    deliver(engine, provider)
    assert (provider.most, states(engine)) == (10, {"accepted": 30})


def test_a_run_that_is_stopped_ends_what_is_on_the_wire_and_plans_the_rest_again(
    engine: Engine, session: Session
) -> None:
    plan(session, 40)
    provider = Slow(0.2)
    outcome = deliver(engine, provider, batch=20, stop=lambda: provider.most > 0)
    sent = len(provider.sent)
    assert 10 <= sent < 40
    assert {"accepted": sent, "planned": 40 - sent} == states(engine)
    assert outcome.counts["waiting"] == 40 - sent
    with Session(engine) as other:
        attempts = other.scalars(select(message.c.attempts).where(message.c.state == "planned"))
        assert set(attempts) == {0}


def test_what_does_not_end_in_time_is_in_doubt_and_on_record(
    engine: Engine, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver_run, "DRAIN", 0.1)
    plan(session, 5)
    provider = Slow(30)
    deliver(engine, provider, stop=lambda: provider.most > 0)
    assert states(engine) == {"unknown": 5}
    assert row(engine, 1).note == "cut off"


def test_a_run_that_is_stopped_does_not_wait_long_for_a_database_that_went_away(
    engine: Engine, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver_run, "DRAIN", 0.2)
    monkeypatch.setattr(deliver_run, "PATIENCE", 0.3)
    plan(session, 5)
    provider = Slow(30)

    def gone(*_words: object) -> None:
        if provider.most:
            raise DBAPIError("", (), RuntimeError("gone"))

    with listening(engine, "before_cursor_execute", gone):
        began = seconds()
        with pytest.raises(DBAPIError):
            deliver(engine, provider, stop=lambda: provider.most > 0)
        took = seconds() - began
    assert 0.4 < took < 4
    # As what a killed run leaves: its intents are settled by the provider's log.
    assert states(engine) == {"sending": 5}


def test_a_helper_has_ended_by_itself_before_it_is_killed() -> None:
    assert deliver_run.DRAIN + deliver_run.PATIENCE < crew.PATIENCE < 30


def test_a_database_that_comes_back_in_time_gets_what_was_to_be_written() -> None:
    tries = iter((True, True, False))

    def write() -> None:
        if next(tries):
            raise DBAPIError("", (), RuntimeError("gone"))

    until = seconds() + 3
    patiently(write, lambda: until)
    assert next(tries, None) is None


def test_a_caller_that_loses_its_place_ends_the_run_in_good_order(engine: Engine, session: Session) -> None:
    def lost(_ended: int) -> None:
        raise LookupError

    plan(session, 100)
    provider = Slow(0.1)
    with pytest.raises(LookupError):
        deliver(engine, provider, batch=10, progress=lost)
    assert states(engine) == +Counter(accepted=len(provider.sent), planned=100 - len(provider.sent))


def test_a_caller_whose_own_event_loop_runs_can_deliver(
    engine: Engine, session: Session, memory: MemoryProvider
) -> None:
    async def flow() -> None:
        deliver(engine, memory)

    plan(session, 3)
    asyncio.run(flow())
    assert states(engine) == {"accepted": 3}


def test_a_finished_run_says_that_nothing_waits(engine: Engine, session: Session, memory: MemoryProvider) -> None:
    plan(session, 3)
    add_message(session, 4, send_at=NIGHT + timedelta(hours=1))
    session.commit()
    assert deliver(engine, memory).counts["waiting"] == 0


def test_a_mail_put_off_for_another_attempt_still_waits(engine: Engine, session: Session) -> None:
    def busy(mail: Outgoing) -> None:
        if mail.message_id == 2:
            raise RetryableError

    plan(session, 3)
    assert deliver(engine, MemoryProvider(busy)).counts["waiting"] == 1


def test_a_mail_in_another_runs_hands_waits(engine: Engine, session: Session, memory: MemoryProvider) -> None:
    add_message(session, 1, state="claimed", owner="alive", lease_until=instant_of(2**52))
    add_message(session, 2, state="sending", owner="dead", attempt_id="a")
    session.commit()
    assert deliver(engine, memory).counts["waiting"] == 2


def test_an_outage_costs_no_message_an_attempt_and_ends_the_run(engine: Engine, session: Session) -> None:
    def gone(_mail: Outgoing) -> None:
        raise OutageError(retry_after=3600)

    plan(session, 20)
    outcome = deliver(engine, MemoryProvider(gone), batch=5)
    assert (states(engine), outcome.counts["waiting"]) == ({"planned": 20}, 20)
    with Session(engine) as other:
        assert set(other.execute(select(message.c.attempts, message.c.sent_at))) == {(0, None)}


def test_a_short_outage_is_waited_for(engine: Engine, session: Session) -> None:
    asked: list[int] = []

    def once(mail: Outgoing) -> None:
        asked.append(mail.message_id)
        if len(asked) == 1:
            raise OutageError(retry_after=0.05)

    plan(session, 5)
    outcome = deliver(engine, MemoryProvider(once))
    assert (states(engine), outcome.counts["waiting"]) == ({"accepted": 5}, 0)


def test_a_mail_its_provider_cannot_build_fails_alone(engine: Engine, session: Session) -> None:
    def build(mail: Outgoing) -> None:
        if mail.message_id == 2:
            raise BuildError("ValueError")

    plan(session, 3)
    deliver(engine, MemoryProvider(build))
    assert [row(engine, n).state for n in (1, 2, 3)] == ["accepted", "failed", "accepted"]
    assert (row(engine, 2).reason, row(engine, 2).note) == ("render_failed", "ValueError")


def test_the_intent_keeps_the_databases_own_time(engine: Engine, session: Session, memory: MemoryProvider) -> None:
    plan(session, 1)
    deliver(engine, memory)
    after = row(engine, 1)
    assert after.sent_at == NIGHT
    assert after.intent_at.year > 2025


def test_a_server_that_may_forget_what_was_sent_is_refused(postgres: Server, memory: MemoryProvider) -> None:
    postgres.create("forgetful", template="template")
    engine = make_engine(postgres.url("forgetful"))
    try:
        with engine.begin() as connection:
            connection.execute(text("ALTER DATABASE forgetful SET synchronous_commit = off"))
        engine.dispose()
        with pytest.raises(SettingsError, match="synchronous_commit"):
            deliver(engine, memory)
    finally:
        engine.dispose()
        postgres.drop("forgetful")
