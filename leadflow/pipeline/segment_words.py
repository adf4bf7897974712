"""Segments as bits: one pass judges them all and keeps, in a scratch table, the leads for whom something changed."""

from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    FromClause,
    MetaData,
    Select,
    Subquery,
    Table,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
)

from leadflow.conditions.compile import compile_condition
from leadflow.conditions.sources import live_sources
from leadflow.db import Word, once
from leadflow.models import lead_state, membership
from leadflow.playbook.model import Playbook
from leadflow.scoring.columns import Chosen

#: Bits a word holds; the sign and two more stay free.
WORD = 60


def words_of(playbook: Playbook) -> tuple[tuple[str, ...], ...]:
    """The names of the segments, sixty a word; the i-th of a word stands for bit i. One word at least."""
    names = tuple(playbook.segments)
    return tuple(names[i : i + WORD] for i in range(0, max(len(names), 1), WORD))


@cache
def scratch_table(words: int) -> Table:
    """The leads for whom something changed: the bits that hold tonight, and the main segment."""
    bits = (Column(f"w{i}", BigInteger, nullable=False) for i in range(words))
    key = Column("lead_id", BigInteger, primary_key=True, autoincrement=False)
    return Table("changed_membership", MetaData(), key, *bits, Column("main", Word), prefixes=["TEMPORARY"])


def find_changes(playbook: Playbook, now: datetime, chosen: Chosen) -> Select[Any]:
    """Rows of `scratch_table`: the chosen leads whose open memberships or main segment are not what holds at `now`."""
    words = words_of(playbook)
    tonight, before = _tonight(playbook, now, chosen), _before(words, chosen)
    names = [f"w{i}" for i in range(len(words))]
    differs = [tonight.c[name] != func.coalesce(before.c[name], 0) for name in names]
    main = tonight.c.was_main.is_distinct_from(tonight.c.main)
    joined = tonight.outerjoin(before, before.c.lead_id == tonight.c.lead_id)
    rows = select(*(tonight.c[name] for name in ("lead_id", *names, "main"))).select_from(joined)
    return rows.where(or_(main, before.c.gone > 0, *differs))


def _tonight(playbook: Playbook, now: datetime, chosen: Chosen) -> Subquery:
    met = _met(playbook, now, chosen)
    place = {name: i for i, name in enumerate(playbook.segments)}
    words = (
        sum((met.c[f"s{place[name]}"] * bit(i) for i, name in enumerate(names)), start=literal(0, BigInteger))
        for names in words_of(playbook)
    )
    labelled = (word.label(f"w{i}") for i, word in enumerate(words))
    order = [(met.c[f"s{place[name]}"] == 1, literal(name)) for name in playbook.segment_order if name in place]
    main = case(*order, else_=null()) if order else cast(null(), Word)
    return once(select(met.c.lead_id, *labelled, main.label("main"), met.c.segment_main.label("was_main")), "tonight")


def _met(playbook: Playbook, now: datetime, chosen: Chosen) -> Subquery:
    """`s0…`: 1 where the lead is in the i-th segment, judged once."""
    zone, inline = ZoneInfo(playbook.office.zone), playbook.segment_conditions
    sources = live_sources(playbook.vocabulary, inline=inline, zone=zone)
    flags = (
        case((compile_condition(when, sources, now, playbook.vocabulary), literal(1, BigInteger)), else_=0)
        for when in inline.values()
    )
    columns = (flag.label(f"s{i}") for i, flag in enumerate(flags))
    found = select(sources.lead_id.label("lead_id"), lead_state.c.segment_main, *columns).select_from(sources.from_)
    return once(found.where(chosen(sources.lead_id)), "met")


def _before(words: tuple[tuple[str, ...], ...], chosen: Chosen) -> Subquery:
    """The open memberships of each lead as bits, and how many are of segments that no file names any more."""
    segment = membership.c.segment
    columns: list[ColumnElement[Any]] = []
    for i, names in enumerate(words):
        bits = {name: bit(n) for n, name in enumerate(names)}
        value = case(bits, value=segment, else_=0) if bits else literal(0, BigInteger)
        columns.append(cast(func.sum(value), BigInteger).label(f"w{i}"))
    named = [name for names in words for name in names]
    columns.append(func.sum(case((segment.in_(named), 0), else_=1)).label("gone"))
    opened = select(membership.c.lead_id, *columns).where(membership.c.left_at.is_(None), chosen(membership.c.lead_id))
    return opened.group_by(membership.c.lead_id).subquery("before")


def bit(place: int) -> ColumnElement[int]:
    """The place-th bit of a word."""
    return literal(1 << place, BigInteger)


def is_inside(
    words: tuple[tuple[str, ...], ...], segment: ColumnElement[str], scratch: FromClause
) -> ColumnElement[bool]:
    """Whether the lead of a scratch row is in `segment` tonight; never in one that no file names."""
    tests = {
        name: scratch.c[f"w{i}"].op("&", return_type=BigInteger())(bit(n))
        for i, names in enumerate(words)
        for n, name in enumerate(names)
    }
    return (case(tests, value=segment, else_=literal(0, BigInteger)) if tests else literal(0, BigInteger)) != 0


def entrants(names: tuple[str, ...], word: int, scratch: FromClause) -> list[Select[Any]]:
    """For each segment of a word, the scratch leads that are in it tonight."""
    held = scratch.c[f"w{word}"].op("&", return_type=BigInteger())
    return [
        select(literal(name, Word).label("segment"), scratch.c.lead_id).where(held(bit(n)) != 0)
        for n, name in enumerate(names)
    ]
