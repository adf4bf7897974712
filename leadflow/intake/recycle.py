"""Makes people leads again after a rejection, a lost deal or silence: they rest, and earlier acts are spent."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    Text,
    cast,
    func,
    insert,
    literal,
    select,
    true,
    update,
)
from sqlalchemy.orm import Session

from leadflow.db import Word, insert_into, json_object
from leadflow.intake.lifecycle import Cause, Moved, move_lifecycle
from leadflow.models import engagement, event, event_inbox, event_key, growth, lead_state, scoring_rule
from leadflow.playbook.model import Playbook
from leadflow.types import FULL_WEIGHT, HOUR, Lifecycle, instant_of, micros, month_of

#: The act by which points are taken off; no condition can ask for it.
RECYCLED = "recycled"


def lead_again(session: Session, playbook: Playbook, now: datetime, *, people: Select[Any], cause: Cause) -> Moved:
    """Take `people` (columns `lead_id` and `effective_at`, a lead once) back from sales.

    Prospects are leads again; all of them rest, their acts so far are spent for stages and hot rules,
    and earlier acts keep the share of their points that journey.yaml leaves them. The same statements for any number.
    """
    moved = move_lifecycle(session, now, people=people, to=Lifecycle.LEAD, cause=cause, playbook=playbook.version)
    chosen = select(people.subquery("chosen").c.lead_id)
    rules = playbook.journey.lifecycle
    session.execute(
        update(lead_state)
        .where(lead_state.c.lead_id.in_(chosen))
        .values(
            with_sales=False,
            rest_until=micros(now) + rules.rest,
            spent_before=micros(now),
            # With every act spent no rule holds; the next act is a crossing.
            hot=0,
        )
    )
    if rules.earlier_acts_score < FULL_WEIGHT:
        _take_points_off(session, now, chosen, FULL_WEIGHT - rules.earlier_acts_score)
    return moved


def _take_points_off(session: Session, now: datetime, people: Select[tuple[int]], percent: int) -> None:
    """Record, as acts, `percent` of each sum as of the hour it was last folded at, so that both decay alike."""
    newest = select(func.max(growth.c.hour)).where(growth.c.hour <= micros(now) // HOUR)
    hour = session.scalar(newest)
    if hour is None:
        return
    lost = _lost(now, people, hour, percent)
    key = insert_into(session, event_key).from_select(
        ["source", "external_id"], select(literal("recycle", Word), lost.c.external_id).where(true())
    )
    session.execute(key.on_conflict_do_nothing())
    shared: dict[str, ColumnElement[Any]] = {
        "month": literal(month_of(instant_of(hour * HOUR)), Integer),
        "lead_id": lost.c.lead_id,
        "occurred_at": literal(hour * HOUR, BigInteger),
        "received_at": literal(micros(now), BigInteger),
    }
    more = {"kind": literal(RECYCLED, Word), "path": lost.c.rule, "weight": lost.c.weight, "properties": json_object()}
    keyed = lost.join(event_key, (event_key.c.source == "recycle") & (event_key.c.external_id == lost.c.external_id))
    for table, columns in (
        (event, {"id": event_key.c.event_id} | shared | more),
        (event_inbox, {"event_id": event_key.c.event_id} | shared),
    ):
        session.execute(insert(table).from_select(list(columns), select(*columns.values()).select_from(keyed)))


def _lost(now: datetime, people: Select[tuple[int]], hour: int, percent: int) -> CTE:
    """lead_id, rule, weight (hundredths of a point to take off) and the key each act is known by."""
    weight = cast(engagement.c.total / growth.c.g * percent / 100, Integer)
    name = cast(engagement.c.lead_id, Text) + f":{micros(now)}:" + scoring_rule.c.name
    at_hour = (growth.c.half_life == scoring_rule.c.half_life) & (growth.c.hour == hour) & (growth.c.g > 0)
    return (
        select(
            engagement.c.lead_id,
            scoring_rule.c.name.label("rule"),
            weight.label("weight"),
            name.label("external_id"),
        )
        .select_from(engagement.join(scoring_rule, scoring_rule.c.id == engagement.c.rule).join(growth, at_hour))
        .where(engagement.c.lead_id.in_(people), weight > 0)
        .cte("lost")
    )
