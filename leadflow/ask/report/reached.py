"""Each person of a period once: the cohort they belong to, and when they first came how far."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    case,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session

from leadflow.ask.report.period import ALWAYS, Period, month_bounds
from leadflow.conditions.json import json_text
from leadflow.models import account, deal, escalation, lead, lead_state, lifecycle_change, stage_change
from leadflow.types import DAY, Lifecycle, micros

#: What people may be grouped by.
GROUPS = ("source", "month", "segment", "owner")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Whom a funnel is about, and how they are grouped."""

    by: str
    stages: Sequence[str]
    zone: ZoneInfo
    period: Period = ALWAYS
    #: Count only what happened in so many days from a person's first contact, and only people known that long.
    age: int | None = None
    now: datetime | None = None

    @property
    def steps(self) -> tuple[str, ...]:
        """Columns of `reached` that hold an instant, in the order in which people come by them."""
        return (*(f"stage_{i}" for i in range(1, len(self.stages))), "prospect_at", "customer_at")


def reached(session: Session, question: Question) -> CTE | None:
    """One row a person; None when there is nobody at all."""
    name = _name(session, question)
    if name is None:
        return None
    seen = type_coerce(lead.c.first_seen_at, BigInteger)
    stage_at, life_at = _stages(question.stages), _lifecycles()
    joined: FromClause = lead.outerjoin(lead_state, lead_state.c.lead_id == lead.c.id)
    deals, handovers = _deals(question), _handovers(question)
    for rows in (stage_at, life_at, deals, handovers):
        joined = joined.outerjoin(rows, rows.c.lead_id == lead.c.id)
    if question.by == "owner":
        newest = _newest_handover()
        joined = joined.outerjoin(newest, newest.c.lead_id == lead.c.id)
        joined = joined.outerjoin(account, account.c.id == lead.c.account_id)
        name = func.coalesce(newest.c.rep, account.c.owner)
    steps = [column for rows in (stage_at, life_at) for column in rows.c if column.name != "lead_id"]
    return (
        select(
            name.label("name"),
            seen.label("seen_at"),
            *(_in_time(type_coerce(step, BigInteger), question).label(step.name) for step in steps),
            func.coalesce(deals.c.amount, handovers.c.amount).label("amount"),
            case((lead_state.c.lifecycle == Lifecycle.DISQUALIFIED, 1), else_=0).label("disqualified"),
        )
        .select_from(joined)
        .where(*question.period.holds(lead.c.first_seen_at), *_old_enough(question))
        .cte("reached")
    )


def too_young(session: Session, question: Question) -> int:
    """How many people of the period have not been known for the age asked."""
    old = list(_old_enough(question))
    if not old:
        return 0
    query = select(func.count()).select_from(lead).where(*question.period.holds(lead.c.first_seen_at), ~old[0])
    return session.scalar(query) or 0


def _old_enough(question: Question) -> list[ColumnElement[bool]]:
    if question.age is None:
        return []
    if question.now is None:
        raise ValueError("an age is asked as of an instant")
    return [type_coerce(lead.c.first_seen_at, BigInteger) <= micros(question.now) - question.age * DAY]


def _in_time(at: ColumnElement[Any], question: Question) -> ColumnElement[Any]:
    """`at`, or NULL when it came later than the age asked."""
    if question.age is None:
        return at
    return case((at - type_coerce(lead.c.first_seen_at, BigInteger) <= question.age * DAY, at))


def _name(session: Session, question: Question) -> ColumnElement[Any] | None:
    """What a person's cohort is called; None when there is nobody."""
    if question.by == "month":
        span = func.min(lead.c.first_seen_at), func.max(lead.c.first_seen_at)
        oldest, newest = session.execute(select(*span).where(*question.period.holds(lead.c.first_seen_at))).one()
        if oldest is None:
            return None
        start, end = (f"{at.astimezone(question.zone):%Y-%m}" for at in (oldest, newest))
        months = month_bounds(start, end, question.zone)
        return case(*((lead.c.first_seen_at < after, month) for month, _, after in months))
    return {"source": first_source(), "segment": lead_state.c.segment_main, "owner": literal(None)}[question.by]


def first_source() -> ColumnElement[Any]:
    """Where each lead's first visit came from; of whom no visit is known, where they were met."""
    return func.coalesce(json_text(lead.c.attributes, "first_source"), lead.c.source)


def _stages(stages: Sequence[str]) -> FromClause:
    """When each lead first stood in a stage or in a further one: who goes two at once has been in both."""
    further = [
        func.min(case((stage_change.c.after.in_(stages[i:]), stage_change.c.at))).label(f"stage_{i}")
        for i in range(1, len(stages))
    ]
    return select(stage_change.c.lead_id, *further).group_by(stage_change.c.lead_id).subquery("stage_at")


def _lifecycles() -> FromClause:
    """When each lead first became a prospect and a customer, by the business date."""
    first = [
        func.min(case((lifecycle_change.c.after == to, lifecycle_change.c.effective_at))).label(f"{to}_at")
        for to in (Lifecycle.PROSPECT, Lifecycle.CUSTOMER)
    ]
    return select(lifecycle_change.c.lead_id, *first).group_by(lifecycle_change.c.lead_id).subquery("life_at")


def _deals(question: Question) -> FromClause:
    closed = func.coalesce(deal.c.closed_at, deal.c.updated_at)
    return _won(question, deal, closed).where(deal.c.state == "won").subquery("deals")


def _handovers(question: Question) -> FromClause:
    """Cents of what salespeople said they won; it counts where no deal tells."""
    return _won(question, escalation, escalation.c.closed_at).where(escalation.c.state == "won").subquery("handovers")


def _won(question: Question, table: Any, closed: ColumnElement[Any]) -> Select[Any]:
    amount = func.sum(case((_in_time(type_coerce(closed, BigInteger), question).is_not(None), table.c.amount)))
    if question.age is None:
        amount = func.sum(table.c.amount)
    return (
        select(table.c.lead_id, amount.label("amount"))
        .join(lead, lead.c.id == table.c.lead_id)
        .group_by(table.c.lead_id)
    )


def _newest_handover() -> FromClause:
    """The salesperson each lead was last given to."""
    last = func.row_number().over(partition_by=escalation.c.lead_id, order_by=escalation.c.number.desc())
    rows = select(escalation.c.lead_id, escalation.c.rep, last.label("place")).where(escalation.c.rep != "").subquery()
    return select(rows.c.lead_id, rows.c.rep).where(rows.c.place == 1).subquery("newest")
