"""What is looked at again at the very moment of the intent: rows only, never conditions."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, null

from leadflow.eligibility import confirming_blocks, first_reason, is_wished, paused, row_blocks
from leadflow.models import enrolment, message
from leadflow.types import EnrolmentState, Purpose, Reason, micros

_paused = paused(sequence=message.c.sequence, email=message.c.email, stream=message.c.purpose)


def blocked_because(now: datetime) -> ColumnElement[Any]:
    """Why a message must not leave, NULL when nothing stands against it.

    Over message, its lead, the identity it goes to, that one's suppression, lead_state and its enrolment.
    """
    own = (
        (message.c.expires_at <= micros(now), Reason.EXPIRED.value),
        (_paused, Reason.PAUSED.value),
        (enrolment.c.state.in_([EnrolmentState.PAUSED, EnrolmentState.PARKED]), Reason.PAUSED.value),
        (enrolment.c.state == EnrolmentState.ENDED, Reason.EXITED.value),
    )
    person = ((message.c.purpose == purpose, first_reason(row_blocks(now, purpose))) for purpose in Purpose)
    wished = (is_wished(), first_reason(confirming_blocks()))
    return case(*own, wished, *person, else_=null())


def window_opens(opens: ColumnElement[Any], now: datetime) -> ColumnElement[Any]:
    """When a message may leave, where its reader's window is shut at `now` and next open at `opens`; else NULL.

    Service mails know no window; a calendar that nobody expanded holds nobody back.
    """
    return case(((message.c.purpose != Purpose.SERVICE) & (opens > micros(now)), opens), else_=null())
