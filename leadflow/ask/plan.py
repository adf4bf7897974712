"""What a sweep planned: by email, language and hour, beside what is usual; read inside a transaction rolled back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from leadflow.ask.dry import DryCell, dry_cells
from leadflow.ask.section import weekday
from leadflow.ask.unreadable import Unreadable, unreadable_mails
from leadflow.eligibility import Tonight, tonight
from leadflow.models import enrolment, escalation, lead_state, message, verdict
from leadflow.playbook.model import Playbook
from leadflow.types import MessageState, Reason, instant_of, micros


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedEmail:
    """One email of the plan; hours are office time."""

    email: str
    by_language: Mapping[str, int]
    first: datetime
    last: datetime

    @property
    def total(self) -> int:
        """Messages in all languages."""
        return sum(self.by_language.values())

    @property
    def hours(self) -> str:
        """`09:00–12:00`, with the day where that is not the same."""
        until = "" if self.first.date() == self.last.date() else f"{weekday(self.last)} "
        return f"{weekday(self.first)} {self.first:%H:%M}–{until}{self.last:%H:%M}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The night as it would be."""

    lines: tuple[PlannedEmail, ...]
    languages: tuple[str, ...]
    tonight: Tonight
    #: Salesperson → new hand-overs.
    handovers: Mapping[str, int]

    @property
    def totals(self) -> tuple[int, ...]:
        """Messages by language, in the order of `languages`."""
        return tuple(sum(line.by_language.get(language, 0) for line in self.lines) for language in self.languages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """Mails that wait for one reason, and the days on which they may go."""

    reason: Reason
    people: int
    days: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one salesperson is given tonight, with what the day brought before, and the limit."""

    rep: str
    given: int
    today: int
    limit: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """The fewest and the most mails of the last nights of one weekday."""

    low: int
    high: int

    def covers(self, n: int) -> bool:
        """Whether `n` is within what was seen before."""
        return self.low <= n <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """A plan, and what people want to know before it happens."""

    plan: Plan
    #: Stage → mails.
    by_stage: Mapping[str, int]
    usual: Usual | None
    deferred: tuple[Deferred, ...]
    sales: tuple[Share, ...]
    dry: tuple[DryCell, ...]
    unreadable: tuple[Unreadable, ...]


def foresee(session: Session, playbook: Playbook, now: datetime, *, usual: Usual | None) -> Foresight:
    """What the sweep at `now`, just rehearsed, would do, beside what is `usual`."""
    return Foresight(
        plan=planned_mails(session, playbook, now),
        by_stage=_by_stage(session, playbook, now),
        usual=usual,
        deferred=_deferred(session),
        sales=_shares(session, playbook, now),
        dry=dry_cells(session, playbook, now),
        unreadable=unreadable_mails(session, playbook, now),
    )


def _planned(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return message.c.planned_at == micros(now), message.c.state == MessageState.PLANNED


def planned_mails(session: Session, playbook: Playbook, now: datetime) -> Plan:
    """What the sweep at `now` planned, the most frequent email first."""
    query = (
        select(
            message.c.email,
            message.c.language,
            func.count().label("n"),
            func.min(message.c.send_at).label("first"),
            func.max(message.c.send_at).label("last"),
        )
        .where(*_planned(now))
        .group_by(message.c.email, message.c.language)
    )
    zone = ZoneInfo(playbook.office.zone)
    found: dict[str, list[tuple[str, int, datetime, datetime]]] = {}
    for row in session.execute(query):
        found.setdefault(row.email, []).append(
            (row.language, row.n, row.first.astimezone(zone), row.last.astimezone(zone))
        )
    lines = [
        PlannedEmail(
            email=email,
            by_language={language: n for language, n, _, _ in rows},
            first=min(first for _, _, first, _ in rows),
            last=max(last for _, _, _, last in rows),
        )
        for email, rows in found.items()
    ]
    given = select(escalation.c.rep, func.count()).where(escalation.c.opened_at == micros(now))
    return Plan(
        lines=tuple(sorted(lines, key=lambda line: (-line.total, line.email))),
        languages=playbook.brand.languages,
        tonight=tonight(session, playbook, now),
        handovers={rep: int(n) for rep, n in session.execute(given.group_by(escalation.c.rep))},
    )


def _by_stage(session: Session, playbook: Playbook, now: datetime) -> Mapping[str, int]:
    query = select(lead_state.c.stage, func.count()).join(message, message.c.lead_id == lead_state.c.lead_id)
    counts = {stage: int(n) for stage, n in session.execute(query.where(*_planned(now)).group_by(lead_state.c.stage))}
    return {stage.name: counts.get(stage.name, 0) for stage in playbook.journey.stages}


def _deferred(session: Session) -> tuple[Deferred, ...]:
    """Who waits for the caps, the window or another mail; days are those of the record, in UTC."""
    waiting = select(verdict.c.reason, verdict.c.until, func.count().label("n")).join(
        enrolment, enrolment.c.id == verdict.c.enrolment_id
    )
    kinds = (Reason.PRESSURE, Reason.WINDOW, Reason.OUTRANKED)
    waiting = waiting.where(enrolment.c.ended_at.is_(None), verdict.c.reason.in_(kinds))
    people: dict[Reason, int] = {}
    days: dict[Reason, dict[object, datetime]] = {}
    for reason, until, n in session.execute(waiting.group_by(verdict.c.reason, verdict.c.until)):
        people[Reason(reason)] = people.get(Reason(reason), 0) + int(n)
        if until is not None:
            days.setdefault(Reason(reason), {}).setdefault(until.date(), until)
    return tuple(
        Deferred(reason=reason, people=people[reason], days=tuple(sorted(days.get(reason, {}).values())))
        for reason in kinds
        if reason in people
    )


def _shares(session: Session, playbook: Playbook, now: datetime) -> tuple[Share, ...]:
    zone = ZoneInfo(playbook.office.zone)
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    opened = select(escalation.c.rep, escalation.c.opened_at).where(
        escalation.c.opened_at >= micros(midnight), escalation.c.opened_at <= micros(now)
    )
    today: dict[str, int] = {}
    tonight: dict[str, int] = {}
    for rep, at in session.execute(opened):
        today[rep] = today.get(rep, 0) + 1
        tonight[rep] = tonight.get(rep, 0) + (at == instant_of(micros(now)))
    limits = {rep.name: rep.per_day for rep in playbook.sales.team}
    return tuple(
        Share(rep=rep, given=n, today=today[rep], limit=limits.get(rep)) for rep, n in sorted(tonight.items()) if n
    )
