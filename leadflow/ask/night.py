"""What a night comes to, in numbers: who gets nothing and since when, what is usual, how sequences and sales stand.

Aggregates alone: what is read here is seen by everybody who sees the runs. The same statements for any number.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, case, distinct, func, select
from sqlalchemy.orm import Session

from leadflow.ask.night_counts import (
    Compared,
    Selling,
    Standing,
    dry_of,
    nights_of,
    per_thousand_of,
    sales_of,
    sequences_of,
    unsubscribes_of,
)
from leadflow.eligibility import MAILED, words_tonight
from leadflow.models import enrolment, escalation, lead, message, playbook_version, verdict
from leadflow.playbook.model import Playbook
from leadflow.types import EnrolmentEnd, MessageState, Reason, micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Without:
    """People who get nothing for one reason."""

    reason: Reason
    people: int
    #: Since when the first of them; NULL where that says nothing.
    since: datetime | None
    #: When the first and the last of them may get a mail again, where the record knows it.
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """All the numbers of one night."""

    people: int
    mailed: int
    without: tuple[Without, ...]
    handovers: Compared
    mails: Compared
    unsubscribes: Compared
    #: Per thousand mails accepted in the last three weeks; None when there were none.
    bounces: float | None
    complaints: float | None
    unknown: int
    sequences: tuple[Standing, ...]
    sales: tuple[Selling, ...]
    #: (people, stage, main segment, language) of those for whom no mail is left, the most first.
    dry: tuple[tuple[int, str, str, str], ...]
    #: When the playbook was first used.
    playbook_since: datetime | None
    #: When the first of tonight's mails leaves.
    starts: datetime | None

    @property
    def late(self) -> int:
        """Hand-overs without an answer in time."""
        return sum(one.late for one in self.sales)

    def people_with(self, reason: Reason) -> int:
        """How many get nothing for that reason."""
        return sum(one.people for one in self.without if one.reason is reason)


def read_night(session: Session, playbook: Playbook, now: datetime) -> Night:
    """The numbers of the sweep at `now`, after it."""
    found = {row.word: row for row in session.execute(_by_word(playbook, now))}
    mailed = int(found.pop(MAILED).people) if MAILED in found else 0
    without = tuple(_without(reason, found[reason], now) for reason in Reason if reason in found)
    nights = nights_of(session, playbook, now)
    given = session.scalar(select(func.count()).where(escalation.c.opened_at == micros(now))) or 0
    planned = session.scalar(select(func.count()).where(message.c.planned_at == micros(now))) or 0
    dry = any(one.reason in (Reason.NO_MAIL_LEFT, Reason.ALREADY_RECEIVED) for one in without)
    bounced, complained = per_thousand_of(session, now)
    unknown = select(func.count()).where(message.c.state == MessageState.UNKNOWN)
    return Night(
        people=mailed + sum(one.people for one in without),
        mailed=mailed,
        without=tuple(sorted(without, key=lambda one: (-one.people, one.reason))),
        mails=Compared(tonight=planned, before=tuple(mails for mails, _n in nights.values())),
        handovers=Compared(tonight=given, before=tuple(n for _mails, n in nights.values())),
        unsubscribes=unsubscribes_of(session, now),
        bounces=bounced,
        complaints=complained,
        unknown=session.scalar(unknown) or 0,
        sequences=tuple(sequences_of(session, playbook, now)),
        sales=tuple(sales_of(session, playbook, now)),
        dry=tuple(dry_of(session, playbook, now)) if dry else (),
        starts=session.scalar(select(func.min(message.c.send_at)).where(message.c.planned_at == micros(now))),
        playbook_since=session.scalar(
            select(playbook_version.c.first_used_at).where(playbook_version.c.hash == playbook.version)
        ),
    )


def _by_word(playbook: Playbook, now: datetime) -> Select[Any]:
    """People by word, with the instants of what they stand on."""
    who = words_tonight(playbook, now).subquery("who")
    live = enrolment.c.ended_at.is_(None)
    later = case((live & (enrolment.c.due_at > micros(now)), enrolment.c.due_at))
    through = case((enrolment.c.end_reason == EnrolmentEnd.NO_MAIL_LEFT, enrolment.c.ended_at))
    joined = (
        who.join(lead, lead.c.id == who.c.lead_id)
        .outerjoin(enrolment, enrolment.c.lead_id == who.c.lead_id)
        .outerjoin(verdict, and_(verdict.c.enrolment_id == enrolment.c.id, verdict.c.reason == who.c.word, live))
    )
    return (
        select(
            who.c.word,
            func.count(distinct(who.c.lead_id)).label("people"),
            func.min(lead.c.created_at).label("known_since"),
            func.min(verdict.c.since).label("waits_since"),
            func.min(through).label("ended_since"),
            func.min(verdict.c.until).label("first_until"),
            func.max(verdict.c.until).label("last_until"),
            func.max(later).label("last_due"),
        )
        .select_from(joined)
        .group_by(who.c.word)
    )


#: Reasons behind which there is something to do: it is said since when.
OPEN = (Reason.NO_BASIS, Reason.NO_MAIL_LEFT, Reason.ALREADY_RECEIVED, Reason.MISSING_FIELD, Reason.PARKED)


def _without(reason: Reason, row: Row[Any], now: datetime) -> Without:
    since, first, last = None, None, None
    if reason is Reason.NO_BASIS:
        since = row.known_since
    elif reason in OPEN:
        since = min((at for at in (row.waits_since, row.ended_since) if at is not None), default=now)
    elif reason is Reason.PAUSED:
        since = row.waits_since
    if reason in (Reason.PRESSURE, Reason.WINDOW):
        first, last = row.first_until, row.last_until
    elif reason is Reason.NOT_DUE:
        last = row.last_due
    return Without(reason=reason, people=int(row.people), since=since, first=first, last=last)
