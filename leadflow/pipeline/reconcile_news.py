"""The provider's own news of attempts nobody can speak for, from POSTs that no sweep has read yet.

A sweep reads all news once a night; a mail in doubt does not wait for it. Nothing is marked as read here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Row, Select, and_, func, or_, select, type_coerce
from sqlalchemy.orm import Session

from leadflow.db import database_now
from leadflow.errors import InputError
from leadflow.intake.sendgrid import normalise
from leadflow.models import intake, message
from leadflow.pipeline.reconcile_rows import NOT_REPLACED, UNSETTLED, intended
from leadflow.types import HOUR, MINUTE, MessageState

SOURCE = "sendgrid"
#: A worker that lives has answered by then; until then its own word comes first.
_ALIVE = 5 * MINUTE
#: Read at a time: a POST may have megabytes.
_POSTS = 20
#: At most so many attempts in doubt are looked for at once.
_MOST = 10_000
#: POSTs are dated by the clock of the machine that received them.
_CLOCKS_DIFFER = HOUR
_ATTEMPT = re.compile(rb'"lf_attempt"\s*:\s*"([^"\\]+)"')


def news_of_doubtful(session: Session) -> Mapping[str, str]:
    """Attempt → the provider's id, of those in doubt that stored news proves to have arrived."""
    doubtful = session.execute(_doubtful()).all()
    if not doubtful:
        return {}
    attempts = {row.attempt_id for row in doubtful}
    found: dict[str, str] = {}
    for posts in _posts(session, min(row.intent for row in doubtful) - _CLOCKS_DIFFER):
        for post in posts:
            if attempts.intersection(name.decode() for name in _ATTEMPT.findall(post.body)):
                found |= _told(post.body, attempts)
    return found


def _doubtful() -> Select[Any]:
    """Attempts whose answer is overdue or was never heard, and those given up that may prove us wrong yet."""
    given_up = and_(message.c.state.in_([MessageState.PLANNED, MessageState.CLAIMED]), message.c.negatives > 0)
    return (
        select(message.c.attempt_id, type_coerce(intended, BigInteger).label("intent"))
        .where(message.c.attempt_id.is_not(None), message.c.state.in_(NOT_REPLACED))
        .where(or_(message.c.state.in_(UNSETTLED), given_up), intended + _ALIVE <= database_now())
        .order_by(intended.desc())
        .limit(_MOST)
    )


def _posts(session: Session, since: int) -> Iterator[Sequence[Row[Any]]]:
    last = 0
    while rows := session.execute(_waiting(since, last)).all():
        yield rows
        last = rows[-1].id


def _waiting(since: int, after: int) -> Select[Any]:
    received = type_coerce(intake.c.received_at, BigInteger)
    return (
        select(intake.c.id, intake.c.body)
        .where(intake.c.kind == SOURCE, intake.c.processed_at.is_(None))
        .where(received >= since, intake.c.id > after, func.length(intake.c.body) > 0)
        .order_by(intake.c.id)
        .limit(_POSTS)
    )


def _told(body: bytes, attempts: set[str]) -> Mapping[str, str]:
    try:
        events = normalise(body)
    except InputError:
        # The sweep that reads it says so.
        return {}
    return {event.attempt_id: event.provider_id or "" for event in events if event.attempt_id in attempts}
