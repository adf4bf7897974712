"""One pass over the leads that says for whom criteria or stage are others tonight, and which."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, Select, Subquery, and_, case, false, func, literal, null, or_, select

from leadflow.conditions.compile import compile_condition
from leadflow.conditions.sources import Sources, live_sources
from leadflow.conditions.tree import Condition
from leadflow.db import once
from leadflow.models import lead_state
from leadflow.playbook.model import Playbook, Stage
from leadflow.types import micros


def stage_sources(playbook: Playbook, *, spent: bool) -> Sources:
    """What a stage reads; with `spent`, acts that a rejection has used up do not count."""
    zone = ZoneInfo(playbook.office.zone)
    return live_sources(playbook.vocabulary, inline=playbook.segment_conditions, spent=spent, zone=zone)


def judged_state(playbook: Playbook, now: datetime, chosen: ColumnElement[bool]) -> Select[Any]:
    """The chosen leads for whom criteria, qualification, stage or unmet_since are not what they are to be."""
    stages, at = playbook.journey.stages, micros(now)
    met = _met(playbook, now, chosen)
    lost = [and_(met.c.stage == s.name, met.c[f"w{i}"] + met.c[f"k{i}"] == 0) for i, s in enumerate(stages) if i]
    places = (
        _position(met, stages).label("old"),
        case(*((met.c[f"w{i}"] == 1, i) for i in range(len(stages) - 1, 0, -1)), else_=0).label("reach"),
        case((or_(false(), *lost), 0), else_=1).label("keeps"),
    )
    placed = once(select(met, *places), "placed")
    waited = at - func.coalesce(placed.c.unmet_since, at)
    new = case(
        (placed.c.reach > placed.c.old, placed.c.reach),
        (placed.c.keeps == 1, placed.c.old),
        (waited >= _patience(placed.c.old, stages), placed.c.reach),
        else_=placed.c.old,
    )
    moved = once(select(placed, new.label("new")), "moved")
    stays_unmet = and_(moved.c.new == moved.c.old, moved.c.keeps == 0)
    bits = [moved.c[f"c{i}"] for i in range(len(playbook.journey.criteria))]
    values: dict[str, ColumnElement[Any]] = {
        "criteria": sum((bit * (1 << i) for i, bit in enumerate(bits)), start=literal(0)),
        "qualification": sum(bits, start=literal(0)),
        "stage": case({i: s.name for i, s in enumerate(stages)}, value=moved.c.new),
        "unmet_since": case((stays_unmet, func.coalesce(moved.c.unmet_since, at)), else_=null()),
    }
    to_be = select(moved, *(value.label(f"new_{name}") for name, value in values.items()))
    judged = once(to_be, "judged")
    differs = or_(*(judged.c[name].is_distinct_from(judged.c[f"new_{name}"]) for name in values))
    return select(judged.c.lead_id, *(judged.c[f"new_{name}"].label(name) for name in values)).where(differs)


def _met(playbook: Playbook, now: datetime, chosen: ColumnElement[bool]) -> Subquery:
    """`c…` criteria, `w…` and `k…` each stage's `when` and `keep_while`, 1 or 0, judged once a lead."""
    plain, unspent = (stage_sources(playbook, spent=spent) for spent in (False, True))

    def holds(condition: Condition | None, sources: Sources) -> ColumnElement[bool]:
        return literal(1) == 0 if condition is None else compile_condition(condition, sources, now, playbook.vocabulary)

    columns = {f"c{i}": holds(one.when, plain) for i, one in enumerate(playbook.journey.criteria)}
    for i, stage in enumerate(playbook.journey.stages[1:], start=1):
        columns[f"w{i}"] = holds(stage.when, unspent)
        columns[f"k{i}"] = holds(stage.keep_while, unspent)
    flags = (case((value, 1), else_=0).label(name) for name, value in columns.items())
    names = ("lead_id", "stage", "unmet_since", "criteria", "qualification")
    given = (lead_state.c[name] for name in names)
    found = select(*given, *flags).select_from(plain.from_).where(lead_state.c.lead_id.is_not(None), chosen)
    return once(found, "met")


def _position(met: Subquery, stages: tuple[Stage, ...]) -> ColumnElement[int]:
    # A stage that no file names any more counts as the first.
    return case({s.name: i for i, s in enumerate(stages)}, value=met.c.stage, else_=0)


def _patience(position: ColumnElement[int], stages: tuple[Stage, ...]) -> ColumnElement[int]:
    spans = {i: literal(s.fall_back_after, BigInteger) for i, s in enumerate(stages)}
    return case(spans, value=position)
