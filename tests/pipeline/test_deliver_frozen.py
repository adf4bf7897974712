"""A worker that is frozen in the middle of a transaction: PostgreSQL takes the rows it holds from it."""

import threading
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from leadflow import connections
from leadflow.db import make_engine
from leadflow.esp.memory import MemoryProvider
from leadflow.models import message
from leadflow.pipeline.deliver_gate import OpenGate, Taken
from tests.flows.machines import wait_for
from tests.pipeline.mails import add_message, deliver


class Freezing(OpenGate):
    """Freezes its run in the middle of one transaction, until `thaw`."""

    def __init__(self, moment: str) -> None:
        super().__init__()
        self._moment, self.frozen, self.thaw = moment, threading.Event(), threading.Event()

    def took(self, session: Session, taken: Sequence[Taken]) -> Collection[int]:
        self._pass("claim")
        return super().took(session, taken)

    def unused(self, session: Session, n: int) -> None:
        super().unused(session, n)
        self._pass("intent")

    def tell(self, session: Session) -> None:
        super().tell(session)
        self._pass("record")

    def _pass(self, moment: str) -> None:
        if moment == self._moment and not self.frozen.is_set():
            self.frozen.set()
            assert self.thaw.wait(30)


@pytest.fixture
def engine(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """On PostgreSQL, whose patience is short: in SQLite's file a frozen writer keeps everybody waiting."""
    monkeypatch.setattr(connections, "IDLE_IN_TRANSACTION", "300ms")
    engine = make_engine(postgres_url)
    yield engine
    engine.dispose()


def states(engine: Engine) -> Counter[str]:
    with Session(engine) as session:
        return Counter(session.scalars(select(message.c.state)))


def lock_all(engine: Engine) -> bool:
    """Whether nobody holds a message any more."""
    with suppress(DBAPIError), Session(engine) as session:
        return len(session.execute(select(message.c.id).with_for_update(nowait=True)).all()) == 3
    return False


@pytest.mark.parametrize(
    ("moment", "meanwhile", "others"),
    [
        # Nothing of it was committed: the others send them.
        ("claim", {"planned": 3}, {"accepted": 3}),
        # The lease holds for ten minutes; what comes too late to begin gives them back.
        ("intent", {"claimed": 3}, {"claimed": 3}),
        # They have left: what thaws still knows the answers, and writes them down anew.
        ("record", {"sending": 3}, {"sending": 3}),
    ],
)
def test_what_a_frozen_worker_holds_comes_back_and_its_late_commit_changes_nothing(
    engine: Engine, moment: str, meanwhile: dict[str, int], others: dict[str, int]
) -> None:
    with Session(engine) as session, session.begin():
        for number in range(1, 4):
            add_message(session, number)
    gate, box = Freezing(moment), MemoryProvider()
    errors: list[DBAPIError] = []

    def run() -> None:
        try:
            deliver(engine, box, gate=gate)
        except DBAPIError as error:
            errors.append(error)

    frozen = threading.Thread(target=run)
    frozen.start()
    assert gate.frozen.wait(30)
    wait_for(lambda: lock_all(engine), 10)
    assert states(engine) == meanwhile
    other = MemoryProvider()
    deliver(engine, other)
    assert states(engine) == others
    gate.thaw.set()
    frozen.join()
    assert len(errors) == (moment != "record")
    deliver(engine, other)
    assert states(engine) == {"accepted": 3}
    assert sorted(mail.message_id for mail in [*box.sent, *other.sent]) == [1, 2, 3]
