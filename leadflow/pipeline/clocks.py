"""Clocks of hand-overs: a reminder, somebody else, the manager, and in the end the lead is a lead again."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Insert, Select, Update, and_, case, func, literal, select, update
from sqlalchemy.orm import Session

from leadflow.db import Word, insert_missing, json_object
from leadflow.eligibility import held
from leadflow.intake.lifecycle import Cause
from leadflow.intake.recycle import lead_again
from leadflow.models import assignment, deal, escalation, lead, lead_state
from leadflow.pipeline.asked import spans_of
from leadflow.pipeline.decisions import record_decisions
from leadflow.pipeline.routing import route_handovers
from leadflow.pipeline.routing_skips import skipped_routes
from leadflow.pipeline.scope import in_scope
from leadflow.playbook.model import Playbook
from leadflow.types import DAY, EscalationState, Lifecycle, Scope, Span, micros
from leadflow.windows import due_after

#: Nobody was told of those the brake holds: their clocks stand still.
#: How a hand-over came to the manager whom no route chose.
NO_ANSWER = "no_answer"
_WAITING = and_(
    escalation.c.state == EscalationState.WAITING, escalation.c.closed_at.is_(None), ~held(escalation.c.opened_at)
)
_OPEN = escalation.c.closed_at.is_(None)


def run_clocks(session: Session, playbook: Playbook, now: datetime, scope: Scope) -> Mapping[str, int]:
    """Settle, reopen, lapse and remind, as of `now`; how many of each.

    The same statements for any number; only those that look for somebody else are said for each who was silent.
    """
    counts = {"settled": _settle(session, playbook, now, scope), "reopened": _reopen(session, playbook, now, scope)}
    counts["lapsed"] = _lapse(session, playbook, now, scope)
    words = playbook.sales.no_answer
    # The last mark passed counts alone: after a long silence nobody is reminded three times at once.
    for level, word in ((3, words.at_300), (2, words.at_200), (1, words.at_100)):
        name = f"at_{level}00"
        counts[name] = _at_level(session, playbook, now, scope, level=level, word=word)
    return counts


def latest_before(session: Session, playbook: Playbook, now: datetime, span: Span) -> datetime:
    """The latest instant, whole seconds before `now`, since which `span` has passed: the inverse of `due_after`."""

    def run_since(seconds: int) -> bool:
        return due_after(session, playbook, now - timedelta(seconds=seconds), span) <= now

    too_few, enough = -1, 3600
    while not run_since(enough):
        too_few, enough = enough, 2 * enough
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        too_few, enough = (too_few, middle) if run_since(middle) else (middle, enough)
    return now - timedelta(seconds=enough)


def _settle(session: Session, playbook: Playbook, now: datetime, scope: Scope) -> int:
    """Close what the CRM or an import has decided meanwhile."""
    mine = and_(_OPEN, in_scope(escalation.c.lead_id, scope))
    lost = (
        select(deal.c.lead_id)
        .where(
            deal.c.state == "lost",
            deal.c.lead_id == escalation.c.lead_id,
            deal.c.updated_at >= escalation.c.opened_at,
            func.coalesce(deal.c.closed_at, deal.c.updated_at) + DAY > escalation.c.opened_at,
        )
        .correlate(escalation)
    )
    fate = case(
        (_stands(Lifecycle.CUSTOMER), EscalationState.WON),
        (_stands(Lifecycle.DISQUALIFIED), EscalationState.REJECTED),
        (lost.exists(), EscalationState.LOST),
    )
    count = _count(session, and_(mine, fate.is_not(None)))
    people = _people(and_(mine, fate == EscalationState.LOST), now)
    lead_again(session, playbook, now, people=people, cause=Cause.CRM)
    session.execute(
        update(lead_state)
        .where(lead_state.c.lead_id.in_(select(escalation.c.lead_id).where(mine, fate.is_not(None))))
        .where(lead_state.c.with_sales)
        .values(with_sales=False)
    )
    session.execute(update(escalation).where(mine, fate.is_not(None)).values(state=fate, closed_at=micros(now)))
    return count


def _stands(lifecycle: Lifecycle) -> ColumnElement[bool]:
    return escalation.c.lead_id.in_(select(lead_state.c.lead_id).where(lead_state.c.lifecycle == lifecycle))


def _reopen(session: Session, playbook: Playbook, now: datetime, scope: Scope) -> int:
    """`later` has come: the salesperson is told again, with a whole clock."""
    spans = spans_of(playbook)
    due = {span: micros(due_after(session, playbook, now, span)) for span in set(spans.values())}
    come = and_(
        escalation.c.state == EscalationState.LATER,
        _OPEN,
        escalation.c.again_at <= micros(now),
        in_scope(escalation.c.lead_id, scope),
    )
    count = _count(session, come)
    values = {"state": EscalationState.WAITING, "reminders": 0, "alerted_at": None}
    due_at = _by_rule({rule: due[span] for rule, span in spans.items()}, default=literal(micros(now), BigInteger))
    session.execute(update(escalation).where(come).values(due_at=due_at, **values))
    return count


def _lapse(session: Session, playbook: Playbook, now: datetime, scope: Scope) -> int:
    """Nobody answered for so long that the lead is a lead again."""
    since = func.coalesce(escalation.c.again_at, escalation.c.opened_at)
    silent = and_(
        _WAITING, since <= micros(now) - playbook.sales.no_answer.after, in_scope(escalation.c.lead_id, scope)
    )
    count = _count(session, silent)
    _record(session, playbook, now, silent, "lapsed", {"from": escalation.c.rep})
    lead_again(session, playbook, now, people=_people(silent, now), cause=Cause.SWEEP)
    session.execute(update(escalation).where(silent).values(state=EscalationState.LAPSED, closed_at=micros(now)))
    return count


def _at_level(session: Session, playbook: Playbook, now: datetime, scope: Scope, *, level: int, word: str) -> int:
    """Do what the playbook says for hand-overs that have passed `level` hundred per cent of their clock."""
    passed = and_(
        _WAITING,
        escalation.c.reminders < level,
        _passed(session, playbook, now, level),
        in_scope(escalation.c.lead_id, scope),
    )
    count = _count(session, passed)
    manager = playbook.sales.manager.name
    if word == "next_in_route":
        for rep in session.scalars(
            select(escalation.c.rep).where(passed, escalation.c.rep != manager).distinct()
        ).all():
            _to_next(session, playbook, now, scope, and_(passed, escalation.c.rep == rep), rep=rep, level=level)
    elif word == "manager":
        others = and_(passed, escalation.c.rep != manager)
        _record(session, playbook, now, others, "manager", {"from": escalation.c.rep, "rep": literal(manager, Word)})
        session.execute(_to_manager(manager, now, others))
        session.execute(_told_again(others, level).values(rep=manager, route=NO_ANSWER))
    # Whoever has it still, or the manager who had it already.
    session.execute(_told_again(passed, level))
    return count


def _to_manager(manager: str, now: datetime, which: ColumnElement[bool]) -> Insert:
    """INSERT assignment: the manager is given what others let lie."""
    names = ["escalation_id", "at", "rep", "route", "taken_from", "turn"]
    at, silent = literal(micros(now), BigInteger), escalation.c.rep
    rows = select(escalation.c.id, at, literal(manager, Word), literal(NO_ANSWER, Word), silent, literal(0)).where(
        which
    )
    return insert_missing(assignment, names, rows)


def _to_next(
    session: Session,
    playbook: Playbook,
    now: datetime,
    scope: Scope,
    mine: ColumnElement[bool],
    *,
    rep: str,
    level: int,
) -> None:
    """Take hand-overs from one salesperson and route them anew, past that person."""
    session.execute(_told_again(mine, level).values(rep="", route=""))
    route_handovers(session, playbook, now, scope, without=rep)
    # Whoever took it is noted by now, so the record can say who.
    given = select(assignment.c.escalation_id).where(assignment.c.at == micros(now), assignment.c.taken_from == rep)
    skipped = json_object(skipped_routes(playbook, now, without=rep))
    to = {"rep": escalation.c.rep, "route": escalation.c.route, "skipped": skipped}
    _record(session, playbook, now, escalation.c.id.in_(given), "next_in_route", {"from": literal(rep, Word), **to})


def _told_again(which: ColumnElement[bool], level: int) -> Update:
    return update(escalation).where(which).values(reminders=level, alerted_at=None)


def _passed(session: Session, playbook: Playbook, now: datetime, level: int) -> ColumnElement[bool]:
    """Due so long ago that the whole clock has run `level` times; business hours only, as the clock counts."""
    due_at = escalation.c.due_at
    if level == 1:
        return due_at <= micros(now)
    spans = spans_of(playbook)
    times = {
        span: micros(latest_before(session, playbook, now, Span(kind=span.kind, amount=span.amount * (level - 1))))
        for span in set(spans.values())
    }
    # A rule no file names any more keeps the clock it was given.
    elapsed = micros(now) - (level - 1) * (due_at - escalation.c.opened_at)
    return due_at <= _by_rule({rule: times[span] for rule, span in spans.items()}, default=elapsed)


def _by_rule(values: Mapping[str, int], *, default: ColumnElement[Any]) -> ColumnElement[Any]:
    cases = [(escalation.c.rule == rule, literal(value, BigInteger)) for rule, value in values.items()]
    return case(*cases, else_=default) if cases else default


def _people(which: ColumnElement[bool], now: datetime) -> Select[Any]:
    return select(escalation.c.lead_id, literal(micros(now), BigInteger).label("effective_at")).where(which)


def _count(session: Session, which: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(escalation).where(which)) or 0


def _record(
    session: Session,
    playbook: Playbook,
    now: datetime,
    which: ColumnElement[bool],
    reason: str,
    detail: Mapping[str, ColumnElement[Any]],
) -> None:
    rows = (
        select(
            escalation.c.lead_id,
            escalation.c.rule.label("subject"),
            literal(reason, Word).label("reason"),
            json_object(detail).label("detail"),
        )
        .join(lead, lead.c.id == escalation.c.lead_id)
        .join(lead_state, lead_state.c.lead_id == escalation.c.lead_id)
        .where(which)
    )
    record_decisions(session, rows, kind="escalate", now=now, playbook=playbook)
