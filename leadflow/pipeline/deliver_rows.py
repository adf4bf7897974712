"""Deliver's statements: who holds a message, what may leave, what became of it. Each update is fenced."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    String,
    Subquery,
    Update,
    bindparam,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from leadflow.db import database_now
from leadflow.eligibility import held
from leadflow.models import enrolment, identity, lead, lead_state, message
from leadflow.pipeline.deliver_checks import blocked_because, window_opens
from leadflow.pipeline.scope import in_scope
from leadflow.playbook.model import Window
from leadflow.types import MINUTE, MessageState, Reason, Scope, micros
from leadflow.windows import calendar_of, next_open, offset_of, whole_width, within_hours

#: How long a claim holds before somebody else may take the message; a message in `sending` has no lease.
LEASE = 10 * MINUTE

_ENDED = (message.c.id, message.c.state, message.c.reason, message.c.send_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one attempt: the values its row gets."""

    id: int
    attempt_id: str
    state: MessageState
    reason: Reason | None = None
    provider_id: str | None = None
    #: When to try again, for a message that is planned again.
    send_at: int
    note: str | None = None


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
        .returning(*_ENDED)
    )


def claim_due(owner: str, now: datetime, scope: Scope, batch: int) -> Update:
    """The next `batch` planned messages due at `now` become ours; rows another worker is taking are passed over.

    A night that the brake holds is not due, whatever the hour: its hold was committed with its plan.
    """
    due = (
        select(message.c.id)
        .where(message.c.state == MessageState.PLANNED, message.c.send_at <= micros(now))
        .where(in_scope(message.c.lead_id, scope), ~held(message.c.planned_at))
        .order_by(message.c.send_at, message.c.id)
        .limit(batch)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    return (
        update(message)
        .where(message.c.id.in_(select(due.c.id)))
        .values(state=MessageState.CLAIMED, owner=owner, lease_until=database_now() + LEASE)
        .returning(message.c.id)
    )


def _verdicts(owner: str, now: datetime, window: Window) -> Subquery:
    """(id, reason it must not leave or NULL, when it may leave or NULL for now) of the messages `owner` has claimed."""
    judged = _judged(owner, now).subquery("judged")
    # All that waited must not leave in the first minute of the next window, nor more in an hour than its share.
    queue = case((judged.c.reason.is_(None), judged.c.opens_at), else_=null())
    place = func.row_number().over(partition_by=queue, order_by=[judged.c.seed, judged.c.id]) - 1
    own = func.count().over(partition_by=queue)
    numbered = select(judged, queue.label("queue"), place.label("place"), own.label("own")).subquery("numbered")
    width = literal(max(window.spread, whole_width(window)), BigInteger)
    offset = offset_of(numbered.c.place, numbered.c.own, width, numbered.c.seed)
    opens_at = within_hours(numbered.c.calendar_id, numbered.c.queue, offset, window)
    goes_later = numbered.c.queue.is_not(None)
    return select(numbered.c.id, numbered.c.reason, case((goes_later, opens_at)).label("opens_at")).subquery("verdict")


def _judged(owner: str, now: datetime) -> Select[Any]:
    joined = (
        message.join(lead, lead.c.id == message.c.lead_id)
        .join(identity, identity.c.id == message.c.address_id)
        .outerjoin(lead_state, lead_state.c.lead_id == lead.c.id)
        .outerjoin(enrolment, enrolment.c.id == message.c.enrolment_id)
    )
    calendar = calendar_of(message.c.lead_id)
    opens = type_coerce(next_open(calendar, literal(micros(now), BigInteger)), BigInteger)
    return (
        select(
            message.c.id,
            lead.c.seed,
            calendar.label("calendar_id"),
            blocked_because(now).label("reason"),
            window_opens(opens, now).label("opens_at"),
        )
        .select_from(joined)
        .where(message.c.state == MessageState.CLAIMED, message.c.owner == owner)
    )


def intend(owner: str, now: datetime, window: Window) -> Update:
    """What `owner` has claimed gets its intent, or leaves the run: suppressed with a reason, or planned for its window.

    Committed before the first byte goes out. The attempt id is `owner`, new in each run, and the message's id.
    """
    verdict = _verdicts(owner, now, window)
    blocked, shut = verdict.c.reason.is_not(None), verdict.c.opens_at.is_not(None)
    goes = ~or_(blocked, shut)

    def if_it_goes(value: ColumnElement[Any], otherwise: ColumnElement[Any]) -> ColumnElement[Any]:
        return case((goes, value), else_=otherwise)

    return (
        update(message)
        .where(message.c.id == verdict.c.id)
        .where(message.c.state == MessageState.CLAIMED, message.c.owner == owner)
        .values(
            state=case(
                (blocked, MessageState.SUPPRESSED.value),
                (shut, MessageState.PLANNED.value),
                else_=MessageState.SENDING.value,
            ),
            reason=verdict.c.reason,
            send_at=case((shut & ~blocked, verdict.c.opens_at), else_=message.c.send_at),
            sent_at=if_it_goes(literal(micros(now), BigInteger), null()),
            attempt_id=if_it_goes(literal(f"{owner}-") + cast(message.c.id, String), null()),
            attempts=message.c.attempts + case((goes, 1), else_=0),
            intent_at=if_it_goes(database_now(), message.c.intent_at),
            # What the provider's log said was about the attempt before.
            asked_at=if_it_goes(null(), message.c.asked_at),
            negatives=if_it_goes(literal(0), message.c.negatives),
            owner=if_it_goes(literal(owner), null()),
            lease_until=None,
        )
        .returning(*_ENDED, message.c.attempt_id, message.c.attempts)
    )


def fail_unsent(session: Session, owner: str, failed: Sequence[tuple[int, Reason, str]]) -> None:
    """Claimed messages that cannot be written fail alone, each with its reason."""
    statement = (
        update(message)
        .where(message.c.id == bindparam("of"), message.c.state == MessageState.CLAIMED)
        .where(message.c.owner == owner)
        .values(
            state=MessageState.FAILED,
            reason=bindparam("because"),
            note=bindparam("said"),
            owner=None,
            lease_until=None,
        )
    )
    if failed:
        session.connection().execute(statement, [{"of": i, "because": why, "said": said} for i, why, said in failed])


def note_versions(session: Session, owner: str, texts: Sequence[tuple[int, str]]) -> None:
    """Messages planned with an older text say which one goes out; the decision to plan keeps the older."""
    statement = (
        update(message)
        .where(message.c.id == bindparam("of"), message.c.owner == owner)
        .values(version=bindparam("text"))
    )
    if texts:
        session.connection().execute(statement, [{"of": of, "text": text} for of, text in texts])


def record_results(session: Session, owner: str, results: Sequence[Result]) -> None:
    """Answers of the provider; a row that reconciliation moved on in the meantime is left alone."""
    statement = (
        update(message)
        .where(message.c.id == bindparam("of"), message.c.state == MessageState.SENDING)
        .where(message.c.owner == owner, message.c.attempt_id == bindparam("attempt"))
        .values(
            state=bindparam("to"),
            reason=bindparam("because"),
            provider_id=bindparam("theirs"),
            send_at=bindparam("again"),
            # Pressure counts from here: only what left, or may have left, has a sending time.
            sent_at=case((bindparam("left"), message.c.sent_at), else_=null()),
            note=bindparam("said"),
            owner=None,
        )
    )
    if results:
        session.connection().execute(statement, [_row_of(result) for result in results])


def _row_of(result: Result) -> dict[str, object]:
    return {
        "of": result.id,
        "attempt": result.attempt_id,
        "to": result.state,
        "because": result.reason,
        "theirs": result.provider_id,
        "again": result.send_at,
        "left": result.state in (MessageState.ACCEPTED, MessageState.UNKNOWN),
        "said": result.note,
    }
