"""Answers kept for a day by the Idempotency-Key of their request, so that one told twice is taken in once."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, tuple_, update
from sqlalchemy.orm import Session

from leadflow.db import insert_into
from leadflow.models import answered
from leadflow.types import DAY, micros

#: Old answers taken out with each new one: none stays for long, and no request pays for many.
_AT_ONCE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked, by whom."""

    #: Name of the API key.
    api_key: str
    #: What the client calls this request.
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was answered."""

    status: int
    body: bytes
    #: Whether it answered this very request; otherwise its key was used for another one.
    is_same: bool = True


def fingerprint_of(door: str, body: bytes) -> str:
    """What tells one request from another."""
    return hashlib.sha256(door.encode() + b"\n" + body).hexdigest()


def answer_of(session: Session, request: Request, now: datetime) -> Answer | None:
    """The answer given in the last day to a request of that key; None when this one is the first.

    The first takes the key in its transaction: another with the same key waits until that has ended.
    """
    _forget_old(session, now)
    place = {"api_key": request.api_key, "key": request.key}
    row = {**place, "fingerprint": request.fingerprint, "at": micros(now), "status": 0, "body": b""}
    taking = insert_into(session, answered).values(row)
    new = {name: taking.excluded[name] for name in ("fingerprint", "at", "status", "body")}
    gone = answered.c.at < micros(now) - DAY
    taken = taking.on_conflict_do_update(index_elements=list(place), set_=new, where=gone).returning(answered.c.key)
    if session.scalar(taken) is not None:
        return None
    known = select(answered).where(answered.c.api_key == request.api_key, answered.c.key == request.key)
    found = session.execute(known).one()
    return Answer(status=found.status, body=found.body, is_same=found.fingerprint == request.fingerprint)


def keep_answer(session: Session, request: Request, answer: Answer) -> None:
    """Keep what is answered to a request whose key `answer_of` took."""
    mine = (answered.c.api_key == request.api_key) & (answered.c.key == request.key)
    session.execute(update(answered).where(mine).values(status=answer.status, body=answer.body))


def _forget_old(session: Session, now: datetime) -> None:
    """DELETE answered: a few of those older than a day."""
    place = tuple_(answered.c.api_key, answered.c.key)
    old = select(answered.c.api_key, answered.c.key).where(answered.c.at < micros(now) - DAY)
    session.execute(delete(answered).where(place.in_(old.limit(_AT_ONCE).with_for_update(skip_locked=True))))
