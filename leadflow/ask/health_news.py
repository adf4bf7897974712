"""Whether the provider's events come, how late they are, and whether a night reads them."""

import statistics
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Select, func, select, type_coerce
from sqlalchemy.orm import Session

from leadflow.ask.finding import Finding, note, ok, wrong
from leadflow.ask.section import minute
from leadflow.errors import InputError
from leadflow.intake.sendgrid import normalise
from leadflow.models import intake, message
from leadflow.playbook.model import Playbook
from leadflow.text import _
from leadflow.types import DAY, HOUR, MINUTE, MessageState, instant_of, micros

_POSTS = 20
#: So many mails without a word of the provider are too many to be chance.
_SILENT = 20


def news_findings(session: Session, playbook: Playbook, now: datetime) -> Iterator[Finding]:
    """Of a provider that tells what became of mail."""
    late = _lag(session)
    if late is not None:
        told = _("the provider's events come {minutes} minutes after they happened")
        words = told.format(minutes=round(late / MINUTE))
        do = _("none is lost, for the provider tries for 24 hours: look whether our door is slow or shut")
        yield note("webhook", words, do) if late > HOUR else ok("webhook", words)
    silent = _without_news(session, now)
    if silent >= _SILENT:
        told = _("{n} mails were accepted more than two hours ago, and the provider has said nothing of them")
        do = _("look at the event webhook in the provider's settings: its address, its signature, that it is on")
        yield wrong("webhook", told.format(n=silent), do)
    elif late is None:
        yield ok("webhook", _("no event of the provider has come yet"))
    unread = session.scalar(_oldest_unread())
    if unread is not None and unread < micros(now) - DAY - 6 * HOUR:
        told = _("what came from outside since {at} has not been read")
        at = minute(instant_of(unread), ZoneInfo(playbook.office.zone))
        yield wrong("webhook", told.format(at=at), _("a night reads it: leadflow run, or the schedule"))


def _oldest_unread() -> Select[tuple[int]]:
    return select(func.min(type_coerce(intake.c.received_at, BigInteger))).where(intake.c.processed_at.is_(None))


def _lag(session: Session) -> float | None:
    """Microseconds from an event to its POST, in the middle of the last ones."""
    posts = session.execute(
        select(intake.c.received_at, intake.c.body)
        .where(intake.c.kind == "sendgrid", func.length(intake.c.body) > 0)
        .order_by(intake.c.id.desc())
        .limit(_POSTS)
    )
    lags = [micros(row.received_at) - newest for row in posts if (newest := _newest(row.body)) is not None]
    return max(statistics.median(lags), 0) if lags else None


def _newest(body: bytes) -> int | None:
    try:
        return max((micros(event.at) for event in normalise(body)), default=None)
    except InputError:
        return None


def _without_news(session: Session, now: datetime) -> int:
    """Mails of the last two days that had time to be heard of; 0 as soon as one of them was."""
    at = micros(now)
    mails = (message.c.state == MessageState.ACCEPTED, message.c.sent_at.between(at - 2 * DAY, at - 2 * HOUR))
    counted = select(func.count().label("sent"), func.count(message.c.delivery).label("heard")).where(*mails)
    row = session.execute(counted).one()
    return 0 if row.heard else int(row.sent)
