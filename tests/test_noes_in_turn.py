"""People say no between the steps of a delivery: before a claim, between claim and intent, between intent and wire."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine, null
from sqlalchemy.event import listen
from sqlalchemy.orm import Session

from leadflow.db import make_engine
from leadflow.esp.memory import MemoryProvider
from leadflow.pipeline import deliver_intent
from leadflow.pipeline.deliver import deliver_messages
from leadflow.pipeline.deliver_claims import Claimed, Claims, Intended
from leadflow.playbook.model import Playbook
from tests.build import NIGHT
from tests.noes import KEY, address, fill, way_of
from tests.pipeline.mails import mail_playbook
from tests.soak import SOAK

#: Rounds of so many people each: every one of them says no at some moment of their own mail.
ROUNDS, PEOPLE = (60, 1_500) if SOAK else (1, 600)


@dataclass(slots=True)
class Night:
    """One delivery, and the noes that come between its steps."""

    engine: Engine
    book: Playbook
    chance: random.Random
    #: Who has not said no yet; who has, in the order of their commits.
    left: set[int]
    said: list[int] = field(default_factory=list)
    #: Whose intents were committed after their no, and before it.
    wrong: list[int] = field(default_factory=list)
    in_time: list[int] = field(default_factory=list)

    def say(self, some: Sequence[int], share: float) -> None:
        """A share of these say no, each in a transaction of their own."""
        for one in some:
            if one in self.left and self.chance.random() < share:
                self.left.remove(one)
                with Session(self.engine) as session, session.begin():
                    way_of(one)(session, self.book, one)
                self.said.append(one)

    def intend(self, real: Any, claims: Claims, claimed: Claimed, at: datetime) -> Intended:
        """The step itself, with people around it."""
        ids = [row.id for row in claimed.rows]
        self.say(self.chance.sample(sorted(self.left), min(6, len(self.left))), 1)
        self.say(ids, 0.4)
        said = set(self.said)
        found: Intended = real(claims, claimed, at)
        going = [row.id for row, _mail in found.going]
        self.wrong += [one for one in going if one in said]
        self.in_time += [one for one in going if one not in said]
        self.say(going, 0.4)
        return found


def lived(engine: Engine, people: int, seed: int, monkeypatch: pytest.MonkeyPatch) -> tuple[Night, MemoryProvider]:
    """One night, after which everybody has said no."""
    fill(engine, people)
    night = Night(engine, mail_playbook(), random.Random(seed), set(range(1, people + 1)))
    provider, real = MemoryProvider(), Claims.intend
    with monkeypatch.context() as patched:
        patched.setattr(Claims, "intend", lambda claims, *told: night.intend(real, claims, *told))
        deliver_messages(
            engine, night.book, NIGHT, provider=provider, key=KEY, public_url="https://x.example", batch=20
        )
    night.say(sorted(night.left), 1)
    return night, provider


def quick(url: str) -> Engine:
    """The database at `url`, which does not wait for the disk."""
    engine = make_engine(url)
    listen(engine, "connect", lambda connection, _record: connection.execute("PRAGMA synchronous=OFF"))
    return engine


@pytest.mark.soak
@pytest.mark.no_cover
def test_whenever_a_no_comes_its_mail_has_left_already_or_never_does(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = quick(sqlite_url)
    for turn in range(ROUNDS):
        night, provider = lived(engine, PEOPLE, turn, monkeypatch)
        assert night.wrong == []
        # Some were in time, most were not; and nobody was written to twice.
        assert 0 < len(night.in_time) < PEOPLE
        assert sorted(mail.to for mail in provider.sent) == sorted(map(address, night.in_time))
    engine.dispose()


def test_an_intent_that_asks_nobody_is_found_out(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = quick(sqlite_url)
    monkeypatch.setattr(deliver_intent, "blocked_because", lambda _now: null())
    deliver_intent.intend.cache_clear()
    night, _provider = lived(engine, 60, 1, monkeypatch)
    # No statement of this test is to serve the next.
    deliver_intent.intend.cache_clear()
    engine.dispose()
    assert night.wrong != []
