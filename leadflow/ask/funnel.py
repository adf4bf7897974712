"""The funnel as cohorts: people grouped by what they share, how far they came, and how long it took."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import CTE, ColumnElement, Select, Text, case, cast, func, literal, select, union_all
from sqlalchemy.orm import Session

from leadflow.ask.report.period import read_period
from leadflow.ask.report.reached import Question, reached, too_young
from leadflow.models import lead
from leadflow.types import DAY

#: No rate is shown on fewer people than this.
FEW = 20
#: A deal that took longer than this is told apart (B2B buying takes months, but most wins come early).
LONG = 90 * DAY
#: What the last cohort is called: everybody.
TOTAL = "total"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """People who share a source, a month, a segment or an owner. Medians are None when nobody got there."""

    name: str | None
    people: int
    #: People who ever came as far as each stage after the first, in the journey's order.
    stages: tuple[int, ...]
    prospects: int
    customers: int
    #: Cents.
    amount: int
    #: Days from first contact.
    days_to_prospect: float | None
    days_to_customer: float | None
    #: Days from the step before, for each stage after the first, prospect and customer.
    days_between: tuple[float | None, ...]
    #: Customers won before their first contact, and more than 90 days after it.
    won_before: int
    won_late: int

    @property
    def win_rate(self) -> float | None:
        """Customers per person; None on fewer than 20 people."""
        return rate(self.customers, self.people)

    @property
    def reached(self) -> tuple[int, ...]:
        """People at each step: everybody, the stages after the first, prospects, customers."""
        return (self.people, *self.stages, self.prospects, self.customers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """A question's answer. The last cohort is everybody; there is none when nobody entered."""

    question: Question
    cohorts: tuple[Cohort, ...]
    #: People of the period left out because they have not reached the age asked.
    left_out: int
    #: When the last person of the period entered.
    newest: datetime | None

    @property
    def total(self) -> Cohort | None:
        """Everybody."""
        return self.cohorts[-1] if self.cohorts else None


def rate(part: int, whole: int) -> float | None:
    """part / whole, or None where it says nothing: of fewer than 20, or of fewer than came further.

    People may skip a step: sales make somebody a prospect who never reached the last stage.
    """
    return part / whole if whole >= FEW and part <= whole else None


def cohorts(
    session: Session,
    *,
    by: str,
    stages: Sequence[str],
    zone: ZoneInfo,
    first: str | None = None,
    last: str | None = None,
    age: int | None = None,
    now: datetime | None = None,
) -> list[Cohort]:
    """One cohort a source, month, segment or owner (`by`), and a last one named `total`.

    Over people first seen from `first` to `last`: months (YYYY-MM) or days, both included. An empty source (None) is
    apart from `unknown`. With an `age` in days, as of `now`, everybody is counted as they were at that age.
    """
    period = read_period(first, last, zone)
    return cohorts_of(session, Question(by=by, stages=stages, zone=zone, period=period, age=age, now=now))


def funnel(session: Session, question: Question) -> Funnel:
    """The cohorts of a question, with those they leave out."""
    newest = select(func.max(lead.c.first_seen_at)).where(*question.period.holds(lead.c.first_seen_at))
    return Funnel(
        question=question,
        cohorts=tuple(cohorts_of(session, question)),
        left_out=too_young(session, question),
        newest=session.scalar(newest),
    )


def cohorts_of(session: Session, question: Question) -> list[Cohort]:
    """The cohorts of a question, in two statements (three by month); empty when there is nobody."""
    people = reached(session, question)
    rows = [] if people is None else session.execute(_totals(people, question)).all()
    # Of nobody the total is a row of zeros.
    if people is None or not any(row.people for row in rows):
        return []
    medians = _medians(session, people, _spans(people, question.steps))
    return [
        _cohort(row, question, medians)
        for row in sorted(rows, key=lambda row: (row.is_total, _order(question.by, row)))
    ]


_Medians = Mapping[tuple[int, str | None, str], float]


def _cohort(row: Any, question: Question, medians: _Medians) -> Cohort:
    def days(measure: str) -> float | None:
        return medians.get((row.is_total, row.name, measure))

    return Cohort(
        name=TOTAL if row.is_total else row.name,
        people=row.people,
        stages=tuple(getattr(row, f"stage_{i}") or 0 for i in range(1, len(question.stages))),
        prospects=row.prospect_at or 0,
        customers=row.customer_at or 0,
        amount=int(row.amount or 0),
        days_to_prospect=days("to_prospect"),
        days_to_customer=days("to_customer"),
        days_between=tuple(days(step) for step in question.steps),
        won_before=row.won_before or 0,
        won_late=row.won_late or 0,
    )


def _order(by: str, row: Any) -> tuple[Any, ...]:
    return (row.name or "",) if by == "month" else (-row.people, row.name or "")


def _totals(people: CTE, question: Question) -> Any:
    def counted(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((condition, 1), else_=0))

    took = people.c.customer_at - people.c.seen_at
    measures = [
        func.count().label("people"),
        *(counted(people.c[step].is_not(None)).label(step) for step in question.steps),
        func.sum(people.c.amount).label("amount"),
        counted(took < 0).label("won_before"),
        counted(took > LONG).label("won_late"),
    ]
    by_name: Select[Any] = select(literal(0).label("is_total"), people.c.name, *measures).group_by(people.c.name)
    nobody = cast(None, Text).label("name")
    total: Select[Any] = select(literal(1).label("is_total"), nobody, *measures).select_from(people)
    return by_name.union_all(total)


def _spans(people: CTE, steps: Sequence[str]) -> dict[str, ColumnElement[Any]]:
    """Name → how long it took, NULL for those who did not get there."""
    at = people.c
    spans = {step: at[step] - at[before] for before, step in zip(("seen_at", *steps), steps, strict=False)}
    return spans | {"to_prospect": at.prospect_at - at.seen_at, "to_customer": at.customer_at - at.seen_at}


def _medians(session: Session, people: CTE, spans: Mapping[str, ColumnElement[Any]]) -> _Medians:
    """(is_total, cohort, span) → median days; the two middle ones averaged when their number is even."""
    every = union_all(
        *(
            select(
                literal(is_total).label("is_total"),
                (cast(None, Text) if is_total else people.c.name).label("name"),
                literal(measure).label("measure"),
                span.label("span"),
            ).where(span.is_not(None))
            for measure, span in spans.items()
            for is_total in (0, 1)
        )
    ).subquery()
    alike = [every.c.is_total, every.c.name, every.c.measure]
    ranked = select(
        *alike,
        every.c.span,
        func.row_number().over(partition_by=alike, order_by=every.c.span).label("place"),
        func.count().over(partition_by=alike).label("n"),
    ).subquery()
    middle = (ranked.c.place * 2 >= ranked.c.n) & (ranked.c.place * 2 <= ranked.c.n + 2)
    keys = ranked.c.is_total, ranked.c.name, ranked.c.measure
    query = select(*keys, func.sum(ranked.c.span), func.count()).where(middle).group_by(*keys)
    rows = session.execute(query)
    return {(is_total, name, measure): float(total) / n / DAY for is_total, name, measure, total, n in rows}
