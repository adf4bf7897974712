"""Deliver's statements: who holds a message, what became of it, what is left. Each update is fenced."""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Dialect,
    Integer,
    Select,
    Update,
    and_,
    any_,
    bindparam,
    case,
    cast,
    func,
    null,
    or_,
    select,
    true,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from leadflow.db import database_now
from leadflow.eligibility import held
from leadflow.models import message
from leadflow.pipeline.scope import in_scope
from leadflow.types import IN_FLIGHT, MINUTE, MessageState, Reason, Scope, micros

#: How long a claim holds before somebody else may take the message; a message in `sending` has no lease.
LEASE = 10 * MINUTE

#: Names of parameters: whose claim it is, the messages in it, how many at most.
WHOSE, IDS, MOST = "whose", "ids", "most"

ENDED = (message.c.id, message.c.state, message.c.reason, message.c.send_at)


def is_one_of(ids: ColumnElement[Any], dialect: Dialect) -> ColumnElement[bool]:
    """Whether a message is one of `ids`, a parameter made by `ids_for`."""
    if dialect.name == "sqlite":
        return message.c.id.in_(select(func.json_each(ids).table_valued("value").c.value))
    return message.c.id == any_(cast(ids, ARRAY(BigInteger)))


def is_claimed() -> ColumnElement[bool]:
    """Whether a message that was found by its id is claimed.

    As an expression, which no index answers: on PostgreSQL an index by state leads through all messages that were
    claimed before, until they are vacuumed away.
    """
    return message.c.state + "" == MessageState.CLAIMED.value


def ids_for(dialect: Dialect, ids: Sequence[int]) -> object:
    """The value of parameter IDS."""
    return json.dumps(list(ids)) if dialect.name == "sqlite" else list(ids)


def release_lapsed(scope: Scope) -> Update:
    """Claimed messages whose lease lapsed are planned again: their worker died before the intent."""
    return (
        update(message)
        .where(message.c.state == MessageState.CLAIMED, message.c.lease_until < database_now())
        .where(in_scope(message.c.lead_id, scope))
        .values(state=MessageState.PLANNED, owner=None, lease_until=None)
        .returning(message.c.id)
    )


def expire_overdue(now: datetime, scope: Scope) -> Update:
    """Planned messages past their expiry are suppressed: stale mail is worse than none."""
    return (
        update(message)
        .where(message.c.state == MessageState.PLANNED, message.c.expires_at <= micros(now))
        .where(in_scope(message.c.lead_id, scope))
        .values(state=MessageState.SUPPRESSED, reason=Reason.EXPIRED)
        .returning(*ENDED)
    )


def claim_due(now: datetime, scope: Scope, only: ColumnElement[bool] | None = None) -> Update:
    """The next MOST planned messages due at `now` (and `only` those) become WHOSE; others' rows are passed over.

    A night that the brake holds is not due, whatever the hour: its hold was committed with its plan.
    """
    return _claim_any(now, scope) if only is None else _claim(now, scope, only)


def _claim(now: datetime, scope: Scope, only: ColumnElement[bool]) -> Update:
    due = (
        select(message.c.id)
        .where(message.c.state == MessageState.PLANNED, message.c.send_at <= micros(now))
        .where(in_scope(message.c.lead_id, scope), ~held(message.c.planned_at), only)
        .order_by(message.c.send_at, message.c.id)
        .limit(bindparam(MOST, type_=Integer))
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    return (
        update(message)
        .where(message.c.id.in_(select(due.c.id)))
        .values(state=MessageState.CLAIMED, owner=bindparam(WHOSE), lease_until=database_now() + LEASE)
        .returning(message.c.id)
    )


@lru_cache(maxsize=4)
def _claim_any(now: datetime, scope: Scope) -> Update:
    # To put the statement together takes as long as to execute it.
    return _claim(now, scope, true())


def give_back(owner: str, ids: Sequence[int]) -> Update:
    """Messages that `owner` took and of which not a byte has left are planned as they were."""
    intended = message.c.state == MessageState.SENDING
    return (
        update(message)
        .where(message.c.id.in_(ids), message.c.owner == owner)
        .where(message.c.state.in_([MessageState.CLAIMED, MessageState.SENDING]))
        .values(
            state=MessageState.PLANNED,
            owner=None,
            lease_until=None,
            attempts=message.c.attempts - case((intended, 1), else_=0),
            sent_at=case((intended, null()), else_=message.c.sent_at),
        )
    )


def _due(now: datetime, scope: Scope) -> ColumnElement[bool]:
    return and_(message.c.send_at <= micros(now), in_scope(message.c.lead_id, scope), ~held(message.c.planned_at))


def count_due(now: datetime, scope: Scope, most: int) -> Select[Any]:
    """How many messages may be claimed at `now`, counted up to `most`."""
    some = select(message.c.id).where(message.c.state == MessageState.PLANNED, _due(now, scope)).limit(most)
    return select(func.count()).select_from(some.subquery())


def count_waiting(now: datetime, scope: Scope, since: int) -> Select[Any]:
    """How many messages are due at `now` and in no final state, with those put off for a later attempt after `since`.

    `since` is on the database's clock. One whose window has shut is not due.
    """
    begun = and_(type_coerce(message.c.intent_at, BigInteger) >= since, in_scope(message.c.lead_id, scope))
    put_off = and_(message.c.state == MessageState.PLANNED, message.c.attempts > 0, begun)
    return select(func.count()).where(message.c.state.in_(IN_FLIGHT), or_(_due(now, scope), put_off))


def fail_unsent(session: Session, owner: str, failed: Sequence[tuple[int, Reason, str]]) -> None:
    """Claimed messages that cannot be written fail alone, each with its reason."""
    if not failed:
        return
    statement = (
        update(message)
        .where(message.c.id == bindparam("of"), is_claimed(), message.c.owner == owner)
        .values(
            state=MessageState.FAILED,
            reason=bindparam("because"),
            note=bindparam("said"),
            owner=None,
            lease_until=None,
        )
    )
    session.connection().execute(statement, [{"of": i, "because": why, "said": said} for i, why, said in failed])


def note_versions(session: Session, owner: str, texts: Sequence[tuple[int, str, str]]) -> None:
    """Messages planned with an older text say which version and variant goes out; the decision keeps the older."""
    if not texts:
        return
    statement = (
        update(message)
        .where(message.c.id == bindparam("of"), message.c.owner == owner)
        .values(version=bindparam("text"), variant=bindparam("drawn"))
    )
    told = [{"of": of, "text": text, "drawn": drawn or None} for of, text, drawn in texts]
    session.connection().execute(statement, told)
