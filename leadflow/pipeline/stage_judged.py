"""One pass over the leads that says which criteria they meet and which stage they stand in tonight."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import CTE, BigInteger, ColumnElement, Select, and_, case, false, func, literal, null, or_, select

from leadflow.conditions.compile import compile_condition
from leadflow.conditions.sources import Sources, live_sources
from leadflow.conditions.tree import Condition
from leadflow.models import lead_state
from leadflow.playbook.model import Playbook, Stage
from leadflow.types import micros


def stage_sources(playbook: Playbook, *, spent: bool) -> Sources:
    """What a stage reads; with `spent`, acts that a rejection has used up do not count."""
    zone = ZoneInfo(playbook.office.zone)
    return live_sources(playbook.vocabulary, inline=playbook.segment_conditions, spent=spent, zone=zone)


def judged_state(playbook: Playbook, now: datetime, chosen: ColumnElement[bool]) -> Select[Any]:
    """A row a chosen lead: criteria, qualification, stage and unmet_since as they are to be."""
    stages, at = playbook.journey.stages, micros(now)
    met = _met(playbook, now, chosen)
    lost = [and_(met.c.stage == s.name, met.c[f"w{i}"] + met.c[f"k{i}"] == 0) for i, s in enumerate(stages) if i]
    placed = select(
        met,
        _position(met, stages).label("old"),
        case(*((met.c[f"w{i}"] == 1, i) for i in range(len(stages) - 1, 0, -1)), else_=0).label("reach"),
        case((or_(false(), *lost), 0), else_=1).label("keeps"),
    ).subquery("placed")
    waited = at - func.coalesce(placed.c.unmet_since, at)
    new = case(
        (placed.c.reach > placed.c.old, placed.c.reach),
        (placed.c.keeps == 1, placed.c.old),
        (waited >= _patience(placed.c.old, stages), placed.c.reach),
        else_=placed.c.old,
    )
    moved = select(placed, new.label("new")).subquery("moved")
    stays_unmet = and_(moved.c.new == moved.c.old, moved.c.keeps == 0)
    bits = [moved.c[f"c{i}"] for i in range(len(playbook.journey.criteria))]
    return select(
        moved.c.lead_id,
        sum((bit * (1 << i) for i, bit in enumerate(bits)), start=literal(0)).label("criteria"),
        sum(bits, start=literal(0)).label("qualification"),
        case({i: s.name for i, s in enumerate(stages)}, value=moved.c.new).label("stage"),
        case((stays_unmet, func.coalesce(moved.c.unmet_since, at)), else_=null()).label("unmet_since"),
    )


def _met(playbook: Playbook, now: datetime, chosen: ColumnElement[bool]) -> CTE:
    """`c…` criteria, `w…` and `k…` each stage's `when` and `keep_while`, 1 or 0, judged once a lead."""
    plain, unspent = (stage_sources(playbook, spent=spent) for spent in (False, True))

    def holds(condition: Condition | None, sources: Sources) -> ColumnElement[bool]:
        return literal(1) == 0 if condition is None else compile_condition(condition, sources, now, playbook.vocabulary)

    columns = {f"c{i}": holds(one.when, plain) for i, one in enumerate(playbook.journey.criteria)}
    for i, stage in enumerate(playbook.journey.stages[1:], start=1):
        columns[f"w{i}"] = holds(stage.when, unspent)
        columns[f"k{i}"] = holds(stage.keep_while, unspent)
    flags = (case((value, 1), else_=0).label(name) for name, value in columns.items())
    given = (lead_state.c.lead_id, lead_state.c.stage, lead_state.c.unmet_since)
    found = select(*given, *flags).select_from(plain.from_).where(lead_state.c.lead_id.is_not(None), chosen)
    return found.cte("met", nesting=True).prefix_with("MATERIALIZED")


def _position(met: CTE, stages: tuple[Stage, ...]) -> ColumnElement[int]:
    # A stage that no file names any more counts as the first.
    return case({s.name: i for i, s in enumerate(stages)}, value=met.c.stage, else_=0)


def _patience(position: ColumnElement[int], stages: tuple[Stage, ...]) -> ColumnElement[int]:
    spans = {i: literal(s.fall_back_after, BigInteger) for i, s in enumerate(stages)}
    return case(spans, value=position)
