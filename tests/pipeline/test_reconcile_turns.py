"""Six questions a minute to a provider's log, whoever asks."""

from threading import Thread

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from leadflow.app.turns import turns_at
from leadflow.models import lock
from leadflow.pipeline.reconcile_turns import TURNS, take_turn
from leadflow.types import MINUTE


def test_a_minute_has_six_turns_and_each_comes_back_a_minute_after_it_was_taken(session: Session) -> None:
    assert [take_turn(session, "test", "me") for _question in range(8)] == [True] * 6 + [False] * 2
    assert take_turn(session, "another", "me")
    session.execute(update(lock).where(lock.c.name == "log test 2").values(lease_until=lock.c.lease_until - MINUTE))
    assert [take_turn(session, "test", "me") for _question in range(2)] == [True, False]


def test_workers_who_ask_at_once_share_the_turns(engine: Engine) -> None:
    taken: list[bool] = []

    def ask() -> None:
        turn = turns_at(engine, "test", patience=0)
        taken.extend(turn() for _question in range(3))

    workers = [Thread(target=ask) for _worker in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert taken.count(True) == TURNS
    with Session(engine) as session:
        assert sorted(session.scalars(select(lock.c.fence))) == [1] * TURNS


def test_whoever_has_patience_waits_for_a_turn(engine: Engine) -> None:
    for _question in range(TURNS):
        turns_at(engine, "test")()
    with engine.begin() as connection:
        connection.execute(update(lock).values(lease_until=lock.c.lease_until - MINUTE + 600_000))
    assert turns_at(engine, "test", patience=10)()
    with engine.begin() as connection:
        connection.execute(update(lock).values(lease_until=lock.c.lease_until + MINUTE))
    assert not turns_at(engine, "test", patience=0.5)()
