"""What each salesperson made of their hand-overs: answers and how long they took, what was won, what was rejected."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, and_, case, func, select
from sqlalchemy.orm import Session

from leadflow.ask.report.period import Period
from leadflow.models import escalation
from leadflow.playbook.model import Playbook
from leadflow.types import EscalationState, micros
from leadflow.windows.hours import Slot, hours_of, open_slots

#: States in which somebody took the lead on.
TAKEN = (EscalationState.ACCEPTED, EscalationState.LATER, EscalationState.WON, EscalationState.LOST)
#: So many rejections of one hot rule, and all of them of that rule, are worth a look at the rule.
_TELLING = 3
_CLOCK = ("in_time", "after_time", "waiting", "late", "silent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """When answers came: given = in_time + after_time + waiting + late + silent."""

    in_time: int
    after_time: int
    #: Not answered yet, before and after the time was up.
    waiting: int
    late: int
    #: Closed without an answer: nobody answered for too long, or the CRM was faster.
    silent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RepFigures:
    """Hand-overs of one salesperson; given = accepted + rejected + lapsed + waiting + late.

    What was won, lost or put off was accepted.
    """

    rep: str
    given: int
    accepted: int
    rejected: int
    waiting: int
    late: int
    lapsed: int
    won: int
    #: Cents.
    amount: int
    clock: Clock
    #: Hours of the office between hand-over and first answer; None when nothing was answered.
    median_answer: timedelta | None = None
    #: Reason of a rejection → how often, the most frequent first.
    why_rejected: Mapping[str, int]
    #: The hot rule that all of three or more rejections came from.
    telling_rule: str | None = None


def rep_figures(session: Session, playbook: Playbook, period: Period, now: datetime) -> list[RepFigures]:
    """Each salesperson with a hand-over opened in the period, by name; in three statements."""
    # One that was taken back was nobody's to answer.
    inside = [*period.holds(escalation.c.opened_at), escalation.c.state != EscalationState.RECALLED]
    took = _answer_times(session, playbook, inside)
    why, rules = _rejections(session, inside)
    return [
        RepFigures(
            rep=row["rep"],
            **{name: row[name] for name in ("given", "accepted", "rejected", "waiting", "late", "lapsed", "won")},
            amount=int(row["amount"] or 0),
            clock=Clock(**{name: row[f"clock_{name}"] for name in _CLOCK}),
            median_answer=_median(took.get(row["rep"])),
            why_rejected=dict(sorted(why[row["rep"]].items(), key=lambda item: (-item[1], item[0]))),
            telling_rule=_telling(rules[row["rep"]]),
        )
        for row in session.execute(_counts(inside, now)).mappings()
    ]


def _counts(inside: Sequence[Any], now: datetime) -> Select[Any]:
    def counted(*conditions: Any) -> Any:
        return func.sum(case((and_(*conditions), 1), else_=0))

    state, due = escalation.c.state, escalation.c.due_at
    answered = escalation.c.answered_at.is_not(None)
    waits = state == EscalationState.WAITING
    past = due <= micros(now)
    return (
        select(
            escalation.c.rep,
            func.count().label("given"),
            counted(state.in_(TAKEN)).label("accepted"),
            counted(state == EscalationState.REJECTED).label("rejected"),
            counted(state == EscalationState.LAPSED).label("lapsed"),
            counted(waits, ~past).label("waiting"),
            counted(waits, past).label("late"),
            counted(state == EscalationState.WON).label("won"),
            func.sum(case((state == EscalationState.WON, escalation.c.amount))).label("amount"),
            counted(answered, escalation.c.answered_at <= due).label("clock_in_time"),
            counted(answered, escalation.c.answered_at > due).label("clock_after_time"),
            # Put off and come back: answered once already.
            counted(~answered, waits, ~past).label("clock_waiting"),
            counted(~answered, waits, past).label("clock_late"),
            counted(~answered, ~waits).label("clock_silent"),
        )
        .where(*inside)
        .group_by(escalation.c.rep)
        .order_by(escalation.c.rep)
    )


def _rejections(
    session: Session, inside: Sequence[Any]
) -> tuple[Mapping[str, Counter[str]], Mapping[str, Counter[str]]]:
    """Salesperson → reasons of rejections, and the hot rules they came from."""
    rejected = (*inside, escalation.c.state == EscalationState.REJECTED)
    columns = escalation.c.rep, escalation.c.answer_reason, escalation.c.rule
    why: dict[str, Counter[str]] = defaultdict(Counter)
    rules: dict[str, Counter[str]] = defaultdict(Counter)
    for rep, reason, rule, n in session.execute(select(*columns, func.count()).where(*rejected).group_by(*columns)):
        rules[rep][rule] += n
        if reason:
            why[rep][reason] += n
    return why, rules


def _telling(rules: Counter[str]) -> str | None:
    return next(iter(rules)) if len(rules) == 1 and rules.total() >= _TELLING else None


def _answer_times(session: Session, playbook: Playbook, inside: Sequence[Any]) -> Mapping[str, list[timedelta]]:
    """Salesperson → how long each first answer took. Rows, but no more than people can answer."""
    answered = (*inside, escalation.c.answered_at.is_not(None))
    columns = escalation.c.rep, escalation.c.opened_at, escalation.c.answered_at
    rows = session.execute(select(*columns).where(*answered)).all()
    if not rows:
        return {}
    office = OfficeHours(playbook, min(row.opened_at for row in rows), max(row.answered_at for row in rows))
    took: dict[str, list[timedelta]] = defaultdict(list)
    for row in rows:
        took[row.rep].append(office.between(row.opened_at, row.answered_at))
    return took


def _median(times: Sequence[timedelta] | None) -> timedelta | None:
    return timedelta(seconds=median(time.total_seconds() for time in times)) if times else None


class OfficeHours:
    """How much of a stretch of time the office was open."""

    def __init__(self, playbook: Playbook, first: datetime, last: datetime) -> None:
        zone = ZoneInfo(playbook.office.zone)
        day = timedelta(days=1)
        days = first.astimezone(zone).date() - day, last.astimezone(zone).date() + day
        self._slots = list(open_slots(hours_of(playbook), *days))
        self._opens = [slot.opens for slot in self._slots]
        self._before = list(_running(self._slots))

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Open time from `start` to `end`."""
        return max(self._until(end) - self._until(start), timedelta())

    def _until(self, at: datetime) -> timedelta:
        place = bisect_right(self._opens, at) - 1
        if place < 0:
            return timedelta()
        slot = self._slots[place]
        return self._before[place] + min(at, slot.closes) - slot.opens


def _running(slots: Sequence[Slot]) -> Iterator[timedelta]:
    """Open time before each slot."""
    total = timedelta()
    for slot in slots:
        yield total
        total += slot.closes - slot.opens
