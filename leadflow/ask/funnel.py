"""The funnel as cohorts: people by source or month of entry, how far they came, and how long it took."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session

from leadflow.models import deal, lead, lifecycle_change, stage_change
from leadflow.types import DAY, Lifecycle, micros

#: No rate is shown on fewer people than this.
FEW = 20
#: A deal that took longer than this is told apart (B2B buying takes months, but most wins come early).
LONG = 90 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """People who entered together. Days are medians from first contact; None when nobody got there."""

    name: str | None
    people: int
    #: People who ever reached each stage after the first, in the journey's order.
    stages: tuple[int, ...]
    prospects: int
    customers: int
    #: Cents.
    amount: int
    days_to_prospect: float | None
    days_to_customer: float | None
    #: Customers won before their first contact, and more than 90 days after it.
    won_before: int
    won_late: int

    @property
    def win_rate(self) -> float | None:
        """Customers per person; None on fewer than 20 people."""
        return rate(self.customers, self.people)


def rate(part: int, whole: int) -> float | None:
    """part / whole, or None where it says nothing: of fewer than 20, or of fewer than came further.

    People may skip a step: sales make somebody a prospect who never reached the last stage.
    """
    return part / whole if whole >= FEW and part <= whole else None


def month_bounds(start: str, end: str, zone: ZoneInfo) -> list[tuple[str, int, int]]:
    """(YYYY-MM, first instant, first instant of the next month) for each month from `start` to `end`, local time."""
    months = []
    year, month = map(int, start.split("-")[:2])
    while f"{year:04}-{month:02}" <= end[:7]:
        after = (year + month // 12, month % 12 + 1)
        months.append((f"{year:04}-{month:02}", _midnight(year, month, zone), _midnight(*after, zone)))
        year, month = after
    return months


def _midnight(year: int, month: int, zone: ZoneInfo) -> int:
    return micros(datetime.combine(date(year, month, 1), time(), zone))


def cohorts(
    session: Session,
    *,
    by: str,
    stages: Sequence[str],
    zone: ZoneInfo,
    first: str | None = None,
    last: str | None = None,
) -> list[Cohort]:
    """One cohort a source or month (`by`), and a last one named `total`, over people first seen from `first` to `last`.

    `first` and `last` are months (YYYY-MM), both included. An empty source (None) is apart from `unknown`.
    """
    span = _span(session, zone, first, last)
    if not span:
        return []
    reached = _reached(by, stages, span)
    rows = session.execute(_totals(reached, stages)).all()
    to_prospect = _medians(session, reached, "prospect_at")
    to_customer = _medians(session, reached, "customer_at")
    return [
        Cohort(
            name=row.name if not row.is_total else "total",
            people=row.people,
            stages=tuple(getattr(row, f"stage_{i}") or 0 for i in range(1, len(stages))),
            prospects=row.prospects or 0,
            customers=row.customers or 0,
            amount=row.amount or 0,
            days_to_prospect=to_prospect.get((row.is_total, row.name)),
            days_to_customer=to_customer.get((row.is_total, row.name)),
            won_before=row.won_before or 0,
            won_late=row.won_late or 0,
        )
        for row in sorted(rows, key=lambda row: (row.is_total, _order(by, row)))
    ]


def _order(by: str, row: Any) -> tuple[Any, ...]:
    return (row.name or "",) if by == "month" else (-row.people, row.name or "")


def _span(session: Session, zone: ZoneInfo, first: str | None, last: str | None) -> list[tuple[str, int, int]]:
    oldest, newest = session.execute(select(func.min(lead.c.first_seen_at), func.max(lead.c.first_seen_at))).one()
    if oldest is None:
        return []
    start = max(first or "", f"{oldest.astimezone(zone):%Y-%m}")
    end = min(last or "9999-12", f"{newest.astimezone(zone):%Y-%m}")
    return month_bounds(start, end, zone)


def _reached(by: str, stages: Sequence[str], span: list[tuple[str, int, int]]) -> CTE:
    """Each person of the span once: their cohort, and when they first reached each stage, prospect and customer."""
    months = case(*((lead.c.first_seen_at < after, name) for name, _, after in span))
    name = lead.c.source if by == "source" else months
    stage_at = (
        select(
            stage_change.c.lead_id,
            *(
                func.min(case((stage_change.c.after == stage, stage_change.c.at))).label(f"stage_{i}")
                for i, stage in enumerate(stages)
                if i
            ),
        )
        .group_by(stage_change.c.lead_id)
        .subquery()
    )
    life_at = (
        select(
            lifecycle_change.c.lead_id,
            *(
                func.min(case((lifecycle_change.c.after == to, lifecycle_change.c.effective_at))).label(f"{to}_at")
                for to in (Lifecycle.PROSPECT, Lifecycle.CUSTOMER)
            ),
        )
        .group_by(lifecycle_change.c.lead_id)
        .subquery()
    )
    won = (
        select(deal.c.lead_id, func.sum(deal.c.amount).label("amount"))
        .where(deal.c.state == "won")
        .group_by(deal.c.lead_id)
        .subquery()
    )
    joined = (
        lead.outerjoin(stage_at, stage_at.c.lead_id == lead.c.id)
        .outerjoin(life_at, life_at.c.lead_id == lead.c.id)
        .outerjoin(won, won.c.lead_id == lead.c.id)
    )
    inside = and_(lead.c.first_seen_at >= span[0][1], lead.c.first_seen_at < span[-1][2])
    steps = [stage_at.c[f"stage_{i}"] for i in range(1, len(stages))]
    return (
        select(
            name.label("name"),
            type_coerce(lead.c.first_seen_at, BigInteger).label("seen_at"),
            *steps,
            *(type_coerce(life_at.c[at], BigInteger).label(at) for at in ("prospect_at", "customer_at")),
            won.c.amount,
        )
        .select_from(joined)
        .where(inside)
        .cte("reached")
    )


def _totals(reached: CTE, stages: Sequence[str]) -> Any:
    def counted(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((condition, 1), else_=0))

    took = reached.c.customer_at - reached.c.seen_at
    measures = [
        func.count().label("people"),
        *(counted(reached.c[f"stage_{i}"].is_not(None)).label(f"stage_{i}") for i in range(1, len(stages))),
        counted(reached.c.prospect_at.is_not(None)).label("prospects"),
        counted(reached.c.customer_at.is_not(None)).label("customers"),
        func.sum(reached.c.amount).label("amount"),
        counted(took < 0).label("won_before"),
        counted(took > LONG).label("won_late"),
    ]
    by_name: Select[Any] = select(literal(0).label("is_total"), reached.c.name, *measures).group_by(reached.c.name)
    nobody = cast(None, Text).label("name")
    total: Select[Any] = select(literal(1).label("is_total"), nobody, *measures).select_from(reached)
    return by_name.union_all(total)


def _medians(session: Session, reached: CTE, column: str) -> dict[tuple[int, str | None], float]:
    """(is_total, cohort) → median days from first contact; the two middle ones averaged when their number is even."""
    days = (reached.c[column] - reached.c.seen_at).label("days")
    found = {}
    for is_total, partition in ((0, [reached.c.name]), (1, [])):
        ranked = (
            select(
                (reached.c.name if partition else cast(None, Text)).label("name"),
                days,
                func.row_number().over(partition_by=partition or None, order_by=days).label("place"),
                func.count().over(partition_by=partition or None).label("n"),
            )
            .where(reached.c[column].is_not(None))
            .subquery()
        )
        middle = (ranked.c.place * 2 >= ranked.c.n) & (ranked.c.place * 2 <= ranked.c.n + 2)
        query = select(ranked.c.name, func.sum(ranked.c.days), func.count()).where(middle).group_by(ranked.c.name)
        for name, total, n in session.execute(query):
            found[is_total, name] = float(total) / n / DAY
    return found
