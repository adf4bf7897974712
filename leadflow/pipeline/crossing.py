"""Finds who turned hot since the last sweep: the rules that hold tonight and did not, and hands raised again."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    CTE,
    BigInteger,
    Column,
    ColumnElement,
    Delete,
    FromClause,
    Insert,
    MetaData,
    Select,
    Table,
    TableClause,
    Update,
    and_,
    case,
    delete,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateTable

from leadflow.conditions.compile import compile_condition, visible
from leadflow.conditions.sources import Sources, live_sources
from leadflow.conditions.tree import EventLeaf, leaves
from leadflow.db import Word, greatest, once, stage, unstage
from leadflow.models import escalation, event, lead, lead_state
from leadflow.pipeline.scope import in_scope, looked_at
from leadflow.playbook.model import HotRule, Playbook
from leadflow.types import DAY, Scope, micros

#: How far back a rule without any act of its own looks for one.
_RECENT = 30 * DAY
#: Clicks in mails may be machines'; the others are our own acts or the CRM's.
_NO_REASON_TO_CALL = frozenset({"email_clicked", "call_logged", "deal_won", "deal_lost"})

#: The few leads tonight is about, so that the rules are evaluated once. Gone with the connection.
crossing = Table(
    "crossing",
    MetaData(),
    Column("lead_id", BigInteger, primary_key=True, autoincrement=False),
    #: Rules that hold tonight, bit i = rule i of the file.
    Column("held", BigInteger, nullable=False),
    #: Rules that newly hold, or of which a new act came in since the last hand-over.
    Column("opening", BigInteger, nullable=False),
    #: `sequence/step` that asks for a hand-over.
    Column("step", Word),
    prefixes=["TEMPORARY"],
)


def find_crossings(session: Session, playbook: Playbook, now: datetime, scope: Scope) -> None:
    """Fill `crossing` with the leads of `scope` whose rules changed, and remember what holds tonight."""
    session.execute(CreateTable(crossing, if_not_exists=True))
    session.execute(forget_crossings())
    if playbook.sales.hot:
        asking = stage(session, "asking_rules", _asking(playbook, now, scope))
        session.execute(fill_crossings(playbook, now, asking))
        unstage(session, asking)
        session.execute(remember_held())


def forget_crossings() -> Delete:
    """DELETE crossing: all rows."""
    return delete(crossing)


def _asking(playbook: Playbook, now: datetime, scope: Scope) -> Select[Any]:
    """The leads of `scope` for whom some rule's condition holds, or held, or is met again: few, whatever they did."""
    sources = live_sources(
        playbook.vocabulary,
        spent=True,
        fresh_within=playbook.sales.newer_than,
        zone=ZoneInfo(playbook.office.zone),
    )
    conditions = (compile_condition(rule.when, sources, now, playbook.vocabulary) for rule in playbook.sales.hot)
    words = (
        select(
            lead.c.id.label("lead_id"),
            func.coalesce(lead_state.c.hot, 0).label("was"),
            type_coerce(lead_state.c.spent_before, BigInteger).label("spent_before"),
            _word(enumerate(conditions)).label("met"),
            _word(_raised_again(playbook, sources, now)).label("again"),
        )
        .select_from(sources.from_)
        .where(in_scope(lead.c.id, scope), looked_at(lead_state.c.as_of, now))
    )
    judged = once(words, "judged")
    return select(judged).where(or_(judged.c.met != 0, judged.c.was != 0, judged.c.again != 0))


def fill_crossings(playbook: Playbook, now: datetime, asking: TableClause) -> Insert:
    """INSERT crossing: leads for whom another set of rules holds than at the last sweep, or a hand is raised again."""
    last_at = _last_act(playbook, now, asking)
    known = select(asking, last_at.label("last_at")).cte("known").prefix_with("MATERIALIZED")
    held = _word(_holds(playbook, now, known))
    judged = (
        select(known.c.lead_id, known.c.was, held.label("held"), known.c.again).cte("held").prefix_with("MATERIALIZED")
    )
    newly = judged.c.held - judged.c.held.bitwise_and(judged.c.was)
    rows = select(judged.c.lead_id, judged.c.held, newly.bitwise_or(judged.c.again)).where(
        or_(judged.c.held != judged.c.was, judged.c.again != 0)
    )
    return insert(crossing).from_select(["lead_id", "held", "opening"], rows)


def remember_held() -> Update:
    """UPDATE lead_state: the rules that hold tonight, where they changed."""
    changed = and_(lead_state.c.lead_id == crossing.c.lead_id, lead_state.c.hot != crossing.c.held)
    return update(lead_state).where(changed).values(hot=crossing.c.held)


def _word(bits: Iterable[tuple[int, ColumnElement[bool]]]) -> ColumnElement[int]:
    terms = [case((holds, literal(1 << i, BigInteger)), else_=literal(0, BigInteger)) for i, holds in bits]
    return sum(terms[1:], terms[0]) if terms else literal(0, BigInteger)


def _holds(playbook: Playbook, now: datetime, known: CTE) -> Iterator[tuple[int, ColumnElement[bool]]]:
    """Each rule holds when its condition does and an act stands in its window, which no rejection has used up.

    So attributes alone, a single click in a mail, or an import of old acts make nobody hot.
    """
    for i, rule in enumerate(playbook.sales.hot):
        met = known.c.met.bitwise_and(literal(1 << i, BigInteger)) != 0
        recent = and_(
            known.c.last_at >= micros(now) - window_of(rule), known.c.last_at >= func.coalesce(known.c.spent_before, 0)
        )
        yield i, and_(met, func.coalesce(recent, false()))


def _raised_again(playbook: Playbook, sources: Sources, now: datetime) -> Iterator[tuple[int, ColumnElement[bool]]]:
    unseen = replace(sources, event=_unseen())
    for i, rule in enumerate(playbook.sales.hot):
        if rule.name in playbook.sales.again_unless:
            yield i, compile_condition(rule.when, unseen, now, playbook.vocabulary)


def _unseen() -> FromClause:
    """Acts that no sweep knew when the lead was last handed over, or last seen to raise a hand while with sales."""
    looked = greatest(escalation.c.opened_at, func.coalesce(escalation.c.raised_at, 0))
    last = (
        select(escalation.c.lead_id, func.max(looked).label("at"))
        .group_by(escalation.c.lead_id)
        .subquery("last_handover")
    )
    later = or_(event.c.occurred_at >= last.c.at, event.c.received_at >= last.c.at)
    return select(event).join(last, last.c.lead_id == event.c.lead_id).where(later).subquery("unseen")


def _last_act(playbook: Playbook, now: datetime, asking: TableClause) -> ColumnElement[int]:
    """When a lead last did something that weighs, was told in time, and is worth a call.

    One look at the events for all rules: a rule's window is a question about the last act alone.
    """
    at = micros(now)
    window = max(map(window_of, playbook.sales.hot))
    kinds = sorted(playbook.vocabulary.events.keys() - _NO_REASON_TO_CALL)
    return (
        select(type_coerce(func.max(event.c.occurred_at), BigInteger))
        .where(event.c.lead_id == asking.c.lead_id)
        .where(*visible(event, at), event.c.kind.in_(kinds), event.c.occurred_at >= at - window)
        .where(event.c.received_at - event.c.occurred_at <= playbook.sales.newer_than)
        .correlate(asking)
        .scalar_subquery()
    )


def window_of(rule: HotRule) -> int:
    """How far back the acts of a rule reach, in microseconds."""
    spans = [leaf.within for leaf in leaves(rule.when) if isinstance(leaf, EventLeaf) and leaf.within]
    return max(spans, default=_RECENT)
