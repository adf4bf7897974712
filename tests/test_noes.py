"""People say no on other connections while their mails leave: no intent is committed after a no has been."""

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from leadflow.db import make_engine
from leadflow.db.turns import NOES
from leadflow.esp.memory import MemoryProvider
from leadflow.links import address_hash
from leadflow.models import message
from leadflow.models.schema import create_schema
from leadflow.pipeline import deliver_claims
from leadflow.pipeline.deliver import deliver_messages
from tests.build import NIGHT
from tests.noes import KEY, address, fill, way_of
from tests.pipeline.mails import mail_playbook
from tests.postgres import running_postgres
from tests.soak import SOAK

FEW = 400
#: People whose no meets their mail.
PEOPLE = 12_000 if SOAK else FEW
_SAYING, _SENDING = 3, 2
_CLAIMED = select(message.c.id).where(message.c.state == "claimed")


@pytest.fixture(scope="module")
def noted() -> Iterator[Engine]:
    """A PostgreSQL server of its own that notes when each transaction was committed, and which one each intent was."""
    with running_postgres(options=("track_commit_timestamp=on",)) as server:
        server.create("noes")
        engine = make_engine(server.url("noes"))
        create_schema(engine)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE intended (address_hash text)"))
            # By the address: a person who is erased takes their mails along.
            hashed = "INSERT INTO intended SELECT hash FROM identity WHERE id = NEW.address_id"
            body = f"$$ BEGIN {hashed}; RETURN NEW; END $$"
            connection.execute(text(f"CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS {body}"))
            connection.execute(
                text(
                    "CREATE TRIGGER intended AFTER UPDATE ON message FOR EACH ROW "
                    "WHEN (NEW.state = 'sending' AND OLD.state <> 'sending') EXECUTE FUNCTION note()"
                )
            )
        yield engine
        engine.dispose()


def live(engine: Engine, people: int) -> None:
    """Everybody's mail is due; senders and those who say no begin together."""
    fill(engine, people)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM intended"))
    ids, book = range(1, people + 1), mail_playbook()
    together = threading.Barrier(_SAYING + _SENDING)

    def say(share: int) -> None:
        drawn, left = random.Random(share), set(ids[share::_SAYING])
        together.wait()
        while left:
            # Those whose mails are about to leave, where there are any: the two are to meet.
            with engine.connect() as connection:
                close = left & set(connection.scalars(_CLAIMED))
            one = drawn.choice(sorted(close or left))
            left.remove(one)
            with Session(engine) as session, session.begin():
                way_of(one)(session, book, one)

    def send(_share: int) -> None:
        together.wait()
        deliver_messages(
            engine, book, NIGHT, provider=MemoryProvider(), key=KEY, public_url="https://x.example", batch=20
        )

    with ThreadPoolExecutor(_SAYING + _SENDING) as pool:
        doing = [pool.submit(say, share) for share in range(_SAYING)]
        doing += [pool.submit(send, share) for share in range(_SENDING)]
        for one in doing:
            one.result()


def committed(engine: Engine, people: int) -> dict[str, int]:
    """How many intents were committed before the no of their address, and how many after."""
    statement = """
        SELECT count(*) FILTER (WHERE pg_xact_commit_timestamp(i.xmin) < pg_xact_commit_timestamp(s.xmin)) AS before,
               count(*) FILTER (WHERE pg_xact_commit_timestamp(i.xmin) >= pg_xact_commit_timestamp(s.xmin)) AS after,
               (SELECT count(*) FROM suppression WHERE address_hash = ANY(:people)) AS noes
        FROM intended i JOIN suppression s ON s.address_hash = i.address_hash"""
    hashes = [address_hash(KEY, address(one)) for one in range(1, people + 1)]
    with engine.connect() as connection:
        return dict(connection.execute(text(statement), {"people": hashes}).mappings().one())


def test_no_intent_is_committed_after_a_no(noted: Engine) -> None:
    live(noted, PEOPLE)
    found = committed(noted, PEOPLE)
    assert (found["noes"], found["after"]) == (PEOPLE, 0)
    # The two did meet: some were in time, some too late.
    assert 0 < found["before"] < PEOPLE


def test_without_taking_turns_a_no_is_not_heard(noted: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def at_once(_session: Session, turn: int) -> None:
        assert turn == NOES

    def slowly(*_: Any) -> None:
        time.sleep(0.03)

    monkeypatch.setattr(deliver_claims, "go_together", at_once)
    # As on a busy disk: between an intent and its commit.
    monkeypatch.setattr(deliver_claims.Claims, "_note_suppressed", slowly)
    live(noted, FEW)
    assert committed(noted, FEW)["after"] > 0
