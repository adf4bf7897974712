"""Whatever the order of answers, news, questions, crashes and time: one final state each, and nobody gets a mail twice.

The provider of these tests takes a mail up to three minutes after its intent, shows it in its log within five more, and
once in a while its log is blind for up to 25 minutes.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.orm import Session

from leadflow.db import database_now
from leadflow.errors import ProviderError
from leadflow.models import decision, intake, message
from leadflow.pipeline import reconcile as reconciling
from leadflow.pipeline import reconcile_rows
from leadflow.ports import Asked
from leadflow.types import MessageState
from tests.build import NIGHT
from tests.pipeline.doubts import book, delivered, pass_minutes
from tests.pipeline.mails import add_message

MAILS = (1, 2, 3)
#: Mail 3 is not welcome any more after so many minutes.
EXPIRES = 60
Step = tuple[Any, ...]


class World:
    """Three mails, a provider with its log, and a clock of whole minutes."""

    def __init__(self, engine: Engine, *, lag: int = 5, grace: int = 15) -> None:
        self.engine, self.grace = engine, grace
        self.name, self.lag = "test", timedelta(minutes=lag)
        self.minute = 0
        self.blind_until = 0
        self.was_blind = False
        self.reachable = True
        #: Attempt → mail and the minute the provider took it.
        self.taken: dict[str, tuple[int, int]] = {}
        self.alive: dict[int, str] = {}
        self.serial = 0
        with Session(engine) as session, session.begin():
            for table in (decision, intake):
                session.execute(delete(table))
            fresh = dict.fromkeys(("reason", "attempt_id", "owner", "sent_at", "intent_at", "asked_at", "note"))
            session.execute(update(message).values(state="planned", attempts=0, negatives=0, **fresh))

    def live(self, steps: Sequence[Step]) -> None:
        """Live through `steps`, then let everything come to rest."""
        for word, *rest in steps:
            getattr(self, word)(*rest)
        self.reachable = True
        for _round in range(6):
            for mail in MAILS:
                self.send(mail, "answered", 0)
            self.wait(31)
            self.reconcile()

    def send(self, mail: int, outcome: str, delay: int) -> None:
        """A worker takes the mail, if it is planned, and what the wire makes of it."""
        self.serial += 1
        attempt = f"{mail}-{self.serial}"
        with self.engine.begin() as connection:
            row = message.c.id == mail
            waiting = row & message.c.state.in_(["planned", "claimed"])
            if mail == 3 and self.minute >= EXPIRES:
                late = {"state": "suppressed", "reason": "expired"}
                connection.execute(update(message).where(waiting).values(late))
                return
            intent = {"state": "sending", "attempt_id": attempt, "owner": "w", "intent_at": database_now()}
            again = {"negatives": 0, "asked_at": None, "sent_at": NIGHT, "attempts": 1}
            done = connection.execute(update(message).where(waiting).values(intent | again).returning(message.c.id))
            if done.first() is None:
                return
            answers = {"answered": "accepted", "broken": "unknown", "later": "planned", "refused": "failed"}
            if outcome in answers:
                why = "refused" if outcome == "refused" else None
                connection.execute(update(message).where(row).values(state=answers[outcome], reason=why, owner=None))
        if outcome in ("answered", "broken", "killed"):
            self.taken[attempt] = (mail, self.minute + (0 if outcome == "answered" else delay))
        if outcome == "killed":
            self.alive[mail] = attempt

    def claim(self, mail: int) -> None:
        """Somebody holds it when news comes."""
        with self.engine.begin() as connection:
            mine = (message.c.id == mail, message.c.state == MessageState.PLANNED)
            connection.execute(update(message).where(*mine).values(state="claimed", owner="w"))

    def answer(self, mail: int) -> None:
        """The worker lived after all, and writes down what it heard."""
        attempt = self.alive.get(mail)
        if attempt is not None and self.taken[attempt][1] <= self.minute:
            with self.engine.begin() as connection:
                mine = (message.c.attempt_id == attempt, message.c.state == MessageState.SENDING)
                connection.execute(update(message).where(*mine).values(state="accepted", owner=None))

    def wait(self, minutes: int) -> None:
        """Time passes."""
        self.minute += minutes
        pass_minutes(self.engine, minutes)

    def news(self, mail: int) -> None:
        """The provider posts what it knows of the mail."""
        attempts = [attempt for attempt, (of, at) in self.taken.items() if of == mail and at <= self.minute]
        events = [delivered(attempt, f"sg-{attempt}.f") for attempt in attempts]
        row = {"kind": "sendgrid", "received_at": database_now(), "body": json.dumps(events).encode()}
        with self.engine.begin() as connection:
            connection.execute(insert(intake).values(row))

    def blind(self, minutes: int) -> None:
        """The log does not see its newest mails, once."""
        if not self.was_blind:
            self.was_blind, self.blind_until = True, self.minute + minutes

    def reach(self, yes: bool) -> None:
        """Whether the log answers at all."""
        self.reachable = yes

    def find(self, asked: Sequence[Asked]) -> Mapping[str, str]:
        """What the log answers."""
        if not self.reachable:
            raise ProviderError
        if self.minute < self.blind_until:
            return {}
        seen = self.minute - self.lag // timedelta(minutes=1)
        wanted = {one.attempt_id for one in asked}
        return {
            attempt: f"sg-{attempt}" for attempt, (_mail, at) in self.taken.items() if at <= seen and attempt in wanted
        }

    def reconcile(self) -> None:
        """Upkeep comes by."""
        at = NIGHT + timedelta(minutes=self.minute)
        reconciling.reconcile_messages(self.engine, book(grace=self.grace), at, log=self)

    def twice(self) -> list[int]:
        """The mails that the provider has taken more than once."""
        often = Counter(mail for mail, _at in self.taken.values())
        return [mail for mail in MAILS if often[mail] > 1]

    def ends(self) -> dict[int, str]:
        """The state of each mail."""
        with Session(self.engine) as session:
            return {row.id: row.state for row in session.execute(select(message.c.id, message.c.state))}


@pytest.fixture
def mails(engine: Engine, session: Session) -> Engine:
    for mail in MAILS:
        add_message(session, mail, expires_at=NIGHT + timedelta(minutes=EXPIRES if mail == 3 else 100_000))
    session.commit()
    return engine


_mail = st.sampled_from(MAILS)
_outcome = st.sampled_from(["answered", "broken", "killed", "killed", "lost", "later", "refused"])
STEP: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("send"), _mail, _outcome, st.integers(0, 3)),
    st.tuples(st.just("wait"), st.sampled_from([1, 5, 11, 16, 31])),
    st.tuples(st.just("reconcile")),
    st.tuples(st.just("claim"), _mail),
    st.tuples(st.just("answer"), _mail),
    st.tuples(st.just("news"), _mail),
    st.tuples(st.just("blind"), st.sampled_from([5, 25])),
    st.tuples(st.just("reach"), st.booleans()),
)

KILLED: Step = ("send", 1, "killed", 3)
#: Asked once while the log is blind, and once when it sees.
BLIND: list[Step] = [KILLED, ("wait", 16), ("blind", 25), ("reconcile",), ("wait", 31), ("reconcile",)]
#: Asked before the mail could be in the log, and again while the log is blind.
EARLY: list[Step] = [KILLED, ("wait", 6), ("reconcile",), ("wait", 31), ("blind", 25), ("reconcile",)]


@given(steps=st.lists(STEP, min_size=4, max_size=14))
@example(steps=BLIND)
@example(steps=EARLY)
def test_every_mail_ends_once_and_none_leaves_twice(mails: Engine, steps: list[Step]) -> None:
    world = World(mails)
    world.live(steps)
    assert world.twice() == []
    arrived = {mail for mail, _at in world.taken.values()}
    for mail, state in world.ends().items():
        assert state in (["accepted"] if mail in arrived else ["failed", "suppressed"]), (mail, state)


def _one_no_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile_rows, "NEGATIVES", 1)


def _two_noes_at_once_are_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile_rows, "APART", 0)


def _grace_shorter_than_the_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciling, "refuse_short_grace", lambda *_any: None)


MUTANTS = {
    "one no is enough": (_one_no_is_enough, 15, BLIND),
    "two noes at once are two": (_two_noes_at_once_are_two, 15, [*BLIND[:4], ("reconcile",)]),
    "grace shorter than the lag": (_grace_shorter_than_the_lag, 5, EARLY),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_whoever_believes_the_log_too_soon_is_caught(
    mails: Engine, monkeypatch: pytest.MonkeyPatch, mutant: str
) -> None:
    mutate, grace, steps = MUTANTS[mutant]
    sound = World(mails)
    sound.live(steps)
    assert sound.twice() == []
    mutate(monkeypatch)
    world = World(mails, grace=grace)
    world.live(steps)
    assert world.twice() == [1]
