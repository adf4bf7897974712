"""One person as they were known at an instant, for questions: fields, acts, and the decisions taken by then."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, func, select
from sqlalchemy.orm import Session

from leadflow.conditions.evaluate import Act, Person
from leadflow.conditions.sources import CONSENT, CRITERION, LEAD_COLUMNS
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom a question is about; `person` holds the given facts and decisions, not the scores."""

    lead_id: int
    address: str
    at: datetime
    row: RowMapping
    person: Person


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
        select(lead, account.c.name.label("company"), identity.c.value.label("address"), lead_state.c.spent_before)
        .outerjoin(account, account.c.id == lead.c.account_id)
        .outerjoin(identity, identity.c.id == lead.c.address_id)
        .outerjoin(lead_state, lead_state.c.lead_id == lead.c.id)
        .where(lead.c.id == lead_id)
    )
    row = session.execute(joined).mappings().one()
    fields: dict[str, object] = {name: row[name] for name in LEAD_COLUMNS} | dict(row["attributes"])
    fields["company"] = row["company"]
    fields |= _taken_back(session, lead_id, at)
    fields |= _decided(session, playbook, lead_id, at)
    fields |= _agreed(session, lead_id, at)
    fields["segment_main"] = row_main(session, playbook, lead_id, at)
    person = Person(
        fields=fields,
        events=acts_before(session, lead_id, at),
        segments=frozenset(segments_at(session, lead_id, at)),
        spent_before=row["spent_before"],
    )
    return Subject(lead_id=lead_id, address=row["address"] or "", at=at, row=row, person=person)


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


def row_main(session: Session, playbook: Playbook, lead_id: int, at: datetime) -> str | None:
    """The first of the lead's segments in the playbook's order."""
    inside = segments_at(session, lead_id, at)
    return next((name for name in playbook.segment_order if name in inside), None)


def _taken_back(session: Session, lead_id: int, at: datetime) -> Mapping[str, object]:
    """Field → the value it had before its first change since `at`."""
    later = (
        select(lead_change.c.field, lead_change.c.before)
        .where(lead_change.c.lead_id == lead_id, lead_change.c.at >= at)
        .order_by(lead_change.c.at.desc(), lead_change.c.id.desc())
    )
    return {row.field: None if row.before is None else row.before.get("v") for row in session.execute(later)}


def _decided(session: Session, playbook: Playbook, lead_id: int, at: datetime) -> Mapping[str, object]:
    """Stage, lifecycle, qualification and with_sales as the record has them at `at`."""
    stage = session.scalar(_last(stage_change, stage_change.c.after, lead_id, stage_change.c.at, at))
    life = session.scalar(
        _last(lifecycle_change, lifecycle_change.c.after, lead_id, lifecycle_change.c.recorded_at, at)
    )
    held = session.scalar(
        select(func.count())
        .select_from(escalation)
        .where(escalation.c.lead_id == lead_id, escalation.c.opened_at <= at)
        .where((escalation.c.closed_at.is_(None)) | (escalation.c.closed_at > at))
    )
    state = session.execute(select(lead_state).where(lead_state.c.lead_id == lead_id)).mappings().one()
    bits = state["criteria"]
    criteria = {
        f"{CRITERION}{criterion.name}": "met" if bits >> i & 1 else "unmet"
        for i, criterion in enumerate(playbook.journey.criteria)
    }
    return {
        "stage": stage or playbook.journey.stages[0].name,
        "lifecycle": life or "lead",
        "with_sales": bool(held),
        "qualification": state["qualification"],
        **criteria,
    }


def _last(table: Any, column: Any, lead_id: int, when: Any, at: datetime) -> Any:
    return select(column).where(table.c.lead_id == lead_id, when <= at).order_by(when.desc()).limit(1)


def _agreed(session: Session, lead_id: int, at: datetime) -> Mapping[str, object]:
    lines = (
        select(consent.c.purpose, consent.c.state)
        .where(consent.c.lead_id == lead_id, consent.c.at < at)
        .order_by(consent.c.at, consent.c.id)
    )
    return {f"{CONSENT}{line.purpose}": line.state == "given" for line in session.execute(lines)}


def code_of(lead_id: int) -> str:
    """How a lead is named where no address may stand: `L-0147`."""
    return f"L-{lead_id:04}"
