"""The facts scores are made of, as SQL: fit points, vetoes, decayed terms and points won lately, a column each."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    Text,
    case,
    cast,
    func,
    literal,
    null,
    select,
)
from sqlalchemy.orm import Session

from leadflow.conditions.compile import compile_condition, visible
from leadflow.conditions.sources import Sources, live_sources
from leadflow.models import engagement, event, scoring_rule
from leadflow.playbook.model import Playbook, VetoRule
from leadflow.scoring.decay import growth_of, hour_of
from leadflow.scoring.rules import won_by
from leadflow.scoring.sheet import POINT
from leadflow.types import DAY, micros

#: How far `velocity` looks back.
LATELY = 7 * DAY

#: Rule name → its id and the landmark its sums refer to.
Kept = Mapping[str, tuple[int, int]]
#: Which lead ids a question is about.
Chosen = Callable[[ColumnElement[int]], ColumnElement[bool]]


def kept_rules(session: Session) -> Kept:
    """The engagement rules whose sums are kept."""
    rows = session.execute(select(scoring_rule.c.name, scoring_rule.c.id, scoring_rule.c.landmark))
    return {name: (key, landmark) for name, key, landmark in rows}


def facts(playbook: Playbook, now: datetime, kept: Kept, chosen: Chosen) -> Select[tuple[int]]:
    """One row a chosen lead: `f0…` fit points, `veto`, `e0…` engagement and `w0…` won lately, in hundredths."""
    person = person_points(playbook, now, chosen).subquery("person")
    joined: FromClause = person
    columns: list[ColumnElement[Any]] = []
    for part in (decayed_terms(playbook, now, kept, chosen), won_lately(playbook, now, chosen)):
        if part is not None:
            joined = joined.outerjoin(part, part.c.lead_id == person.c.lead_id)
            columns += [func.coalesce(c, 0).label(c.name) for c in part.c if c.name != "lead_id"]
    return select(person, *columns).select_from(joined)


def person_points(playbook: Playbook, now: datetime, chosen: Chosen) -> Select[Any]:
    """`f0…`: what each fit rule gives a lead, in hundredths; and the `veto` that holds."""
    zone = ZoneInfo(playbook.office.zone)
    sources = live_sources(playbook.vocabulary, inline=playbook.segment_conditions, zone=zone)
    points: list[ColumnElement[Any]] = [_fit(playbook, sources, now, i) for i in range(len(playbook.scoring.fit))]
    points.append(_veto(playbook.scoring.veto, playbook, sources, now).label("veto"))
    known = select(sources.lead_id.label("lead_id"), *points).select_from(sources.from_)
    return known.where(chosen(sources.lead_id))


def _fit(playbook: Playbook, sources: Sources, now: datetime, i: int) -> ColumnElement[int]:
    rule = playbook.scoring.fit[i]
    holds = compile_condition(rule.when, sources, now, playbook.vocabulary)
    return case((holds, rule.points * POINT), else_=0).label(f"f{i}")


def _veto(rules: Sequence[VetoRule], playbook: Playbook, sources: Sources, now: datetime) -> ColumnElement[Any]:
    holds = [(compile_condition(rule.when, sources, now, playbook.vocabulary), literal(rule.name)) for rule in rules]
    return case(*holds, else_=null()) if holds else cast(null(), Text())


def decayed_terms(playbook: Playbook, now: datetime, kept: Kept, chosen: Chosen) -> Subquery | None:
    """`e0…`: the sums of a lead, each over what a point of its rule is worth at `now`; None without a rule."""
    columns = []
    for i, rule in enumerate(playbook.scoring.engagement):
        if rule.name in kept:
            key, landmark = kept[rule.name]
            # One row a lead and rule: the maximum of one is itself, and stays a BIGINT where a sum would not.
            total = func.coalesce(func.max(engagement.c.total).filter(engagement.c.rule == key), 0)
            columns.append(over(total, growth_of(rule.half_life, hour_of(now), landmark)).label(f"e{i}"))
    if not columns:
        return None
    sums = select(engagement.c.lead_id, *columns).where(chosen(engagement.c.lead_id))
    return sums.group_by(engagement.c.lead_id).subquery("decayed")


def won_lately(playbook: Playbook, now: datetime, chosen: Chosen) -> Subquery | None:
    """`w0…`: points of the acts of the last seven days, without decay; None without a rule."""
    awards = [won_by(rule) for rule in playbook.scoring.engagement]
    if not awards:
        return None
    columns = [
        cast(func.sum(case((award.matches(event), award.points * event.c.weight), else_=0)), BigInteger).label(f"w{i}")
        for i, award in enumerate(awards)
    ]
    kinds = sorted({kind for award in awards for kind in award.kinds})
    seen = (*visible(event, micros(now)), event.c.occurred_at >= micros(now) - LATELY, event.c.kind.in_(kinds))
    acts = select(event.c.lead_id, *columns).where(*seen, chosen(event.c.lead_id))
    return acts.group_by(event.c.lead_id).subquery("lately")


def over(total: ColumnElement[int], by: int) -> ColumnElement[int]:
    """Integer division towards zero on both databases; SQLAlchemy's `/` would make it a fraction."""
    # 8 is the precedence of `*`: a sum that is divided gets its parentheses.
    return total.op("/", precedence=8, return_type=BigInteger())(literal(by, BigInteger()))
