"""Capture: what came in and waits (forms, acts) becomes people, answers, consents and events; each counts once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Row, Select, bindparam, literal, select, update
from sqlalchemy.orm import Session

from leadflow.db import insert_into
from leadflow.errors import LeadflowError
from leadflow.intake.acts import Act, ActReader
from leadflow.intake.confirming import Asked, ask_to_confirm
from leadflow.intake.events import BATCH, NewEvent, record_events
from leadflow.intake.people import Change, upsert_people
from leadflow.intake.person import Person, PersonReader
from leadflow.intake.visitors import Owner, owners_of
from leadflow.models import intake, lead, lead_score, lead_state
from leadflow.pipeline.scope import in_scope
from leadflow.playbook.model import Playbook, Wish
from leadflow.text import _
from leadflow.types import Lifecycle, Outcome, Phase, Scope, micros

KINDS = ("form", "event", "replay")
#: Provenance of an answer: whoever fills in a form gives it themselves, whichever way the form came.
FORM = "form"


@dataclass(slots=True)
class _Counts:
    read: int = 0
    created: int = 0
    updated: int = 0
    events: int = 0
    asked: int = 0
    rejected: int = 0


def capture_intake(session: Session, playbook: Playbook, now: datetime, scope: Scope, *, key: str) -> Outcome:
    """Take in what was received before `now`; a bad row keeps its reason in `intake.error` and stops nothing.

    What waits belongs to nobody yet, so every scope takes all of it.
    """
    reader = ActReader(
        playbook=playbook, people=PersonReader(fields=playbook.fields, zone=ZoneInfo(playbook.office.zone))
    )
    counts = _Counts()
    while rows := session.execute(_waiting(now)).all():
        counts.read += len(rows)
        _take(session, playbook, rows, reader, counts, now=now, key=key)
    _complete(session, playbook, now, scope)
    return Outcome(
        phase=Phase.CAPTURE,
        read=counts.read,
        changed=counts.events + counts.created + counts.updated,
        counts={
            "new": counts.created,
            "updated": counts.updated,
            "events": counts.events,
            "asked": counts.asked,
            "rejected": counts.rejected,
        },
    )


def _waiting(now: datetime) -> Select[Any]:
    """The next batch of what came in and was not looked at."""
    return (
        select(intake.c.id, intake.c.kind, intake.c.received_at, intake.c.body)
        .where(intake.c.processed_at.is_(None), intake.c.received_at < micros(now), intake.c.kind.in_(KINDS))
        .order_by(intake.c.id)
        .limit(BATCH)
        # The door takes in a hand-raise at once, while the night may be looking at the same rows.
        .with_for_update(skip_locked=True)
    )


def _take(
    session: Session,
    playbook: Playbook,
    rows: Sequence[Row[Any]],
    reader: ActReader,
    counts: _Counts,
    *,
    now: datetime,
    key: str,
) -> None:
    acts: list[tuple[Row[Any], Act]] = []
    errors: dict[int, str] = {}
    for row in rows:
        try:
            acts.append((row, reader.read(row.body, row.received_at, form=row.kind == FORM)))
        except LeadflowError as error:
            errors[row.id] = str(error)
    owners = _owners(session, playbook, [act for _row, act in acts], counts, now=now, key=key)
    events = []
    counts.asked += ask_to_confirm(session, playbook, list(_unconfirmed(acts, owners)), Wish.CONSENT)
    for (row, act), owner in zip(acts, owners, strict=True):
        if owner is None:
            errors[row.id] = _("nobody with this id is known")
        else:
            events.append(_event(row, act, owner))
    counts.events += record_events(session, events, received_at=now)
    counts.rejected += len(errors)
    _finish(session, rows, errors, now)


def _unconfirmed(acts: Sequence[tuple[Row[Any], Act]], owners: Sequence[Owner | None]) -> Iterator[Asked]:
    """Who agreed to something on a form with double opt-in: the owner of the address has to say so, too."""
    for (row, act), owner in zip(acts, owners, strict=True):
        asked = any(one.asked and one.given for one in act.person.agreements)
        if asked and act.person.address is not None and owner is not None and owner[0] is not None:
            yield Asked(lead_id=owner[0], identity_id=owner[1], at=row.received_at)


def _owners(
    session: Session, playbook: Playbook, acts: Sequence[Act], counts: _Counts, *, now: datetime, key: str
) -> list[Owner | None]:
    """Who did each act: an address makes a lead, a visitor waits for a name, an id nobody has is nobody's."""

    def tell(people: Sequence[Person]) -> list[Owner]:
        done = upsert_people(session, playbook, people, key=key, now=now, source="event")
        counts.created += len({one.lead_id for one in done if one.change is Change.CREATED})
        counts.updated += len({one.lead_id for one in done if one.change is Change.UPDATED})
        return [(one.lead_id, one.identity_id) for one in done]

    owners: list[Owner | None] = [None] * len(acts)
    named = [place for place, act in enumerate(acts) if act.person.address]
    for place, owner in zip(named, tell([acts[place].person for place in named]), strict=True):
        owners[place] = owner
    others = [place for place, act in enumerate(acts) if not act.person.address]
    known = owners_of(session, {pair for place in others for pair in acts[place].person.keys}, key=key)
    for place in others:
        owners[place] = next((known[pair] for pair in acts[place].person.keys if pair in known), None)
    # Answers of somebody known by an id or as a visitor change what is known of them.
    tell([acts[place].person for place in others if _is_somebody(owners[place])])
    return owners


def _is_somebody(owner: Owner | None) -> bool:
    return owner is not None and owner[0] is not None


def _event(row: Row[Any], act: Act, owner: Owner) -> NewEvent:
    lead_id, identity_id = owner
    return NewEvent(
        source=row.kind,
        external_id=act.external_id,
        kind=act.kind,
        occurred_at=act.occurred_at,
        received_at=row.received_at,
        lead_id=lead_id,
        identity_id=identity_id,
        path=act.path,
        properties=act.properties,
    )


def _finish(session: Session, rows: Sequence[Row[Any]], errors: Mapping[int, str], now: datetime) -> None:
    """Mark a batch as looked at, and keep what was wrong."""
    done = update(intake).where(intake.c.id.in_([row.id for row in rows])).values(processed_at=micros(now))
    session.execute(done)
    if errors:
        noted = update(intake).where(intake.c.id == bindparam("bad")).values(error=bindparam("why"))
        session.connection().execute(noted, [{"bad": bad, "why": why} for bad, why in errors.items()])


def _complete(session: Session, playbook: Playbook, now: datetime, scope: Scope) -> None:
    """Score and state rows of leads that came by another way."""
    first = playbook.journey.stages[0].name
    scored = select(lead.c.id).where(lead.c.id.not_in(select(lead_score.c.lead_id)), in_scope(lead.c.id, scope))
    session.execute(insert_into(session, lead_score).from_select(["lead_id"], scored))
    instant = literal(micros(now), BigInteger)
    stated = select(lead.c.id, literal(first), instant, literal(str(Lifecycle.LEAD)), instant)
    stated = stated.where(lead.c.id.not_in(select(lead_state.c.lead_id)), in_scope(lead.c.id, scope))
    columns = ["lead_id", "stage", "stage_since", "lifecycle", "lifecycle_since"]
    session.execute(insert_into(session, lead_state).from_select(columns, stated))
