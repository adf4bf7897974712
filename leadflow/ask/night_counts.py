"""Parts of a night's numbers: beside the nights before it, by sequence, by salesperson, and where content runs out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from leadflow.eligibility import held, words_tonight
from leadflow.models import enrolment, escalation, hold, lead, lead_state, message, suppression, sweep
from leadflow.playbook.model import Playbook
from leadflow.types import (
    DAY,
    Delivery,
    EnrolmentEnd,
    EnrolmentState,
    EscalationState,
    MessageState,
    Reason,
    Suppressed,
    micros,
)

#: How many nights tonight is compared with.
COMPARED = 7
#: Over how many days bounces and complaints are counted.
WATCHED = 21
#: No rate of fewer mails.
RATED = 20
#: Beyond these, per thousand sent, mailbox providers begin to refuse.
BOUNCES_BELOW, COMPLAINTS_BELOW = 20, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A number of tonight beside those of the nights before."""

    tonight: int
    before: tuple[int, ...]

    @property
    def usual(self) -> tuple[int, int] | None:
        """The least and the most of it; None before there was another night."""
        return (min(self.before), max(self.before)) if self.before else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One sequence: who is in it, what it sends tonight, who stands still, who is through, who is due in a week."""

    sequence: str
    live: int
    sent: int
    paused: int
    finished: int
    week: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Selling:
    """One salesperson: hand-overs given tonight and today, waiting for an answer, late; the limit of a day."""

    rep: str
    given: int
    waiting: int
    late: int
    today: int
    limit: int | None


def nights_of(session: Session, playbook: Playbook, now: datetime) -> Mapping[date, tuple[int, int]]:
    """Mails and hand-overs of the last nights, by the office's date; of several sweeps of a day the largest."""
    zone = ZoneInfo(playbook.office.zone)
    rows = select(sweep.c.at, sweep.c.counts).where(
        sweep.c.scope == "everyone",
        sweep.c.finished_at.is_not(None),
        sweep.c.at < micros(now),
        sweep.c.at >= micros(now) - (COMPARED + 1) * DAY,
        # A night that nobody let go is no model.
        sweep.c.at.not_in(select(hold.c.at).where(hold.c.answer.is_distinct_from("approved"))),
    )
    nights: dict[date, tuple[int, int]] = {}
    for at, counts in session.execute(rows.order_by(sweep.c.at)):
        day = at.astimezone(zone).date()
        mails, handovers = (int(counts.get(phase, {}).get("changed", 0)) for phase in ("nurture", "escalate"))
        before = nights.get(day, (0, 0))
        nights[day] = (max(mails, before[0]), max(handovers, before[1]))
    nights.pop(now.astimezone(zone).date(), None)
    return dict(list(nights.items())[-COMPARED:])


def unsubscribes_of(session: Session, now: datetime) -> Compared:
    """Of the last day, and of the days before it, as far back as anybody is known."""
    at, days = micros(now), range(COMPARED + 1)
    sums = [
        func.sum(case((and_(suppression.c.at >= at - (n + 1) * DAY, suppression.c.at < at - n * DAY), 1), else_=0))
        for n in days
    ]
    recent = (suppression.c.reason == Suppressed.UNSUBSCRIBED, suppression.c.at >= at - (COMPARED + 1) * DAY)
    tonight, *before = [int(n or 0) for n in session.execute(select(*sums).where(*recent)).one()]
    first = session.scalar(select(func.min(sweep.c.at)).where(sweep.c.scope == "everyone"))
    known = (at - micros(first)) // DAY if first else 0
    return Compared(tonight=tonight, before=tuple(before[:known]))


def per_thousand_of(session: Session, now: datetime) -> tuple[float | None, float | None]:
    """Bounces and complaints of the last weeks' mails; None of so few that one would be a crowd."""

    def share(words: Sequence[Delivery]) -> ColumnElement[int]:
        return func.sum(case((message.c.delivery.in_(words), 1), else_=0))

    lately = (message.c.state == MessageState.ACCEPTED, message.c.sent_at >= micros(now) - WATCHED * DAY)
    counts = select(func.count(), share([Delivery.BOUNCED]), share([Delivery.COMPLAINED])).where(*lately)
    sent, bounced, complained = session.execute(counts).one()
    return (1000 * bounced / sent, 1000 * complained / sent) if sent >= RATED else (None, None)


def sequences_of(session: Session, playbook: Playbook, now: datetime) -> Iterator[Standing]:
    """Those of the files, in their order, then any other with people in it."""

    def people(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((and_(*conditions), 1), else_=0))

    live, at = enrolment.c.ended_at.is_(None), micros(now)
    query = select(
        enrolment.c.sequence,
        people(live).label("live"),
        people(live, enrolment.c.state == EnrolmentState.PAUSED).label("paused"),
        people(enrolment.c.end_reason == EnrolmentEnd.FINISHED).label("finished"),
        people(live, enrolment.c.state == EnrolmentState.ACTIVE, enrolment.c.due_at < at + 7 * DAY).label("week"),
    ).group_by(enrolment.c.sequence)
    sent = select(message.c.sequence, func.count()).where(message.c.planned_at == at).group_by(message.c.sequence)
    tonight = {row[0]: int(row[1]) for row in session.execute(sent)}
    found = {row.sequence: row for row in session.execute(query)}
    order = [one.name for one in playbook.sequences]
    for name in sorted(found, key=lambda name: (order.index(name) if name in order else len(order), name)):
        row = found[name]
        numbers = {word: int(getattr(row, word)) for word in ("live", "paused", "finished", "week")}
        yield Standing(sequence=name, sent=tonight.get(name, 0), **numbers)


def sales_of(session: Session, playbook: Playbook, now: datetime) -> Iterator[Selling]:
    """The team in the order of the file, then whoever else has a hand-over open."""

    def number(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((and_(*conditions), 1), else_=0))

    midnight = micros(_midnight(now, ZoneInfo(playbook.office.zone)))
    waiting = (escalation.c.closed_at.is_(None), escalation.c.state == EscalationState.WAITING)
    query = (
        select(
            escalation.c.rep,
            number(escalation.c.opened_at == micros(now)).label("given"),
            number(*waiting).label("waiting"),
            number(*waiting, escalation.c.due_at <= micros(now), ~held(escalation.c.opened_at)).label("late"),
            number(escalation.c.opened_at >= midnight).label("today"),
        )
        .where(or_(escalation.c.closed_at.is_(None), escalation.c.opened_at >= midnight))
        .group_by(escalation.c.rep)
    )
    found = {row.rep: row for row in session.execute(query)}
    limits = {one.name: one.per_day for one in playbook.sales.team}
    for rep in [*limits, *sorted(rep for rep in found if rep not in limits)]:
        row = found.get(rep)
        numbers = {word: int(getattr(row, word)) if row else 0 for word in ("given", "waiting", "late", "today")}
        yield Selling(rep=rep, limit=limits.get(rep), **numbers)


def _midnight(now: datetime, zone: ZoneInfo) -> datetime:
    return datetime.combine(now.astimezone(zone).date(), time(), zone)


def dry_of(session: Session, playbook: Playbook, now: datetime) -> Iterator[tuple[int, str, str, str]]:
    """For whom nothing is left to read, by stage, main segment and language."""
    who = words_tonight(playbook, now).subquery("who")
    kind = (
        func.coalesce(lead_state.c.stage, ""),
        func.coalesce(lead_state.c.segment_main, ""),
        func.coalesce(lead.c.language, ""),
    )
    n = func.count().label("n")
    query = (
        select(n, *kind)
        .select_from(who.join(lead, lead.c.id == who.c.lead_id))
        .join(lead_state, lead_state.c.lead_id == lead.c.id)
        .where(who.c.word.in_([Reason.NO_MAIL_LEFT, Reason.ALREADY_RECEIVED]))
        .group_by(*kind)
        .order_by(n.desc(), *kind)
    )
    for row in session.execute(query.limit(3)):
        yield int(row[0]), row[1], row[2], row[3]
