"""What is looked at again at the very moment of the intent: rows only, never conditions."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, literal, null, select

from leadflow.models import enrolment, identity, lead, lead_state, message, suppression
from leadflow.types import EnrolmentState, Lifecycle, Purpose, Reason, Suppressed, micros


def blocked_because(now: datetime) -> ColumnElement[Any]:
    """Why a message must not leave, NULL when nothing stands against it."""
    return case(*[(holds, reason.value) for reason, holds in _blocks(now)], else_=null())


def _blocks(now: datetime) -> list[tuple[Reason, ColumnElement[bool]]]:
    service = message.c.purpose == Purpose.SERVICE
    known = select(suppression.c.reason).where(suppression.c.address_hash == identity.c.hash).scalar_subquery()
    return [
        (Reason.EXPIRED, message.c.expires_at <= micros(now)),
        (Reason.PAUSED, enrolment.c.state.in_([EnrolmentState.PAUSED, EnrolmentState.PARKED])),
        (Reason.EXITED, enrolment.c.state == EnrolmentState.ENDED),
        (Reason.NO_MAIL_FLAG, lead.c.no_mail),
        (Reason.CUSTOMER, and_(lead_state.c.lifecycle == Lifecycle.CUSTOMER, ~service)),
        (Reason.DISQUALIFIED, and_(lead_state.c.lifecycle == Lifecycle.DISQUALIFIED, ~service)),
        *[(reason, known == word) for word, reason in SUPPRESSED_AS.items()],
    ]


SUPPRESSED_AS = {
    Suppressed.UNSUBSCRIBED: Reason.UNSUBSCRIBED,
    Suppressed.COMPLAINED: Reason.COMPLAINED,
    Suppressed.BOUNCED: Reason.BOUNCED,
    Suppressed.INVALID: Reason.INVALID_ADDRESS,
    Suppressed.OBJECTED: Reason.OBJECTED,
}


def next_open(now: datetime) -> ColumnElement[Any]:
    return literal(micros(now))
