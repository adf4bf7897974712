"""One person as they were known at an instant, for questions: fields, acts, and the decisions taken by then."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import RowMapping, func, select
from sqlalchemy.orm import Session

from leadflow.conditions.evaluate import Act, Person
from leadflow.conditions.sources import CONSENT, LEAD_COLUMNS
from leadflow.errors import UsageError
from leadflow.models import (
    account,
    consent,
    escalation,
    event,
    identity,
    lead,
    lead_change,
    lead_state,
    lifecycle_change,
    membership,
    stage_change,
    sweep,
)
from leadflow.playbook.model import Playbook
from leadflow.text import _
from leadflow.types import EscalationState


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom a question is about; `person` holds the given facts and decisions, not the scores."""

    lead_id: int
    address: str
    at: datetime
    row: RowMapping
    person: Person
    #: What an earlier hand-over used up: stages and hot rules leave out acts before this instant.
    spent_before: datetime | None


def find_lead(session: Session, who: str) -> int:
    """The lead behind an address or an `L-0147`; UsageError when there is none."""
    if who.upper().startswith("L-") and who[2:].isdigit():
        query = select(lead.c.id).where(lead.c.id == int(who[2:]))
    else:
        known = identity.c.kind == "email", identity.c.value == who.strip().casefold()
        query = select(identity.c.lead_id).where(*known)
    found = session.scalar(query)
    if found is None:
        raise UsageError(_("nobody is known as {who}").format(who=who))
    return int(found)


def last_look(session: Session, lead_id: int) -> datetime | None:
    """When a sweep last looked at the lead: of everyone, or of this one."""
    night = session.scalar(select(func.max(sweep.c.at)).where(sweep.c.scope == "everyone"))
    alone = session.scalar(select(lead_state.c.as_of).where(lead_state.c.lead_id == lead_id))
    return max((at for at in (night, alone) if at is not None), default=None)


def subject_at(session: Session, playbook: Playbook, lead_id: int, at: datetime) -> Subject:
    """The lead as known at `at`: later changes taken back, later acts and decisions left out."""
    joined = (
        select(lead, identity.c.value.label("address"), lead_state.c.spent_before, lead_state.c.rest_until)
        .outerjoin(identity, identity.c.id == lead.c.address_id)
        .outerjoin(lead_state, lead_state.c.lead_id == lead.c.id)
        .where(lead.c.id == lead_id)
    )
    row = session.execute(joined).mappings().one()
    acts = acts_before(session, lead_id, at)
    inside = segments_at(session, lead_id, at)
    fields: dict[str, object] = {name: row[name] for name in (*LEAD_COLUMNS, "account_id")} | dict(row["attributes"])
    fields |= _taken_back(session, lead_id, at)
    fields |= {name: fields.get(name) or fields["source"] for name in ("first_source", "last_source")}
    fields["company"] = session.scalar(select(account.c.name).where(account.c.id == fields.pop("account_id")))
    fields |= _decided(session, playbook, lead_id, at)
    fields |= _agreed(session, lead_id, at)
    fields["segment_main"] = next((name for name in playbook.segment_order if name in inside), None)
    person = Person(fields=fields, events=acts, segments=frozenset(inside))
    return Subject(
        lead_id=lead_id,
        address=row["address"] or "",
        at=at,
        row=row,
        person=person,
        spent_before=_spent_before(session, lead_id, at, row["spent_before"]),
    )


def unspent(person: Person, subject: Subject) -> Person:
    """The person as stages and hot rules see them."""
    return replace(person, spent_before=subject.spent_before)


def _spent_before(session: Session, lead_id: int, at: datetime, today: datetime | None) -> datetime | None:
    """When acts were last spent by `at`: today's word if it was so already, else when the hand-over before ended."""
    if today is None or today <= at:
        return today
    ended = select(func.max(escalation.c.closed_at)).where(
        escalation.c.lead_id == lead_id, escalation.c.closed_at <= at
    )
    found: datetime | None = session.scalar(ended.where(escalation.c.state.in_([*_SPENDING])))
    return found


def acts_before(session: Session, lead_id: int, at: datetime) -> list[Act]:
    """The acts a sweep at `at` sees, oldest first."""
    seen = event.c.occurred_at < at, event.c.received_at < at
    columns = [event.c[n] for n in ("kind", "occurred_at", "received_at", "path", "weight", "properties")]
    query = select(*columns).where(event.c.lead_id == lead_id, *seen).order_by(event.c.occurred_at, event.c.id)
    return [Act(**row) for row in session.execute(query).mappings()]


def segments_at(session: Session, lead_id: int, at: datetime) -> list[str]:
    """The segments the lead was in, as of the sweep at `at`."""
    inside = membership.c.joined_at <= at, (membership.c.left_at.is_(None)) | (membership.c.left_at > at)
    return list(session.scalars(select(membership.c.segment).where(membership.c.lead_id == lead_id, *inside)))


#: How a hand-over ends that gives the lead back to marketing.
_SPENDING = (EscalationState.REJECTED, EscalationState.LOST, EscalationState.LAPSED)


def _taken_back(session: Session, lead_id: int, at: datetime) -> Mapping[str, object]:
    """Field → the value it had before its first change after `at`."""
    # A sweep reads what its own capture has just written: a change at its very instant is one it knew.
    later = (
        select(lead_change.c.field, lead_change.c.before)
        .where(lead_change.c.lead_id == lead_id, lead_change.c.at > at)
        .order_by(lead_change.c.at.desc(), lead_change.c.id.desc())
    )
    return {row.field: None if row.before is None else row.before.get("v") for row in session.execute(later)}


def _decided(session: Session, playbook: Playbook, lead_id: int, at: datetime) -> Mapping[str, object]:
    """Stage, lifecycle and with_sales as the record has them at `at`."""
    moves, lives = stage_change.c, lifecycle_change.c
    stage = select(moves.after).where(moves.lead_id == lead_id, moves.at <= at).order_by(moves.at.desc())
    life = select(lives.after).where(lives.lead_id == lead_id, lives.recorded_at <= at)
    held = (
        select(func.count())
        .select_from(escalation)
        .where(escalation.c.lead_id == lead_id, escalation.c.opened_at <= at)
        .where((escalation.c.closed_at.is_(None)) | (escalation.c.closed_at > at))
    )
    return {
        "stage": session.scalar(stage.limit(1)) or playbook.journey.stages[0].name,
        "lifecycle": session.scalar(life.order_by(lives.recorded_at.desc(), lives.id.desc()).limit(1)) or "lead",
        "with_sales": bool(session.scalar(held)),
    }


def _agreed(session: Session, lead_id: int, at: datetime) -> Mapping[str, object]:
    lines = (
        select(consent.c.purpose, consent.c.state)
        .where(consent.c.lead_id == lead_id, consent.c.at <= at)
        .order_by(consent.c.at, consent.c.id)
    )
    return {f"{CONSENT}{line.purpose}": line.state == "given" for line in session.execute(lines)}


def code_of(lead_id: int) -> str:
    """How a lead is named where no address may stand: `L-0147`."""
    return f"L-{lead_id:04}"
