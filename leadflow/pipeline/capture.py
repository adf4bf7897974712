"""Capture: what came in and waits (forms, acts, people, deals) is taken in; each counts once."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Row, Select, bindparam, insert, literal, select, update
from sqlalchemy.orm import Session

from leadflow.errors import LeadflowError, LinkError
from leadflow.intake.acts import Act
from leadflow.intake.confirming import Asked, ask_to_confirm
from leadflow.intake.deal_rows import NewDeal, write_deals
from leadflow.intake.events import BATCH, NewEvent, record_events
from leadflow.intake.importing import Rejected
from leadflow.intake.people import Change, upsert_people
from leadflow.intake.person import Person
from leadflow.intake.pushed import PushReader
from leadflow.intake.touches import keep_touches, settle_sources
from leadflow.intake.visitors import Owner, loosely_tied, owners_of, tie_by_click
from leadflow.links import read_arrival
from leadflow.models import intake, lead, lead_score, lead_state
from leadflow.pipeline.scope import in_scope
from leadflow.playbook.model import Playbook, Wish
from leadflow.text import _
from leadflow.types import Lifecycle, Outcome, Phase, Scope, micros

KINDS = ("form", "event", "replay", "lead", "deal")
#: Provenance of an answer: whoever fills in a form gives it themselves, whichever way the form came.
FORM = "form"
#: People and deals that a program pushed in, and who tells of them.
LEAD, DEAL, API = "lead", "deal", "api"


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
    reader = PushReader.of(playbook)
    counts = _Counts()
    while rows := session.execute(_waiting(now, BATCH)).all():
        _take(session, playbook, rows, reader, counts, now=now, key=key)
    _complete(session, playbook, now, scope)
    return _outcome(counts)


def capture_bite(session: Session, playbook: Playbook, now: datetime, *, key: str, most: int) -> Outcome:
    """The same for the first `most` of what waits, for a transaction that must not last."""
    counts = _Counts()
    if rows := session.execute(_waiting(now, most)).all():
        _take(session, playbook, rows, PushReader.of(playbook), counts, now=now, key=key)
    return _outcome(counts)


def _outcome(counts: _Counts) -> Outcome:
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


def _waiting(now: datetime, most: int) -> Select[Any]:
    """The next batch of what came in and was not looked at."""
    return (
        select(intake.c.id, intake.c.kind, intake.c.received_at, intake.c.body)
        .where(intake.c.processed_at.is_(None), intake.c.received_at < micros(now), intake.c.kind.in_(KINDS))
        .order_by(intake.c.id)
        .limit(most)
        # The door takes in a hand-raise at once, while the night may be looking at the same rows.
        .with_for_update(skip_locked=True)
    )


def _take(
    session: Session,
    playbook: Playbook,
    rows: Sequence[Row[Any]],
    reader: PushReader,
    counts: _Counts,
    *,
    now: datetime,
    key: str,
) -> None:
    counts.read += len(rows)
    acts: list[tuple[Row[Any], Act]] = []
    deals: list[tuple[Row[Any], NewDeal]] = []
    errors: dict[int, str] = {}
    for row in rows:
        try:
            if row.kind == DEAL:
                deals.append((row, reader.deal(row.body, row.received_at)))
            else:
                acts.append((row, _read(row, reader)))
        except LeadflowError as error:
            errors[row.id] = str(error)
    told = [act for _row, act in acts]
    visitors = [pair[1] for act in told for pair in act.person.keys[1:] if pair[0] == "visitor"]
    untied = loosely_tied(session, visitors)
    owners = _owners(session, playbook, acts, counts, now=now, key=key)
    events = []
    counts.asked += ask_to_confirm(session, playbook, list(_unconfirmed(acts, owners)), Wish.CONSENT)
    for (row, act), owner in zip(acts, owners, strict=True):
        if owner is None:
            errors[row.id] = _("nobody with this id is known")
        elif act.kind is not None:
            events.append(_event(row, act.kind, act, owner))
    counts.events += record_events(session, events, received_at=now)
    _settle(session, told, owners, untied, now)
    errors |= _take_deals(session, playbook, deals)
    counts.rejected += len(errors)
    _finish(session, rows, errors, now)


def _unconfirmed(acts: Sequence[tuple[Row[Any], Act]], owners: Sequence[Owner | None]) -> Iterator[Asked]:
    """Who agreed to something on a form with double opt-in: the owner of the address has to say so, too."""
    for (row, act), owner in zip(acts, owners, strict=True):
        asked = any(one.asked and one.given for one in act.person.agreements)
        if asked and act.person.address is not None and owner is not None and owner[0] is not None:
            yield Asked(lead_id=owner[0], identity_id=owner[1], at=row.received_at)


def _read(row: Row[Any], reader: PushReader) -> Act:
    if row.kind == LEAD:
        act = reader.lead(row.body, row.received_at)
        return replace(act, person=replace(act.person, told_by=API))
    return reader.acts.read(row.body, row.received_at, form=row.kind == FORM)


def _take_deals(session: Session, playbook: Playbook, deals: Sequence[tuple[Row[Any], NewDeal]]) -> Mapping[int, str]:
    """Write deals as of when they came, those told of twice one after the other; what was wrong, by row."""
    errors = {}
    while deals:
        # The first word on each deal; what was said later of the same one comes after it.
        first = {deal.external_id: (row, deal) for row, deal in reversed(deals)}
        once = list(first.values())
        came = max(row.received_at for row, _deal in once)
        results = write_deals(session, playbook, [deal for _row, deal in once], now=came)
        for (row, _deal), result in zip(once, results, strict=True):
            if isinstance(result, Rejected):
                errors[row.id] = result.reason
        taken = {row.id for row, _deal in once}
        deals = [(row, deal) for row, deal in deals if row.id not in taken]
    return errors


def _settle(
    session: Session, acts: Sequence[Act], owners: Sequence[Owner | None], untied: Collection[int], now: datetime
) -> None:
    """Keep where visits came from, and set first and last source of whoever these acts may have given a visit."""
    told = [(act, owner) for act, owner in zip(acts, owners, strict=True) if owner is not None]
    keep_touches(session, [(owner[1], act.occurred_at, act.touch) for act, owner in told if act.touch])
    known = {
        owner[0]
        for act, owner in told
        if owner[0] is not None and (act.touch or act.click or (act.person.visitor and len(act.person.keys) > 1))
    }
    settle_sources(session, known | set(untied), now)


def _owners(
    session: Session,
    playbook: Playbook,
    acts: Sequence[tuple[Row[Any], Act]],
    counts: _Counts,
    *,
    now: datetime,
    key: str,
) -> list[Owner | None]:
    """Who did each act: an address makes a lead, a visitor waits for a name, an id nobody has is nobody's."""

    def tell(people: Sequence[Person]) -> list[Owner]:
        done = upsert_people(session, playbook, people, key=key, now=now, source="event")
        counts.created += len({one.lead_id for one in done if one.change is Change.CREATED})
        counts.updated += len({one.lead_id for one in done if one.change is Change.UPDATED})
        return [(one.lead_id, one.identity_id) for one in done]

    owners: list[Owner | None] = [None] * len(acts)
    # Another system's id makes a lead only where it is told of as one.
    named = [place for place, (row, act) in enumerate(acts) if act.person.address or row.kind == LEAD]
    for place, owner in zip(named, tell([acts[place][1].person for place in named]), strict=True):
        owners[place] = owner
    others = sorted({*range(len(acts))} - {*named})
    known = owners_of(session, {pair for place in others for pair in acts[place][1].person.keys}, key=key)
    if clicks := _clicks(acts, known, key):
        tie_by_click(session, clicks)
        known = owners_of(session, set(known), key=key)
    for place in others:
        owners[place] = next((known[pair] for pair in acts[place][1].person.keys if pair in known), None)
    # Answers of somebody known by an id or as a visitor change what is known of them.
    strongest = [(place, acts[place][1].person.keys[0]) for place in others]
    tell([acts[place][1].person for place, pair in strongest if _is_somebody(known.get(pair))])
    return owners


def _clicks(acts: Sequence[tuple[Row[Any], Act]], known: Mapping[tuple[str, str], Owner], key: str) -> dict[int, int]:
    """Visitor → address in whose mail they clicked, of those whom nobody owns; the first click counts."""
    clicks: dict[int, int] = {}
    for row, act in acts:
        visitor = ("visitor", act.person.visitor or "")
        if act.click and visitor in known and known[visitor][0] is None:
            with suppress(LinkError):
                clicks.setdefault(known[visitor][1], read_arrival(key, act.click, row.received_at))
    return clicks


def _is_somebody(owner: Owner | None) -> bool:
    return owner is not None and owner[0] is not None


def _event(row: Row[Any], kind: str, act: Act, owner: Owner) -> NewEvent:
    lead_id, identity_id = owner
    return NewEvent(
        source=row.kind,
        external_id=act.external_id,
        kind=kind,
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
    session.execute(insert(lead_score).from_select(["lead_id"], scored))
    instant = literal(micros(now), BigInteger)
    stated = select(lead.c.id, literal(first), instant, literal(str(Lifecycle.LEAD)), instant)
    stated = stated.where(lead.c.id.not_in(select(lead_state.c.lead_id)), in_scope(lead.c.id, scope))
    columns = ["lead_id", "stage", "stage_since", "lifecycle", "lifecycle_since"]
    session.execute(insert(lead_state).from_select(columns, stated))
