"""What is looked at again at the very moment of the intent: rows only, never conditions."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, null, select

from leadflow.eligibility import confirming_blocks, first_reason, is_wished, paused, row_blocks
from leadflow.models import declined, enrolment, message, tpl
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
    choice = case((_declined(), Reason.PREFERENCE.value), else_=null())
    person = (
        (message.c.purpose == purpose, first_reason(row_blocks(now, purpose), otherwise=choice)) for purpose in Purpose
    )
    wished = (is_wished(), first_reason(confirming_blocks()))
    return case(*own, wished, *person, else_=null())


def _declined() -> ColumnElement[bool]:
    """The reader has declined what the email is about."""
    about = (tpl.c.template == message.c.email, declined.c.topic == tpl.c.topic)
    mine = (declined.c.identity_id == message.c.address_id, message.c.purpose != Purpose.SERVICE)
    return select(declined.c.topic).where(*about, *mine).correlate(message).exists()


def window_opens(opens: ColumnElement[Any], now: datetime) -> ColumnElement[Any]:
    """When a message may leave, where its reader's window is shut at `now` and next open at `opens`; else NULL.

    Service mails know no window; a calendar that nobody expanded holds nobody back.
    """
    return case(((message.c.purpose != Purpose.SERVICE) & (opens > micros(now)), opens), else_=null())
