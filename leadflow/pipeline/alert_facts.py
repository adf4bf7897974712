"""Gathers what an alert says about each hand-over: the person, the acts, the mails; four statements for any number."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, select
from sqlalchemy.orm import Session

from leadflow.db import database_now
from leadflow.eligibility import held
from leadflow.models import account, escalation, event, identity, lead, lead_score, lead_state, lock, message, sweep
from leadflow.playbook.model import Playbook
from leadflow.types import COUNTS_AS_RECEIVED, DAY, FULL_WEIGHT, IN_FLIGHT, EscalationState, micros

#: How far back the acts an alert speaks of reach.
RECENT = 30 * DAY
_RECEIVED = [state for state in COUNTS_AS_RECEIVED if state not in IN_FLIGHT]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something the person did, as often as it did it."""

    kind: str
    path: str | None
    times: int
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A mail the person got."""

    email: str
    clicked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All an alert knows. `row` has the columns of the hand-over and of the person."""

    row: Row[Any]
    acts: tuple[Act, ...]
    received: tuple[Received, ...]
    #: Other people of the company who did something lately.
    colleagues: int


def untold(session: Session, playbook: Playbook, now: datetime) -> list[Facts]:
    """The waiting hand-overs that nobody was told of, the most urgent first.

    Not those of a night that the brake holds, nor of a sweep under way, which it has not judged to the end.
    """
    free = ~held(escalation.c.opened_at) & ~_under_way(now)
    rows = session.execute(_handovers().where(free)).all()
    ids = [row.lead_id for row in rows]
    if not ids:
        return []
    acts = _acts(session, playbook, ids, now)
    received = _received(session, ids)
    colleagues = _colleagues(session, ids, now)
    return [
        Facts(
            row=row,
            acts=tuple(acts[row.lead_id]),
            received=tuple(received[row.lead_id]),
            colleagues=colleagues.get(row.lead_id, 0),
        )
        for row in rows
    ]


def _under_way(now: datetime) -> ColumnElement[bool]:
    """Opened by a sweep, other than the one that asks, which goes on in a process that lives."""
    live = select(lock.c.name).where(lock.c.name == "sweep", lock.c.lease_until > database_now()).exists()
    going = select(sweep.c.at).where(sweep.c.finished_at.is_(None), sweep.c.at != micros(now), live)
    return escalation.c.opened_at.in_(going.correlate(None))


def _handovers() -> Any:
    of_handover = ("id", "lead_id", "rule", "rep", "route", "band", "opened_at", "due_at", "reminders", "number")
    of_lead = ("first_name", "last_name", "phone", "language", "country", "basis", "source", "informed_on")
    return (
        select(
            *(escalation.c[name] for name in of_handover),
            *(lead.c[name] for name in (*of_lead, "attributes", "provenance")),
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
        .where(escalation.c.state == EscalationState.WAITING, escalation.c.rep != "")
        .order_by(escalation.c.due_at, escalation.c.id)
    )


def _acts(session: Session, playbook: Playbook, ids: Sequence[int], now: datetime) -> Mapping[int, list[Act]]:
    """What each person did lately, newest first; only what weighs, and only words of the playbook."""
    last = func.max(event.c.occurred_at)
    rows = session.execute(
        select(event.c.lead_id, event.c.kind, event.c.path, func.count().label("times"), last.label("last"))
        .where(event.c.lead_id.in_(ids), event.c.weight == FULL_WEIGHT)
        .where(event.c.kind.in_(sorted(playbook.vocabulary.events)))
        .where(event.c.occurred_at >= micros(now) - RECENT, event.c.occurred_at < micros(now))
        .group_by(event.c.lead_id, event.c.kind, event.c.path)
        .order_by(last.desc(), event.c.kind, event.c.path)
    )
    acts: dict[int, list[Act]] = defaultdict(list)
    for row in rows:
        acts[row.lead_id].append(Act(kind=row.kind, path=row.path, times=row.times, last=row.last))
    return acts


def _received(session: Session, ids: Sequence[int]) -> Mapping[int, list[Received]]:
    clicks = (
        select(event.c.message_id)
        .where(event.c.kind == "email_clicked", event.c.weight == FULL_WEIGHT, event.c.message_id.is_not(None))
        .where(event.c.lead_id.in_(ids))
        .distinct()
        .subquery("clicks")
    )
    rows = session.execute(
        select(message.c.lead_id, message.c.email, clicks.c.message_id.is_not(None).label("clicked"))
        .outerjoin(clicks, clicks.c.message_id == message.c.id)
        .where(message.c.lead_id.in_(ids), message.c.state.in_(_RECEIVED))
        .order_by(message.c.sent_at, message.c.id)
    )
    received: dict[int, list[Received]] = defaultdict(list)
    for row in rows:
        received[row.lead_id].append(Received(email=row.email, clicked=bool(row.clicked)))
    return received


def _colleagues(session: Session, ids: Sequence[int], now: datetime) -> Mapping[int, int]:
    """How many others of the same company did something lately."""
    other = lead.alias("other")
    active = select(event.c.lead_id).where(
        event.c.occurred_at >= micros(now) - RECENT, event.c.weight > 0, event.c.lead_id.is_not(None)
    )
    rows = session.execute(
        select(lead.c.id, func.count().label("n"))
        .join(other, and_(other.c.account_id == lead.c.account_id, other.c.id != lead.c.id))
        .where(lead.c.id.in_(ids), other.c.id.in_(active))
        .group_by(lead.c.id)
    )
    return {row.id: row.n for row in rows}
