"""Why a person was handed to sales, with the evidence of that moment, who got it and what came back; or why not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from sqlalchemy import RowMapping, func, select
from sqlalchemy.orm import Session

from leadflow.ask.dates import clock_of, date_of, short_of
from leadflow.ask.not_hot import not_hot_lines
from leadflow.ask.person import Subject, subject_at, unspent
from leadflow.ask.scores import Scored, score_person
from leadflow.ask.section import Section, proved
from leadflow.conditions.evaluate import View
from leadflow.models import assignment, decision, escalation
from leadflow.playbook.model import Playbook, Salesperson
from leadflow.text import _
from leadflow.types import EscalationState, micros

#: Older hand-overs are only counted.
_SHOWN = 2


def sales_section(session: Session, playbook: Playbook, subject: Subject, scored: Scored, view: View) -> Section:
    """The newest hand-overs by the subject's instant; while nobody has the person, what a hand-over lacks."""
    query = (
        select(escalation)
        .where(escalation.c.lead_id == subject.lead_id, escalation.c.opened_at <= subject.at)
        .order_by(escalation.c.number.desc())
    )
    rows = session.execute(query).mappings().all()
    lines = [line for row in rows[:_SHOWN] for line in _handover(session, playbook, subject, view, row)]
    if len(rows) > _SHOWN:
        lines.append(_("and {n} before").format(n=len(rows) - _SHOWN))
    if not subject.person.fields["with_sales"]:
        lines += not_hot_lines(session, playbook, subject, scored, view)
    return Section(title=_("WHY SALES") if rows else _("WHY NOT SALES"), lines=tuple(lines))


def _handover(session: Session, playbook: Playbook, subject: Subject, view: View, row: RowMapping) -> Iterator[str]:
    yield _("{rule}, {at}, {band} then:").format(
        rule=row["rule"], at=short_of(row["opened_at"], view), band=row["band"] or "–"
    )
    yield from (f"  {line}" for line in _evidence(session, playbook, subject, view, row))
    told = [*_skipped(session, playbook, subject, row), _given(session, playbook, row, view)]
    yield "→ " + "; ".join(filter(None, told))
    yield "  " + _("answer due {due}; {state}").format(
        due=short_of(row["due_at"], view), state=_answer(row, subject.at, view)
    )


def _evidence(session: Session, playbook: Playbook, subject: Subject, view: View, row: RowMapping) -> Iterator[str]:
    """The hot rule proved on the facts of the night it fired; a step of a sequence needs no proof."""
    rule = next((rule for rule in playbook.sales.hot if rule.name == row["rule"]), None)
    if rule is None:
        yield _("asked for by a step of a sequence") if "/" in row["rule"] else _("no file has this rule any more")
        return
    then = replace(view, now=row["opened_at"])
    known = subject_at(session, playbook, subject.lead_id, row["opened_at"])
    person = unspent(score_person(session, playbook, known, then).person, known)
    # The hand-over itself was not there yet when its rule was judged.
    person = replace(person, fields={**person.fields, "with_sales": False})
    yield from proved(rule.when, person, replace(then, fresh_within=playbook.sales.newer_than))


def _skipped(session: Session, playbook: Playbook, subject: Subject, row: RowMapping) -> Iterator[str]:
    """Which routes came before and why they gave nobody."""
    mine = (decision.c.lead_id == subject.lead_id, decision.c.kind == "escalate", decision.c.at == row["opened_at"])
    detail = session.scalar(select(decision.c.detail).where(*mine, decision.c.subject == row["rule"])) or {}
    skipped = detail.get("skipped") or {}
    for route in playbook.sales.routes:
        if why := skipped.get(route.name):
            yield f"{route.name}: {_skip_words(str(why))}"


def _skip_words(why: str) -> str:
    return {
        "no_owner": _("the account has no owner"),
        "away": _("away"),
        "at_limit": _("at the limit"),
        "language": _("nobody speaks the language"),
        "segment": _("nobody has the segment"),
        "silent": _("let the clock run out"),
    }.get(why, why.replace("_", " "))


def _given(session: Session, playbook: Playbook, row: RowMapping, view: View) -> str:
    """Who got it, by which route, how much they had that day, and when they had the one before."""
    given = assignment.c
    first = session.execute(
        select(given.rep, given.route, given.at).where(given.escalation_id == row["id"]).order_by(given.at)
    ).first()
    rep, route, at = (first.rep, first.route, first.at) if first else (row["rep"], row["route"], row["opened_at"])
    words = [_("{rep}, by the route {route}").format(rep=rep, route=route), *_load(session, playbook, rep, at, view)]
    if rep != row["rep"]:
        words.append(_("now with {rep}").format(rep=row["rep"]))
    return ", ".join(words)


def _load(session: Session, playbook: Playbook, rep: str, at: datetime, view: View) -> Iterator[str]:
    """`2 of 4 today`, `the last one on 19 March`."""
    person: Salesperson | None = next((one for one in playbook.sales.team if one.name == rep), None)
    midnight = at.astimezone(view.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    given = assignment.c
    mine = select(func.count()).where(given.rep == rep, given.at <= micros(at))
    if person is not None and person.per_day is not None:
        today = session.scalar(mine.where(given.at >= micros(midnight))) or 0
        yield _("{n} of {limit} that day").format(n=today, limit=person.per_day)
    before = session.scalar(select(func.max(given.at)).where(given.rep == rep, given.at < micros(at)))
    if before is not None:
        yield _("the one before on {date}").format(date=date_of(before, view))


def _answer(row: RowMapping, at: datetime, view: View) -> str:
    """What the salesperson had said by `at`."""
    answered = row["answered_at"] or row["closed_at"]
    if row["state"] == EscalationState.WAITING or answered is None or answered > at:
        return _("not answered yet") if row["due_at"] > at else _("not answered, and late")
    reason = f" ({row['answer_reason']})" if row["answer_reason"] else ""
    words = _state_words(EscalationState(row["state"]))
    return f"{words} {date_of(answered, view)} {clock_of(answered, view)}{reason}"


def _state_words(state: EscalationState) -> str:
    return {
        EscalationState.WAITING: _("waiting"),
        EscalationState.ACCEPTED: _("accepted"),
        EscalationState.LATER: _("put off"),
        EscalationState.REJECTED: _("rejected"),
        EscalationState.WON: _("won"),
        EscalationState.LOST: _("lost"),
        EscalationState.LAPSED: _("lapsed: nobody answered"),
        EscalationState.RECALLED: _("taken back: its clicks were a machine's"),
    }[state]
