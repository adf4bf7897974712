"""What is where in the outbox, and why: every message of it in exactly one line. Nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Row, Select, and_, case, func, literal, or_, select, type_coerce
from sqlalchemy.orm import Session

from leadflow.db import Instant, database_now
from leadflow.eligibility import held, paused
from leadflow.models import breaker, identity, message
from leadflow.playbook.model import Playbook
from leadflow.types import DAY, HOUR, IN_FLIGHT, MessageState, micros

#: Ended messages are counted back so far; what has not ended, whatever its age.
LOOKED_BACK = 30 * DAY
_HOURS = 12
_OPEN = (*IN_FLIGHT, MessageState.UNKNOWN)
#: What is told first of a state, before what is most.
_FIRST = ("overdue", "gone", "due")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Messages of one state that have the same cause."""

    state: MessageState
    #: A `Reason` of the message, else one of: due, later, again, held, late, worker, gone, way, overdue, and of what
    #: was accepted the word of `delivery`, '' without news.
    why: str
    n: int
    #: The earliest instant they were to leave at.
    oldest: datetime
    #: Purpose → how many.
    streams: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """An hour of the office's clock: what was accepted in it, and what is planned for it."""

    at: datetime
    accepted: int
    planned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """All messages, counted."""

    lines: tuple[Line, ...]
    hours: tuple[Hour, ...]
    #: The provider's breaker, where it is open.
    outage: Row[Any] | None = None

    def total(self, state: MessageState) -> int:
        """How many are in `state`."""
        return sum(line.n for line in self.lines if line.state is state)

    @property
    def oldest_due(self) -> datetime | None:
        """When the message was to leave that has waited longest, held and paused ones apart."""
        return min((line.oldest for line in self.lines if line.why in ("due", "gone", "overdue")), default=None)


def outbox(session: Session, playbook: Playbook, now: datetime, *, provider: str) -> Outbox:
    """The outbox as of `now`."""
    found: dict[tuple[MessageState, str], list[Row[Any]]] = {}
    for row in session.execute(_counted(playbook.delivery.grace, now)):
        found.setdefault((MessageState(row.state), row.why), []).append(row)
    lines = [_line(state, why, rows) for (state, why), rows in found.items()]
    open_ = breaker.c.opened_at.is_not(None)
    return Outbox(
        lines=tuple(sorted(lines, key=_turn)),
        hours=_hours(session, now),
        outage=session.execute(select(breaker).where(breaker.c.provider == provider, open_)).one_or_none(),
    )


def _line(state: MessageState, why: str, rows: Sequence[Row[Any]]) -> Line:
    return Line(
        state=state,
        why=why,
        n=sum(row.n for row in rows),
        oldest=min(row.oldest for row in rows),
        streams={row.purpose: row.n for row in rows},
    )


def _turn(line: Line) -> tuple[int, bool, int, str]:
    return list(MessageState).index(line.state), line.why not in _FIRST, -line.n, line.why


def _counted(grace: int, now: datetime) -> Select[Any]:
    why = why_of(grace, now).label("why")
    recent = or_(message.c.state.in_(_OPEN), message.c.planned_at > micros(now) - LOOKED_BACK)
    oldest = type_coerce(func.min(message.c.send_at), Instant()).label("oldest")
    return (
        select(message.c.state, why, message.c.purpose, func.count().label("n"), oldest)
        .where(recent)
        .group_by(message.c.state, why, message.c.purpose)
    )


def why_of(grace: int, now: datetime) -> ColumnElement[str]:
    """Why a message is in its state, as one word."""
    intent = func.coalesce(type_coerce(message.c.intent_at, BigInteger), type_coerce(message.c.sent_at, BigInteger), 0)
    stopped = paused(sequence=message.c.sequence, email=message.c.email, stream=message.c.purpose)
    due = message.c.send_at <= micros(now)
    state = message.c.state
    return case(
        (and_(state == MessageState.PLANNED, held(message.c.planned_at)), literal("held")),
        (and_(state == MessageState.PLANNED, stopped), literal("paused")),
        (and_(state == MessageState.PLANNED, message.c.expires_at <= micros(now)), literal("late")),
        (and_(state == MessageState.PLANNED, due), literal("due")),
        (and_(state == MessageState.PLANNED, message.c.attempts > 0), literal("again")),
        (state == MessageState.PLANNED, literal("later")),
        (and_(state == MessageState.CLAIMED, message.c.lease_until < database_now()), literal("gone")),
        (state == MessageState.CLAIMED, literal("worker")),
        (and_(state == MessageState.SENDING, intent + grace <= database_now()), literal("overdue")),
        (state == MessageState.SENDING, literal("way")),
        (state == MessageState.ACCEPTED, func.coalesce(message.c.delivery, "")),
        else_=func.coalesce(message.c.reason, ""),
    )


def _hours(session: Session, now: datetime) -> tuple[Hour, ...]:
    """The hours before and after `now` in which anything left or is to leave."""
    top = micros(now.replace(minute=0, second=0, microsecond=0))
    since, until = top - (_HOURS - 1) * HOUR, top + _HOURS * HOUR
    left = _by_hour(session, message.c.sent_at, since, until, MessageState.ACCEPTED)
    planned = _by_hour(session, message.c.send_at, since, until, MessageState.PLANNED)
    first = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=_HOURS - 1)
    return tuple(
        Hour(at=first + timedelta(hours=n), accepted=left.get(n, 0), planned=planned.get(n, 0))
        for n in range(2 * _HOURS)
        if n in left or n in planned
    )


def _by_hour(
    session: Session, column: ColumnElement[Any], since: int, until: int, state: MessageState
) -> Mapping[int, int]:
    at = type_coerce(column, BigInteger)
    hour = ((at - since) // HOUR).label("hour")
    counted = select(hour, func.count()).where(message.c.state == state, at >= since, at < until).group_by(hour)
    return {int(row[0]): int(row[1]) for row in session.execute(counted)}


def listed(
    session: Session, playbook: Playbook, now: datetime, state: MessageState, *, limit: int
) -> Sequence[Row[Any]]:
    """The messages of one state, the longest waiting first: `why` as in the counts, and the address for who asks."""
    columns = (message.c.id, message.c.lead_id, message.c.email, message.c.sequence, message.c.step, message.c.send_at)
    attempt = (message.c.attempts, message.c.negatives, message.c.provider_id, message.c.note)
    newest_first = state not in _OPEN
    order = message.c.send_at.desc() if newest_first else message.c.send_at
    query = (
        select(*columns, *attempt, why_of(playbook.delivery.grace, now).label("why"), identity.c.value.label("address"))
        .join(identity, identity.c.id == message.c.address_id)
        .where(message.c.state == state)
        .order_by(order, message.c.id)
    )
    return session.execute(query.limit(limit)).all()
