"""Why a person was handed to sales: the rule with its evidence of that moment, who got it, and what came back."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from sqlalchemy import RowMapping, select
from sqlalchemy.orm import Session

from leadflow.ask.person import Subject, subject_at, unspent
from leadflow.ask.scores import score_person
from leadflow.ask.section import Section, minute, proved
from leadflow.conditions.evaluate import View
from leadflow.models import decision, escalation
from leadflow.playbook.model import Playbook
from leadflow.text import _
from leadflow.types import EscalationState

#: Older hand-overs are only counted.
_SHOWN = 2


def sales_section(session: Session, playbook: Playbook, subject: Subject, view: View) -> Section | None:
    """The newest hand-overs by the subject's instant; None when there was none."""
    query = (
        select(escalation)
        .where(escalation.c.lead_id == subject.lead_id, escalation.c.opened_at <= subject.at)
        .order_by(escalation.c.number.desc())
    )
    rows = session.execute(query).mappings().all()
    if not rows:
        return None
    lines = [line for row in rows[:_SHOWN] for line in _handover(session, playbook, subject, view, row)]
    if len(rows) > _SHOWN:
        lines.append(_("and {n} before").format(n=len(rows) - _SHOWN))
    return Section(title=_("WHY SALES"), lines=tuple(lines))


def _handover(session: Session, playbook: Playbook, subject: Subject, view: View, row: RowMapping) -> Iterator[str]:
    yield _("{rule} on {at}, {band} then:").format(
        rule=row["rule"], at=minute(row["opened_at"], view.zone), band=row["band"] or "–"
    )
    yield from (f"  {line}" for line in _evidence(session, playbook, subject, view, row))
    yield "→ " + _("{rep}, by the route {route}{skipped}; answer due {due}; {state}").format(
        rep=row["rep"],
        route=row["route"],
        skipped=_skipped(session, subject, row["rule"], row["opened_at"]),
        due=minute(row["due_at"], view.zone),
        state=_answer(row, subject.at, view),
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


def _skipped(session: Session, subject: Subject, rule: str, at: datetime) -> str:
    """Which routes came before and why they gave nobody."""
    mine = (decision.c.lead_id == subject.lead_id, decision.c.kind == "escalate", decision.c.at == at)
    detail = session.scalar(select(decision.c.detail).where(*mine, decision.c.subject == rule)) or {}
    skipped = {route: why for route, why in (detail.get("skipped") or {}).items() if why}
    return "".join(f" ({route}: {str(why).replace('_', ' ')})" for route, why in skipped.items())


def _answer(row: RowMapping, at: datetime, view: View) -> str:
    """What the salesperson had said by `at`."""
    answered = row["answered_at"] or row["closed_at"]
    if row["state"] == EscalationState.WAITING or answered is None or answered > at:
        return _("not answered yet") if row["due_at"] > at else _("not answered, and late")
    reason = f" ({row['answer_reason']})" if row["answer_reason"] else ""
    return f"{_state_words(EscalationState(row['state']))} {minute(answered, view.zone)}{reason}"


def _state_words(state: EscalationState) -> str:
    return {
        EscalationState.WAITING: _("waiting"),
        EscalationState.ACCEPTED: _("accepted"),
        EscalationState.LATER: _("put off"),
        EscalationState.REJECTED: _("rejected"),
        EscalationState.WON: _("won"),
        EscalationState.LOST: _("lost"),
        EscalationState.LAPSED: _("lapsed: nobody answered"),
    }[state]
