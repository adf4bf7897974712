"""People whose history does not fit together: won before first contact, a customer without a deal, and their like."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, FromClause, Select, func, literal, select, type_coerce, union_all
from sqlalchemy.orm import Session

from leadflow.ask.report.period import Period
from leadflow.models import deal, escalation, event, identity, lead, lead_state, lifecycle_change
from leadflow.types import Lifecycle, instant_of, micros


class Oddity(StrEnum):
    """What is odd about somebody."""

    WON_BEFORE_CONTACT = "won_before_contact"
    ACT_BEFORE_CONTACT = "act_before_contact"
    CONTACT_TO_COME = "contact_to_come"
    CUSTOMER_WITHOUT_SALE = "customer_without_sale"
    SALE_WITHOUT_CUSTOMER = "sale_without_customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Odd:
    """One person and one oddity; `at` is the date that does not fit."""

    oddity: Oddity
    lead_id: int
    address: str | None
    first_seen_at: datetime
    at: datetime


def odd_people(session: Session, period: Period, now: datetime) -> list[Odd]:
    """Everybody of the period about whom something is odd, kind by kind; in one statement."""
    found = union_all(*(_kind(oddity, rows, now) for oddity, rows in _rows().items())).subquery()
    query = (
        select(found.c.oddity, found.c.lead_id, found.c.at, lead.c.first_seen_at, identity.c.value)
        .join(lead, lead.c.id == found.c.lead_id)
        .outerjoin(identity, identity.c.id == lead.c.address_id)
        .where(*period.holds(lead.c.first_seen_at))
    )
    kinds = list(Oddity)
    people = [
        Odd(
            oddity=Oddity(row.oddity),
            lead_id=row.lead_id,
            address=row.value,
            first_seen_at=row.first_seen_at,
            at=instant_of(row.at),
        )
        for row in session.execute(query)
    ]
    return sorted(people, key=lambda one: (kinds.index(one.oddity), one.lead_id))


def count_odd(people: Sequence[Odd]) -> Mapping[Oddity, int]:
    """How many of each kind there are."""
    return {kind: n for kind in Oddity if (n := sum(one.oddity is kind for one in people))}


_SEEN = type_coerce(lead.c.first_seen_at, BigInteger)


def _kind(oddity: Oddity, rows: Select[Any], now: datetime) -> Select[Any]:
    found = rows.subquery()
    chosen = select(literal(str(oddity)).label("oddity"), found.c.lead_id, found.c.at)
    return chosen.where(found.c.at > micros(now)) if oddity is Oddity.CONTACT_TO_COME else chosen


def _rows() -> dict[Oddity, Select[Any]]:
    """Kind → (lead_id, at)."""
    customers = _first(lifecycle_change.c.effective_at, lifecycle_change).where(
        lifecycle_change.c.after == Lifecycle.CUSTOMER
    )
    acts = _first(event.c.occurred_at, event).where(event.c.weight > 0, event.c.lead_id.is_not(None))
    sales = union_all(_sold(deal), _sold(escalation)).subquery("sold")
    sold = select(sales.c.lead_id, func.min(sales.c.at).label("at")).group_by(sales.c.lead_id)
    is_customer = select(lead_state.c.lead_id).where(lead_state.c.lifecycle == Lifecycle.CUSTOMER)
    bought, at_all = customers.subquery("bought"), select(sales.c.lead_id)
    return {
        Oddity.WON_BEFORE_CONTACT: _before_contact(bought),
        Oddity.ACT_BEFORE_CONTACT: _before_contact(acts.subquery("acts")),
        Oddity.CONTACT_TO_COME: select(lead.c.id.label("lead_id"), _SEEN.label("at")),
        Oddity.CUSTOMER_WITHOUT_SALE: select(bought.c.lead_id, bought.c.at).where(
            bought.c.lead_id.in_(is_customer), bought.c.lead_id.not_in(at_all)
        ),
        Oddity.SALE_WITHOUT_CUSTOMER: sold.where(sales.c.lead_id.not_in(is_customer)),
    }


def _first(column: Any, table: Any) -> Select[Any]:
    at = func.min(type_coerce(column, BigInteger)).label("at")
    return select(table.c.lead_id, at).group_by(table.c.lead_id)


def _sold(table: Any) -> Select[Any]:
    closed = func.coalesce(table.c.closed_at, table.c.updated_at if "updated_at" in table.c else None)
    return select(table.c.lead_id, type_coerce(closed, BigInteger).label("at")).where(table.c.state == "won")


def _before_contact(rows: FromClause) -> Select[Any]:
    return select(rows.c.lead_id, rows.c.at).join(lead, lead.c.id == rows.c.lead_id).where(rows.c.at < _SEEN)
