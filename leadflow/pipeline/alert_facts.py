"""Gathers what an alert says about each hand-over: the person, the acts, the mails, the company, and who is next."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, or_, select
from sqlalchemy.orm import Session

from leadflow.db import database_now
from leadflow.eligibility import held
from leadflow.models import account, assignment, escalation, identity, lead, lead_score, lead_state, lock, sweep
from leadflow.pipeline.alert_people import Act, Colleague, Received, acts_of, colleagues_of, received_by
from leadflow.pipeline.next_in_line import next_in_line
from leadflow.playbook.model import Playbook
from leadflow.types import EscalationState, micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All an alert knows. `row` has the columns of the hand-over and of the person."""

    row: Row[Any]
    acts: tuple[Act, ...]
    received: tuple[Received, ...]
    #: Others of the company who did something lately, or decide there.
    colleagues: tuple[Colleague, ...]
    #: Who gets it when this salesperson stays silent; None when nobody else would.
    next_rep: str | None = None


def untold(session: Session, playbook: Playbook, now: datetime) -> list[Facts]:
    """The waiting hand-overs that nobody was told of, the most urgent first.

    Not those of a night that the brake holds, nor of a sweep under way, which it has not judged to the end.
    """
    free = ~held(escalation.c.opened_at) & ~_under_way(now)
    rows = session.execute(_handovers().where(free)).all()
    ids = [row.lead_id for row in rows]
    if not ids:
        return []
    acts = acts_of(session, playbook, ids, now)
    received = received_by(session, ids)
    colleagues = colleagues_of(session, ids, now)
    stepping_in = next_in_line(session, playbook, now, rows)
    return [
        Facts(
            row=row,
            acts=tuple(acts.get(row.lead_id, ())),
            received=tuple(received.get(row.lead_id, ())),
            colleagues=tuple(colleagues.get(row.lead_id, ())),
            next_rep=stepping_in.get(row.id),
        )
        for row in rows
    ]


def _under_way(now: datetime) -> ColumnElement[bool]:
    """Opened by a sweep, other than the one that asks, which goes on in a process that lives."""
    live = select(lock.c.name).where(lock.c.name == "sweep", lock.c.lease_until > database_now()).exists()
    going = select(sweep.c.at).where(sweep.c.finished_at.is_(None), sweep.c.at != micros(now), live)
    return escalation.c.opened_at.in_(going.correlate(None))


def _handovers() -> Any:
    of_handover = ("id", "lead_id", "rule", "rep", "band", "opened_at", "due_at", "again_at", "raised_at")
    # Whoever has accepted somebody is told that they ask again.
    raised_since = and_(escalation.c.state == EscalationState.ACCEPTED, escalation.c.raised_at.is_not(None))
    before = select(assignment.c.taken_from).where(
        assignment.c.escalation_id == escalation.c.id, assignment.c.rep == escalation.c.rep
    )
    of_lead = ("first_name", "last_name", "phone", "language", "country", "basis", "source", "informed_on")
    return (
        select(
            *(escalation.c[name] for name in (*of_handover, "state", "reminders")),
            *(lead.c[name] for name in (*of_lead, "attributes", "provenance")),
            before.order_by(assignment.c.at.desc()).limit(1).scalar_subquery().label("taken_from"),
            account.c.name.label("company"),
            identity.c.value.label("address"),
            lead_state.c.stage,
            lead_state.c.lifecycle,
            lead_state.c.criteria,
            lead_state.c.segment_main,
            lead_score.c.fit,
            lead_score.c.engagement,
        )
        .join(lead, lead.c.id == escalation.c.lead_id)
        .outerjoin(account, account.c.id == lead.c.account_id)
        .outerjoin(identity, identity.c.id == lead.c.address_id)
        .outerjoin(lead_state, lead_state.c.lead_id == lead.c.id)
        .outerjoin(lead_score, lead_score.c.lead_id == lead.c.id)
        .where(escalation.c.alerted_at.is_(None), escalation.c.closed_at.is_(None))
        .where(escalation.c.rep != "", or_(escalation.c.state == EscalationState.WAITING, raised_since))
        .order_by(escalation.c.due_at, escalation.c.id)
    )
