"""Hands leads that turned hot, and those a sequence sends, to salespeople: who, why, until when."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Insert,
    Subquery,
    Update,
    and_,
    case,
    false,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import Session

from leadflow.conditions.compile import compile_condition
from leadflow.conditions.sources import live_sources
from leadflow.db import Word, json_object
from leadflow.models import escalation, lead, lead_score, lead_state
from leadflow.pipeline.asked import find_asked, spans_of
from leadflow.pipeline.crossing import crossing, find_crossings, forget_crossings
from leadflow.pipeline.decisions import record_decisions
from leadflow.pipeline.raised import raise_again
from leadflow.pipeline.routing import UNROUTED, route_handovers
from leadflow.pipeline.routing_skips import skipped_routes
from leadflow.pipeline.scope import in_scope
from leadflow.playbook.model import Playbook
from leadflow.types import EscalationState, Lifecycle, Outcome, Phase, Reason, Scope, Span, micros
from leadflow.windows import due_after

#: Blocks of their own, beside the words for mails: the lead, or a colleague, was handed over not long ago.
SAME_LEAD, SAME_ACCOUNT = "same_lead", "same_account"


def escalate_leads(session: Session, playbook: Playbook, now: datetime, scope: Scope) -> Outcome:
    """Open a hand-over for each lead of `scope` that crossed a hot rule or stands on an escalate step."""
    find_crossings(session, playbook, now, scope)
    find_asked(session, playbook, now, scope)
    due = due_dates(session, playbook, now)
    raised = raise_again(session, playbook, now, due)
    found = _count_blocked(session, playbook, now)
    session.execute(open_handovers(playbook, now, due))
    opened = session.scalar(select(func.count()).select_from(escalation).where(UNROUTED)) or 0
    route_handovers(session, playbook, now, scope)
    session.execute(mark_with_sales(scope))
    _record(session, playbook, now, scope)
    session.execute(forget_crossings())
    return _outcome(found, opened, raised)


def due_dates(session: Session, playbook: Playbook, now: datetime) -> Mapping[str, datetime]:
    """When an answer is due to a hand-over opened at `now`, by rule."""
    spans = spans_of(playbook)
    due: dict[Span, datetime] = {span: due_after(session, playbook, now, span) for span in set(spans.values())}
    return {rule: due[span] for rule, span in spans.items()}


def _judged(playbook: Playbook, now: datetime) -> Subquery:
    """Each lead of `crossing` that asks for a hand-over, with what forbids it and the rule that opens it."""
    sources = live_sources(playbook.vocabulary, zone=ZoneInfo(playbook.office.zone))
    never = [compile_condition(rule.when, sources, now, playbook.vocabulary) for rule in playbook.never]
    # Inlined, the blocks would be evaluated again wherever they are named.
    judged = (
        select(
            crossing.c.lead_id,
            crossing.c.opening,
            crossing.c.step,
            lead.c.account_id,
            lead_score.c.band,
            lead_score.c.engagement,
            lead_score.c.fit,
            _hard(or_(false(), *never)).label("hard"),
            _soft(playbook, now).label("soft"),
        )
        .select_from(sources.from_.join(crossing, crossing.c.lead_id == lead.c.id))
        .where(lead.c.id.in_(select(crossing.c.lead_id)))
        .where(or_(crossing.c.opening != 0, crossing.c.step.is_not(None)))
        .subquery("judged")
    )
    return select(judged, _rule(playbook, judged).label("rule")).subquery("asking")


def _hard(never: ColumnElement[bool]) -> ColumnElement[str | None]:
    """Why nobody may call this lead, whatever it did."""
    open_now = select(escalation.c.lead_id).where(escalation.c.closed_at.is_(None))
    return case(
        (never, Reason.NEVER_LIST),
        (lead_state.c.lifecycle == Lifecycle.CUSTOMER, Reason.CUSTOMER),
        (lead_state.c.lifecycle == Lifecycle.DISQUALIFIED, Reason.DISQUALIFIED),
        (lead.c.deal_state == "open", Reason.OPEN_DEAL),
        (or_(lead_state.c.with_sales, lead.c.id.in_(open_now)), Reason.WITH_SALES),
        else_=null(),
    )


def _soft(playbook: Playbook, now: datetime) -> ColumnElement[str | None]:
    """Why this lead is left alone for now unless it raises a hand."""
    at = micros(now)
    # One that was taken back was no call.
    stands = escalation.c.state != EscalationState.RECALLED
    recent = select(escalation.c.lead_id).where(escalation.c.opened_at > at - playbook.sales.same_lead, stands)
    # Called lately, or to be called soon by whoever put a colleague off.
    span = playbook.sales.same_account
    put_off = and_(escalation.c.closed_at.is_(None), escalation.c.again_at.between(at - span + 1, at + span - 1))
    called = or_(escalation.c.opened_at > at - span, put_off)
    near = select(escalation.c.account_id).where(called, stands, escalation.c.account_id.is_not(None))
    return case(
        (lead_state.c.rest_until > at, Reason.RESTING),
        (lead.c.id.in_(recent), SAME_LEAD),
        (lead.c.account_id.in_(near), SAME_ACCOUNT),
        else_=null(),
    )


def _rule(playbook: Playbook, judged: Subquery) -> ColumnElement[str | None]:
    """The first rule of the file that may open a hand-over, else the step that asks; NULL when blocked."""
    free = judged.c.soft.is_(None)
    cases: list[tuple[ColumnElement[bool], ColumnElement[Any]]] = [(judged.c.hard.is_not(None), null())]
    for i, rule in enumerate(playbook.sales.hot):
        crossed = judged.c.opening.bitwise_and(literal(1 << i, BigInteger)) != 0
        holds = crossed if rule.name in playbook.sales.again_unless else crossed & free
        cases.append((holds, literal(rule.name, Word)))
    return case(*cases, (free, judged.c.step), else_=null())


def _count_blocked(session: Session, playbook: Playbook, now: datetime) -> Mapping[str | None, int]:
    """How many ask for a hand-over, by what forbids it; None for those who get one."""
    asking = _judged(playbook, now)
    why = case((asking.c.rule.is_(None), func.coalesce(asking.c.hard, asking.c.soft)), else_=null())
    rows = session.execute(select(why.label("why"), func.count().label("n")).group_by(why))
    return {row.why: row.n for row in rows}


def open_handovers(playbook: Playbook, now: datetime, due: Mapping[str, datetime]) -> Insert:
    """INSERT escalation: one a lead, and one a company unless a hand was raised; nobody has them yet."""
    asking = _judged(playbook, now)
    raised = asking.c.rule.in_(playbook.sales.again_unless)
    company = func.coalesce(asking.c.account_id, -asking.c.lead_id)
    heat = [raised.desc(), asking.c.engagement.desc(), asking.c.fit.desc(), asking.c.lead_id]
    place = func.row_number().over(partition_by=company, order_by=heat)
    ranked = select(asking, raised.label("raised"), place.label("place")).where(asking.c.rule.is_not(None))
    first = ranked.subquery("ranked")
    before = select(func.count()).where(escalation.c.lead_id == first.c.lead_id).correlate(first).scalar_subquery()
    rows = select(
        first.c.lead_id,
        first.c.account_id,
        1 + before,
        first.c.rule,
        literal("", Word),
        literal("", Word),
        func.coalesce(first.c.band, ""),
        literal(micros(now), BigInteger),
        _due(first.c.rule, due, now),
        literal(playbook.version, Word),
    ).where(or_(first.c.raised, first.c.place == 1))
    columns = ["lead_id", "account_id", "number", "rule", "rep", "route", "band", "opened_at", "due_at", "playbook"]
    return insert(escalation).from_select(columns, rows)


def _due(rule: ColumnElement[str], due: Mapping[str, datetime], now: datetime) -> ColumnElement[int]:
    cases = [(rule == name, literal(micros(at), BigInteger)) for name, at in due.items()]
    return case(*cases, else_=literal(micros(now), BigInteger)) if cases else literal(micros(now), BigInteger)


def mark_with_sales(scope: Scope) -> Update:
    """UPDATE lead_state: whoever has an open hand-over is with sales."""
    open_now = select(escalation.c.lead_id).where(escalation.c.closed_at.is_(None))
    return (
        update(lead_state)
        .where(lead_state.c.with_sales.is_(False), lead_state.c.lead_id.in_(open_now))
        .where(in_scope(lead_state.c.lead_id, scope))
        .values(with_sales=true())
    )


def _record(session: Session, playbook: Playbook, now: datetime, scope: Scope) -> None:
    detail = json_object(
        rep=escalation.c.rep,
        route=escalation.c.route,
        band=escalation.c.band,
        due_at=escalation.c.due_at,
        skipped=json_object(skipped_routes(playbook, now)),
    )
    rows = (
        select(escalation.c.lead_id, escalation.c.rule.label("subject"), detail.label("detail"))
        .join(lead, lead.c.id == escalation.c.lead_id)
        .join(lead_state, lead_state.c.lead_id == lead.c.id)
        .where(escalation.c.opened_at == micros(now), in_scope(escalation.c.lead_id, scope))
    )
    record_decisions(session, rows, kind="escalate", now=now, playbook=playbook)


def _outcome(found: Mapping[str | None, int], opened: int, raised: int) -> Outcome:
    words = {str(reason) for reason in Reason}
    near = found.get(SAME_ACCOUNT, 0) + found.get(None, 0) - opened
    return Outcome(
        phase=Phase.ESCALATE,
        read=sum(found.values()),
        changed=opened,
        counts={"opened": opened, "raised_again": raised, SAME_LEAD: found.get(SAME_LEAD, 0), SAME_ACCOUNT: near},
        skipped={Reason(word): n for word, n in found.items() if word in words},
    )
