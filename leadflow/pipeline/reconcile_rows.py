"""Reconciliation's statements: which attempts nobody can speak for, and how each one is settled. Every one is fenced.

Grace and the time between two questions are measured on the database's clock, which all workers share.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    Select,
    Update,
    and_,
    bindparam,
    case,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from leadflow.db import database_now, greatest, json_object
from leadflow.models import identity, message
from leadflow.pipeline.decisions import record_decisions, subject_of
from leadflow.playbook.model import Playbook
from leadflow.types import DAY, IN_FLIGHT, MINUTE, MessageState, Reason

#: A log that says no twice, so far apart, is believed.
NEGATIVES = 2
APART = 30 * MINUTE
#: Logs forget (SendGrid's after 30 days): what is older stays unknown.
REMEMBERED = 25 * DAY
#: Attempts settled at a time.
BATCH = 1_000

UNSETTLED = (MessageState.SENDING, MessageState.UNKNOWN)
#: Evidence that the provider has an attempt counts as long as no other attempt took its place.
NOT_REPLACED = (*UNSETTLED, MessageState.PLANNED, MessageState.CLAIMED)

#: A row from before intents were dated by the database has the instant of its run.
intended = func.coalesce(type_coerce(message.c.intent_at, BigInteger), type_coerce(message.c.sent_at, BigInteger), 0)
_asked = type_coerce(message.c.asked_at, BigInteger)


def overdue(grace: int) -> ColumnElement[bool]:
    """Attempts whose grace has passed without an answer."""
    return and_(
        message.c.state.in_(UNSETTLED),
        message.c.attempt_id.is_not(None),
        intended + grace <= database_now(),
    )


def negatives(grace: int) -> ColumnElement[int]:
    """How often the log has said no of this attempt; what it said before the grace had passed says nothing."""
    return case((_asked >= intended + grace, message.c.negatives), else_=literal(0))


def to_ask(grace: int) -> Select[Any]:
    """Attempts to ask the provider's log about now, oldest first; `seen` is the database's clock."""
    again = or_(negatives(grace) == 0, _asked + APART <= database_now())
    return (
        select(message.c.id, message.c.attempt_id, identity.c.value.label("address"))
        .add_columns(type_coerce(intended, BigInteger).label("intent"), database_now().label("seen"))
        .join(identity, identity.c.id == message.c.address_id)
        .where(overdue(grace), intended > database_now() - REMEMBERED)
        .where(negatives(grace) < NEGATIVES, again)
        .order_by(intended, message.c.id)
        .limit(BATCH)
    )


def locked(attempts: Sequence[str], states: Sequence[MessageState]) -> Select[Any]:
    """Those of `attempts` still in one of `states`; rows that somebody else is settling are passed over."""
    return (
        select(message.c.id, message.c.attempt_id, message.c.state)
        .where(message.c.attempt_id.in_(attempts), message.c.state.in_(states))
        .order_by(message.c.id)
        .with_for_update(skip_locked=True)
    )


def accept(session: Session, found: Mapping[str, str], states: Sequence[MessageState]) -> list[int]:
    """The provider has these attempts (attempt → its id); the ids of the messages this settled."""
    rows = session.execute(locked(list(found), states)).all()
    statement = (
        update(message)
        .where(message.c.id == bindparam("of"), message.c.attempt_id == bindparam("attempt"))
        # Spelt out: a list of unknown length cannot go with many rows of values.
        .where(or_(*(message.c.state == state for state in states)))
        .values(
            state=MessageState.ACCEPTED,
            reason=None,
            provider_id=func.coalesce(func.nullif(bindparam("theirs"), ""), message.c.provider_id),
            # A message that was planned again has lost the time it left at.
            sent_at=func.coalesce(type_coerce(message.c.sent_at, BigInteger), intended),
            owner=None,
            lease_until=None,
        )
    )
    values = [{"of": row.id, "attempt": row.attempt_id, "theirs": found[row.attempt_id]} for row in rows]
    if values:
        session.connection().execute(statement, values)
    return [row.id for row in rows]


def note_negatives(attempts: Collection[str], grace: int, seen: int) -> Update:
    """The log, asked at `seen`, knows nothing of these; whoever asked meanwhile has the word.

    Of two who asked at the same time the second finds `asked_at` moved on: two answers to one question are one.
    """
    due = or_(negatives(grace) == 0, _asked + APART <= seen)
    return (
        update(message)
        .where(message.c.attempt_id.in_(attempts), message.c.state.in_(UNSETTLED))
        .where(intended + grace <= seen, due, or_(_asked.is_(None), _asked <= seen))
        .values(negatives=negatives(grace) + 1, asked_at=database_now())
        .returning(message.c.id, message.c.negatives)
    )


def denied(grace: int) -> Select[Any]:
    """Attempts that the log has denied often enough: they never left."""
    return _settleable().where(overdue(grace), negatives(grace) >= NEGATIVES)


def unanswered(grace: int, again: ColumnElement[bool]) -> Select[Any]:
    """Attempts past their grace where there is no log to ask; an unknown one only where it may go `again`.

    Those held for good would fill the batch, and whatever is younger would never get its turn.
    """
    return _settleable().where(overdue(grace), or_(message.c.state == MessageState.SENDING, again))


def repeatable(now: int, most: int) -> ColumnElement[bool]:
    """Messages worth another attempt at `now` (µs): not expired, and tried less than `most` times."""
    return and_(type_coerce(message.c.expires_at, BigInteger) > now, message.c.attempts < most)


def _settleable() -> Select[Any]:
    attempt = (message.c.id, message.c.attempt_id, message.c.attempts, message.c.state)
    address = (message.c.address_id, message.c.counted)
    return (
        select(*attempt, *address, type_coerce(message.c.expires_at, BigInteger).label("expires"))
        .order_by(intended, message.c.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )


def end(ids: Sequence[int], state: MessageState, reason: Reason, note: str | None = None) -> Update:
    """These get a final state."""
    gone = state != MessageState.UNKNOWN
    return (
        update(message)
        .where(message.c.id.in_(ids), message.c.state.in_(UNSETTLED))
        .values(state=state, reason=reason, lease_until=None, note=func.coalesce(note, message.c.note))
        # What never left does not count against anybody's pressure.
        .values({"owner": None, "sent_at": null()} if gone else {})
    )


def plan_again(playbook: Playbook, attempts: Sequence[str]) -> Update:
    """These may go once more, under a new attempt; the old one stays on the row until then, for news that comes late.

    An address with another counted message in flight is passed over: that one comes first. Caps that others have filled
    meanwhile put it off.
    """
    due = type_coerce(message.c.send_at, BigInteger)
    leaves = case((message.c.counted, free_at(playbook, due)), else_=due)
    other = message.alias("other")
    taken = (
        select(other.c.id)
        .where(other.c.address_id == message.c.address_id, other.c.counted, other.c.state.in_(IN_FLIGHT))
        .where(other.c.id != message.c.id)
    )
    free = or_(~message.c.counted, message.c.state == MessageState.SENDING, ~taken.exists())
    return (
        update(message)
        .where(message.c.attempt_id.in_(attempts), message.c.state.in_(UNSETTLED), free)
        .values(state=MessageState.PLANNED, reason=None, owner=None, lease_until=None, sent_at=null(), send_at=leaves)
        .returning(message.c.id)
    )


def free_at(playbook: Playbook, earliest: ColumnElement[int]) -> ColumnElement[int]:
    """When every cap has room at a message's address, not before `earliest`; the message itself does not count."""
    free = earliest
    for cap in playbook.pressure.caps:
        left = message.alias(f"left_{cap.n}_{cap.span}")
        sent = (
            select(type_coerce(left.c.sent_at, BigInteger))
            .where(left.c.address_id == message.c.address_id, left.c.counted, left.c.id != message.c.id)
            .where(left.c.state.in_([MessageState.ACCEPTED, MessageState.UNKNOWN]), left.c.sent_at.is_not(None))
            .order_by(left.c.sent_at.desc(), left.c.id.desc())
            .offset(cap.n - 1)
            .limit(1)
            .correlate(message)
        )
        free = greatest(free, func.coalesce(sent.scalar_subquery() + cap.span, 0))
    return free


def record(session: Session, playbook: Playbook, now: datetime, ids: Sequence[int], word: str) -> None:
    """What became of an attempt, for whoever asks why."""
    subject = subject_of(func.coalesce(message.c.sequence, ""), func.coalesce(message.c.step, message.c.email))
    detail = json_object(message=message.c.id, attempt=message.c.attempt_id, negatives=message.c.negatives)
    rows = select(
        message.c.lead_id, subject.label("subject"), literal(word).label("reason"), detail.label("detail")
    ).where(message.c.id.in_(ids))
    if ids:
        record_decisions(session, rows, kind="reconcile", now=now, playbook=playbook)


def left_over(session: Session, grace: int) -> Mapping[str, int]:
    """How many attempts are past their grace, by state."""
    count = select(message.c.state, func.count()).where(overdue(grace)).group_by(message.c.state)
    return {row[0]: int(row[1]) for row in session.execute(count)}


def first_of_each_address(rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    """Of several counted messages to one address the oldest: two in flight are one too many."""
    seen: set[int] = set()
    chosen = []
    for row in rows:
        if not row.counted or row.state == MessageState.SENDING or row.address_id not in seen:
            chosen.append(row)
        if row.counted:
            seen.add(row.address_id)
    return chosen
