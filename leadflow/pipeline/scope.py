"""Which leads a statement of a phase may touch."""

from datetime import datetime

from sqlalchemy import ColumnElement, or_, select, true

from leadflow.models import lead_state
from leadflow.types import Everyone, Scope, micros


def in_scope(lead_id: ColumnElement[int], scope: Scope) -> ColumnElement[bool]:
    """True for the leads of `scope`; the same statement text for any number of everyone's leads."""
    return true() if isinstance(scope, Everyone) else lead_id.in_(scope.ids)


def not_ahead(lead_id: ColumnElement[int], now: datetime) -> ColumnElement[bool]:
    """False for leads that a sweep of one lead has already looked at as of a later instant."""
    # Under a name of its own, so that a statement about lead_state does not take it for its own row.
    seen = lead_state.alias("seen")
    return lead_id.not_in(select(seen.c.lead_id).where(seen.c.as_of > micros(now)))


def looked_at(as_of: ColumnElement[datetime], now: datetime) -> ColumnElement[bool]:
    """`not_ahead` of a lead whose state is at hand anyway."""
    return or_(as_of.is_(None), as_of <= micros(now))
