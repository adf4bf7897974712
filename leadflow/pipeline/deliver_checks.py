"""What is looked at again at the very moment of the intent: rows only, never conditions."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, case, literal, null

from leadflow.eligibility import first_reason, paused, row_blocks
from leadflow.models import enrolment, lead, message
from leadflow.types import EnrolmentState, Purpose, Reason, micros
from leadflow.windows import calendar_of, next_open


def blocked_because(now: datetime) -> ColumnElement[Any]:
    """Why a message must not leave, NULL when nothing stands against it.

    Over message, its lead, the identity it goes to, lead_state and its enrolment.
    """
    own = (
        (message.c.expires_at <= micros(now), Reason.EXPIRED.value),
        (paused(sequence=message.c.sequence, email=message.c.email), Reason.PAUSED.value),
        (enrolment.c.state.in_([EnrolmentState.PAUSED, EnrolmentState.PARKED]), Reason.PAUSED.value),
        (enrolment.c.state == EnrolmentState.ENDED, Reason.EXITED.value),
    )
    person = ((message.c.purpose == purpose, first_reason(row_blocks(now, purpose))) for purpose in Purpose)
    return case(*own, *person, else_=null())


def window_opens(now: datetime, *, spread: int) -> ColumnElement[Any]:
    """When a message may leave, where the reader's window is shut at `now`; NULL where it is open.

    Service mails know no window; a calendar that nobody expanded holds nobody back.
    """
    calendar, moment = calendar_of(message.c.lead_id), literal(micros(now), BigInteger)
    shut = (message.c.purpose != Purpose.SERVICE) & (next_open(calendar, moment) > micros(now))
    # All that waited must not leave in the first minute of the next window.
    return case((shut, next_open(calendar, moment, seed=lead.c.seed, spread=spread)), else_=null())
