"""Which open hand-overs rest on clicks of machines: their rule held on that night, and without these it does not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, exists, select
from sqlalchemy.orm import Session

from leadflow.ask.person import Subject, subject_at, unspent
from leadflow.ask.scores import score_person
from leadflow.conditions.evaluate import Act, View, holds
from leadflow.models import dirty, escalation, event
from leadflow.playbook.model import Playbook
from leadflow.types import FULL_WEIGHT, EscalationState

#: Nobody at sales has begun with it.
_UNTOUCHED = (EscalationState.WAITING, EscalationState.LATER)
_CLICK = "email_clicked"

_Row = Row[tuple[int, int, str, datetime]]


def resting_on_machines(session: Session, playbook: Playbook, now: datetime, *, touched: bool = False) -> list[int]:
    """The hand-overs, by id, that today's judgement of clicks would not have opened.

    Of `touched` people alone: those whose scores are to be counted again.
    """
    return list(_resting(session, playbook, now, taken=False, touched=touched))


def taken_on_machines(session: Session, playbook: Playbook, now: datetime) -> list[int]:
    """The same of those that a salesperson has accepted: they talk to a person, so theirs they stay."""
    return list(_resting(session, playbook, now, taken=True))


def _resting(
    session: Session, playbook: Playbook, now: datetime, *, taken: bool, touched: bool = False
) -> Iterator[int]:
    states = (EscalationState.ACCEPTED,) if taken else _UNTOUCHED
    handovers = _open(states)
    if touched:
        handovers = handovers.where(escalation.c.lead_id.in_(select(dirty.c.lead_id)))
    for row in session.execute(handovers).all():
        if _rests_on_machines(session, playbook, row, now):
            yield row.id


def _open(states: tuple[EscalationState, ...]) -> Select[tuple[int, int, str, datetime]]:
    """Open hand-overs of people with a click that no person is sure to have made."""
    doubted = exists().where(
        event.c.lead_id == escalation.c.lead_id,
        event.c.kind == _CLICK,
        event.c.weight < FULL_WEIGHT,
        event.c.occurred_at < escalation.c.opened_at,
    )
    columns = (escalation.c.id, escalation.c.lead_id, escalation.c.rule, escalation.c.opened_at)
    return select(*columns).where(escalation.c.closed_at.is_(None), escalation.c.state.in_(states), doubted)


def _rests_on_machines(session: Session, playbook: Playbook, row: _Row, now: datetime) -> bool:
    rule = next((rule for rule in playbook.sales.hot if rule.name == row.rule), None)
    if rule is None or row.opened_at > now:
        return False
    zone = ZoneInfo(playbook.office.zone)
    view = View(now=row.opened_at, vocabulary=playbook.vocabulary, segments=playbook.segment_conditions, zone=zone)
    known = subject_at(session, playbook, row.lead_id, row.opened_at)

    def fires(subject: Subject) -> bool:
        scored = unspent(score_person(session, playbook, subject, view).person, subject)
        # The hand-over itself was not there yet when its rule was judged.
        free = replace(scored, fields={**scored.fields, "with_sales": False})
        return holds(rule.when, free, replace(view, fresh_within=playbook.sales.newer_than))

    return not fires(known) and fires(_as_if_clicked(known))


def _as_if_clicked(subject: Subject) -> Subject:
    """The subject with every click made by a person."""
    acts = [_human(act) if act.kind == _CLICK else act for act in subject.person.events]
    return replace(subject, person=replace(subject.person, events=acts))


def _human(act: Act) -> Act:
    return replace(act, weight=FULL_WEIGHT)
