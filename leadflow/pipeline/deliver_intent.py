"""The intent: what is claimed is judged once more, and what may leave says so before its first byte."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Dialect,
    Select,
    String,
    TextualSelect,
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

from leadflow.db import database_now
from leadflow.models import enrolment, identity, lead, lead_state, message, suppression
from leadflow.pipeline.deliver_checks import blocked_because, window_opens
from leadflow.pipeline.deliver_rows import ENDED, IDS, WHOSE, is_claimed, is_one_of
from leadflow.pipeline.plain_sql import place, written_out
from leadflow.playbook.model import Window
from leadflow.types import MessageState, micros
from leadflow.windows import calendar_of, next_open, offset_of, whole_width, within_hours

_WHOSE, _IDS = place(WHOSE), place(IDS)
_RETURNED = (*ENDED, message.c.attempt_id, message.c.attempts)


def _verdicts(now: datetime, window: Window, dialect: Dialect) -> CTE:
    """(id, reason it must not leave or NULL, when it may leave or NULL for now) of the messages of the claim."""
    judged = _once(_judged(now, dialect).cte("judged"))
    # All that waited must not leave in the first minute of the next window, nor more in an hour than its share.
    queue = case((judged.c.reason.is_(None), judged.c.opens_at), else_=null())
    place = func.row_number().over(partition_by=queue, order_by=[judged.c.seed, judged.c.id]) - 1
    own = func.count().over(partition_by=queue)
    numbered = select(judged, queue.label("queue"), place.label("place"), own.label("own")).subquery("numbered")
    width = literal(max(window.spread, whole_width(window)), BigInteger)
    offset = offset_of(numbered.c.place, numbered.c.own, width, numbered.c.seed)
    opens_at = within_hours(numbered.c.calendar_id, numbered.c.queue, offset, window)
    goes_later = numbered.c.queue.is_not(None)
    verdict = select(numbered.c.id, numbered.c.reason, case((goes_later, opens_at)).label("opens_at")).cte("verdict")
    return _once(verdict)


def _once(found: CTE) -> CTE:
    """Reckoned once: PostgreSQL expects few claimed messages, and would judge all of them again for each."""
    return found.prefix_with("MATERIALIZED")


def _judged(now: datetime, dialect: Dialect) -> Select[Any]:
    joined = (
        message.join(lead, lead.c.id == message.c.lead_id)
        .join(identity, identity.c.id == message.c.address_id)
        .outerjoin(suppression, suppression.c.address_hash == identity.c.hash)
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
        .where(is_one_of(_IDS, dialect), is_claimed(), message.c.owner == _WHOSE)
    )


@lru_cache(maxsize=4)
def intend(now: datetime, window: Window, dialect: Dialect) -> TextualSelect:
    """UPDATE message: of IDS, WHOSE claim they are, each gets its intent or leaves the run: suppressed, or put off.

    Committed before the first byte goes out. The attempt id is the owner, new with each claim, and the message's id.
    """
    verdict = _verdicts(now, window, dialect)
    blocked, shut = verdict.c.reason.is_not(None), verdict.c.opens_at.is_not(None)
    goes = ~or_(blocked, shut)

    def if_it_goes(value: ColumnElement[Any], otherwise: ColumnElement[Any]) -> ColumnElement[Any]:
        return case((goes, value), else_=otherwise)

    statement = (
        update(message)
        .where(message.c.id == verdict.c.id)
        .where(is_claimed(), message.c.owner == _WHOSE)
        .values(
            state=case(
                (blocked, MessageState.SUPPRESSED.value),
                (shut, MessageState.PLANNED.value),
                else_=MessageState.SENDING.value,
            ),
            reason=verdict.c.reason,
            send_at=case((shut & ~blocked, verdict.c.opens_at), else_=message.c.send_at),
            sent_at=if_it_goes(literal(micros(now), BigInteger), null()),
            # One that stays keeps the attempt before, of which late news may still come.
            attempt_id=if_it_goes(_WHOSE + "-" + cast(message.c.id, String), message.c.attempt_id),
            attempts=message.c.attempts + case((goes, 1), else_=0),
            intent_at=if_it_goes(database_now(), message.c.intent_at),
            # What the provider's log said was about the attempt before.
            asked_at=if_it_goes(null(), message.c.asked_at),
            negatives=if_it_goes(literal(0), message.c.negatives),
            owner=if_it_goes(_WHOSE, null()),
            lease_until=None,
        )
        .returning(*_RETURNED)
    )
    return written_out(statement, (WHOSE, IDS), dialect, _RETURNED)
