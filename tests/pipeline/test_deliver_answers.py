"""A durable intent before the first byte, one visible end for every message, one poison harms nobody else."""

from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import Engine, delete, update
from sqlalchemy.orm import Session

from leadflow.errors import RefusedError, RetryableError
from leadflow.esp.memory import MemoryProvider
from leadflow.freshness import seconds
from leadflow.models import decision, message
from leadflow.pipeline import deliver_supply
from leadflow.ports import Outgoing
from leadflow.types import instant_of, micros
from tests.build import NIGHT
from tests.counting import counting
from tests.pipeline.mails import add_message, deliver, row


def test_the_intent_is_committed_before_the_first_byte(engine: Engine, session: Session) -> None:
    add_message(session, 1)
    session.commit()
    seen: list[tuple[str, str]] = []
    look = lambda mail: seen.append((row(engine, 1).state, mail.attempt_id))  # noqa: E731
    deliver(engine, MemoryProvider(look))
    assert [("sending", row(engine, 1).attempt_id)] == seen


@pytest.mark.parametrize(("answer", "state"), [(RefusedError, "failed"), (RuntimeError, "unknown")])
def test_each_answer_has_its_state(engine: Engine, session: Session, answer: type[Exception], state: str) -> None:
    def say(mail: Outgoing) -> None:
        if mail.message_id == 2:
            raise answer

    for n in (1, 2, 3):
        add_message(session, n)
    session.commit()
    deliver(engine, MemoryProvider(say))
    assert ["accepted", state, "accepted"] == [row(engine, n).state for n in (1, 2, 3)]


def test_an_unknown_outcome_keeps_its_sending_time_and_is_never_tried_again(engine: Engine, session: Session) -> None:
    def time_out(_mail: Outgoing) -> None:
        raise TimeoutError

    add_message(session, 1)
    session.commit()
    deliver(engine, MemoryProvider(time_out))
    again = MemoryProvider()
    deliver(engine, again, now=NIGHT + timedelta(days=1))
    assert (again.sent, row(engine, 1).state, row(engine, 1).sent_at) == ([], "unknown", NIGHT)


def test_a_passing_refusal_is_tried_again_later_and_later_and_then_fails(engine: Engine, session: Session) -> None:
    def not_now(_mail: Outgoing) -> None:
        raise RetryableError("421 later")

    add_message(session, 1)
    session.commit()
    now, waits = NIGHT, []
    for _attempt in range(5):
        deliver(engine, MemoryProvider(not_now), now=now, chance=lambda: 1.0)
        waits.append((row(engine, 1).send_at - now).total_seconds() / 60)
        now = max(now, row(engine, 1).send_at)
    after = row(engine, 1)
    assert waits[:4] == [10, 20, 40, 80]
    assert (
        after.state,
        after.reason,
        after.attempts,
        after.sent_at,
        after.note,
    ) == ("failed", "refused", 5, None, "421 later")


def test_a_provider_that_asks_for_time_gets_it(engine: Engine, session: Session) -> None:
    def busy(_mail: Outgoing) -> None:
        raise RetryableError(retry_after=3600)

    add_message(session, 1)
    session.commit()
    deliver(engine, MemoryProvider(busy))
    assert NIGHT + timedelta(hours=1) == row(engine, 1).send_at


def test_a_lapsed_claim_is_taken_over_and_a_living_one_is_not(
    engine: Engine, session: Session, memory: MemoryProvider
) -> None:
    add_message(session, 1, state="claimed", owner="dead", lease_until=instant_of(1))
    add_message(session, 2, state="claimed", owner="alive", lease_until=instant_of(2**52))
    session.commit()
    assert deliver(engine, memory).counts["released"] == 1
    assert [row(engine, n).state for n in (1, 2)] == ["accepted", "claimed"]


def test_a_message_in_sending_is_left_to_reconciliation(
    engine: Engine, session: Session, memory: MemoryProvider
) -> None:
    add_message(session, 1, state="sending", owner="dead", attempt_id="a", sent_at=NIGHT, lease_until=instant_of(1))
    session.commit()
    deliver(engine, memory)
    assert (row(engine, 1).state, memory.sent) == ("sending", [])


def test_an_answer_never_overwrites_what_reconciliation_found_meanwhile(engine: Engine, session: Session) -> None:
    def overtaken(_mail: Outgoing) -> None:
        with engine.begin() as other:
            other.execute(update(message).values(state="accepted", note="found in the log"))
        raise TimeoutError

    add_message(session, 1)
    session.commit()
    deliver(engine, MemoryProvider(overtaken))
    assert (row(engine, 1).state, row(engine, 1).note) == ("accepted", "found in the log")


def test_a_stop_in_the_middle_leaves_one_in_doubt_and_plans_the_rest_again(engine: Engine, session: Session) -> None:
    def stop(mail: Outgoing) -> None:
        if mail.message_id == 2:
            raise KeyboardInterrupt

    for n in (1, 2, 3):
        add_message(session, n)
    session.commit()
    with pytest.raises(KeyboardInterrupt):
        deliver(engine, MemoryProvider(stop))
    assert [row(engine, n).state for n in (1, 2, 3)] == ["accepted", "unknown", "planned"]
    assert [row(engine, 3).sent_at, row(engine, 3).owner] == [None, None]


def test_a_mail_frozen_on_its_way_is_not_sent_late(
    engine: Engine, session: Session, memory: MemoryProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_message(session, 1)
    session.commit()
    # As if the machine had slept between the first intent and its mail.
    slept = iter([0.0, -121.0])
    monkeypatch.setattr(deliver_supply, "seconds", lambda: seconds() + next(slept, 0.0))
    outcome = deliver(engine, memory)
    assert (outcome.counts["retried"], outcome.counts["accepted"], len(memory.sent)) == (1, 1, 1)
    assert row(engine, 1).attempts == 1


def test_workers_at_the_same_outbox_send_each_message_once(engine: Engine, session: Session) -> None:
    for n in range(1, 41):
        add_message(session, n)
    session.commit()
    seen: list[int] = []
    provider = MemoryProvider(lambda mail: seen.append(mail.message_id))
    workers = [Thread(target=deliver, args=(engine, provider), kwargs={"batch": 3}) for _worker in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(seen) == list(range(1, 41))


def test_statements_grow_with_the_batches_alone(engine: Engine, session: Session) -> None:
    for n in range(1, 61):
        add_message(session, n)
    session.commit()

    def statements(count: int) -> int:
        with engine.begin() as connection:
            connection.execute(delete(decision))
            ids = list(range(1, count + 1))
            connection.execute(update(message).values(state="accepted", attempt_id=None, send_at=micros(NIGHT)))
            connection.execute(update(message).where(message.c.id.in_(ids)).values(state="planned"))
        with counting(engine) as made:
            deliver(engine, batch=10)
        return len([text for text in made if not text.startswith(("BEGIN", "PRAGMA"))])

    # Answers are written down as they come: how many at a time is left to the moment.
    ten, sixty = statements(10), statements(60)
    assert ten < sixty <= 6 * ten
