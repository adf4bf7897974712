"""Attempts in doubt for tests of reconciliation: aged rows, a log that answers as it is told, one reconciliation."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from leadflow.db import database_now
from leadflow.models import decision, intake, message
from leadflow.pipeline.reconcile import reconcile_messages
from leadflow.playbook.model import Delivery, Playbook
from leadflow.ports import Asked, MessageLog
from leadflow.types import MINUTE, micros
from tests.build import NIGHT
from tests.pipeline.mails import add_message, mail_playbook

GRACE = 15
#: Minutes after the intent at which everything is overdue.
LATE = 20


@dataclass
class Log:
    """Knows the attempts in `has`; raises `error` where one is given; keeps what it was asked."""

    has: Mapping[str, str] = field(default_factory=dict)
    error: Exception | None = None
    name: str = "test"
    lag: timedelta = timedelta(minutes=5)
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def find(self, asked: Sequence[Asked]) -> Mapping[str, str]:
        """Those of `asked` it knows."""
        self.asked.append(tuple(one.attempt_id for one in asked))
        if self.error is not None:
            raise self.error
        return {one.attempt_id: self.has[one.attempt_id] for one in asked if one.attempt_id in self.has}


def book(on_unknown: str = "hold", grace: int = GRACE) -> Playbook:
    """A playbook with a grace of so many minutes."""
    return mail_playbook(delivery=Delivery(on_unknown=on_unknown, grace=grace * MINUTE))


def add_doubt(session: Session, number: int, state: str = "sending", *, minutes: int = LATE, **columns: Any) -> str:
    """A message whose attempt `a<number>` had its intent so many minutes ago, on the database's clock."""
    attempt = f"a{number}"
    given = {"attempt_id": attempt, "attempts": 1, "owner": "dead", "sent_at": NIGHT, "state": state}
    add_message(session, number, columns.pop("lead_id", None), **given | columns)
    aged = update(message).where(message.c.id == number)
    session.execute(aged.values(intent_at=database_now() - minutes * MINUTE))
    return attempt


def pass_minutes(engine: Engine, minutes: int) -> None:
    """Let the database's clock go on: everything it dated is so much older."""
    times = {name: message.c[name] - minutes * MINUTE for name in ("intent_at", "asked_at", "lease_until")}
    with engine.begin() as connection:
        connection.execute(update(message).values(times))


def reconcile(
    engine: Engine, log: MessageLog | None = None, *, now: datetime = NIGHT, **parts: Any
) -> Mapping[str, int]:
    """One reconciliation at `now`."""
    return reconcile_messages(engine, book(**parts), now, log=log)


def post(session: Session, *events: Mapping[str, Any], body: bytes | None = None, received_at: Any = None) -> None:
    """A POST of the provider that no sweep has read, come just now on the database's clock."""
    told = body if body is not None else json.dumps(list(events)).encode()
    at = database_now() if received_at is None else received_at
    session.execute(intake.insert().values(kind="sendgrid", received_at=at, body=told))


def delivered(attempt: str, theirs: str = "sg-9.filter-1") -> Mapping[str, Any]:
    """An event of SendGrid about an attempt of ours."""
    at = micros(NIGHT) // 1_000_000
    words = {"event": "delivered", "timestamp": at, "email": "p1@x.example", "sg_event_id": f"e-{attempt}"}
    return {**words, "sg_message_id": theirs, "lf_attempt": attempt}


def told(engine: Engine) -> list[str]:
    """What reconciliation wrote into the record."""
    with Session(engine) as session:
        kinds = (
            select(decision.c.reason).where(decision.c.kind == "reconcile").order_by(decision.c.at, decision.c.lead_id)
        )
        return list(session.scalars(kinds))


def states(engine: Engine, numbers: Iterable[int]) -> list[str]:
    """The states of messages."""
    with Session(engine) as session:
        found = session.execute(select(message.c.id, message.c.state)).all()
    by_id = {row.id: row.state for row in found}
    return [by_id[number] for number in numbers]
