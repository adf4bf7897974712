"""Writers of one SQLite file stand in a queue, and those who only read stand in none."""

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from leadflow import connections
from leadflow.db import make_engine, reading
from leadflow.queueing import Queue
from tests.web.waiting import SOON, eventually


@pytest.fixture
def engine(sqlite_url: str) -> Engine:
    return make_engine(sqlite_url)


def queue_of(engine: Engine) -> Queue:
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, connections.QueuedConnection)
        assert driver.queue is not None
        return driver.queue


def write(engine: Engine, then: Callable[[], object] = lambda: None) -> None:
    with engine.begin() as connection:
        connection.execute(text("SELECT 1"))
        then()


def test_whoever_waits_goes_before_whoever_comes_back() -> None:
    queue, served = Queue(), list[str]()

    def visit(name: str) -> None:
        assert queue.enter(SOON)
        served.append(name)
        queue.leave()

    assert queue.enter(0)
    with ThreadPoolExecutor() as threads:
        for name in ("first", "second", "third"):
            had = len(queue)
            threads.submit(visit, name)
            assert eventually(lambda had=had: len(queue) > had)  # type: ignore[misc]
        queue.leave()
        visit("who came back")
    assert served == ["first", "second", "third", "who came back"]


def test_a_turn_goes_to_nobody_who_gave_up() -> None:
    queue = Queue()
    assert queue.enter(0)
    assert not queue.enter(0.01)
    assert len(queue) == 0
    queue.leave()
    assert queue.enter(0)


def test_a_writer_of_many_transactions_lets_the_others_in(engine: Engine) -> None:
    queue, order = queue_of(engine), list[str]()
    with ThreadPoolExecutor() as threads:

        def come() -> None:
            threads.submit(write, engine, lambda: order.append("visitor"))
            assert eventually(lambda: len(queue) == 1)

        write(engine, come)
        write(engine, lambda: order.append("sweep"))
    assert order == ["visitor", "sweep"]


def test_a_reader_waits_for_no_writer_and_sees_one_moment(engine: Engine) -> None:
    with engine.begin() as writing:
        writing.execute(text("CREATE TABLE kept (n INTEGER)"))
        writing.execute(text("INSERT INTO kept VALUES (1)"))
    count = text("SELECT count(*) FROM kept")
    with reading(engine).connect() as looking:
        assert looking.scalar(count) == 1
        with engine.begin() as writing:
            writing.execute(text("INSERT INTO kept VALUES (2)"))
            with reading(engine).connect() as other:
                assert other.scalar(count) == 1
        assert looking.scalar(count) == 1
    with reading(engine).connect() as looking:
        assert looking.scalar(count) == 2


def test_a_transaction_that_ends_badly_gives_its_turn_away(engine: Engine) -> None:
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        write(engine, fail)
    write(engine)


def test_who_waits_too_long_is_told_that_the_database_is_locked(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "PATIENCE", 0.01)
    with engine.begin() as writing:
        writing.execute(text("SELECT 1"))
        with pytest.raises(OperationalError, match="database is locked"):
            write(engine)
    write(engine)


def test_a_database_that_another_process_keeps_costs_nobody_their_turn(engine: Engine, sqlite_url: str) -> None:
    write(engine)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with engine.connect() as connection:
        connection.connection.cursor().execute("PRAGMA busy_timeout=1")
    with pytest.raises(OperationalError, match="locked"):
        write(engine)
    other.close()
    finished = threading.Thread(target=write, args=(engine,))
    finished.start()
    finished.join(SOON)
    assert not finished.is_alive()
