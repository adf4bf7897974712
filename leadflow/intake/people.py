"""Writes people in bulk: the same address is the same person, what is not said stays, what changed is history."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from leadflow.conditions.words import change_of
from leadflow.db import among, reserve_ids
from leadflow.intake.bulk import as_json, insert_rows, update_rows
from leadflow.intake.companies import find_accounts
from leadflow.intake.draft import Draft, Key, Telling
from leadflow.intake.events import BATCH, batches
from leadflow.intake.person import Agreement, Person
from leadflow.intake.visitors import take_over
from leadflow.links import address_hash
from leadflow.models import account, consent, identity, lead, lead_change, lead_score, lead_state
from leadflow.playbook.model import Playbook
from leadflow.text import _
from leadflow.types import Lifecycle, micros

#: Taken by whoever writes people on PostgreSQL, so that two imports cannot make one address twice.
_WRITER_LOCK = 7_201_934_465
_SEEDS = 2**31 - 2

_JSON = ("attributes", "folded", "provenance")
_INSTANTS = ("first_seen_at", "created_at", "updated_at")
_PLAIN = tuple(column.name for column in lead.c if column.name not in (*_JSON, *_INSTANTS))
_COLUMNS = (*_PLAIN, *_JSON, *_INSTANTS)
_plain = itemgetter(*_PLAIN)
#: Columns of a line of the ledger.
CONSENT = (
    *("lead_id", "identity_id", "purpose", "state", "at", "method"),
    *("wording_hash", "wording_version", "page", "ip", "user_agent"),
)


class Change(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upserted:
    """What became of one person told of."""

    change: Change
    lead_id: int
    #: The strongest identity told: the address where there is one.
    identity_id: int
    #: What was kept out, in words.
    notes: tuple[str, ...] = ()


def seed_of(lead_id: int, key: str = "") -> int:
    """1…2³¹−2 from the id and the workspace's key: spreads sendings, arms and shards, the same on every database."""
    return next(seeds_of([lead_id], key))


def seeds_of(lead_ids: Iterable[int], key: str) -> Iterator[int]:
    """`seed_of` each."""
    keyed = blake2b(key=key.encode()[:64], digest_size=8)
    for lead_id in lead_ids:
        hashed = keyed.copy()
        hashed.update(lead_id.to_bytes(8, "big"))
        yield 1 + int.from_bytes(hashed.digest(), "big") % _SEEDS


def upsert_people(
    session: Session,
    playbook: Playbook,
    people: Sequence[Person],
    *,
    key: str,
    now: datetime,
    source: str,
    defaults: Mapping[str, Any] | None = None,
) -> list[Upserted]:
    """Create or update the leads of `people`, each with a key, in their order; at most 20 statements a batch.

    `source` is who tells (import, form …); `defaults` are columns filled in where nothing is known (basis, source …).
    Nobody is taken off a suppression list.
    """
    on = now.astimezone(ZoneInfo(playbook.office.zone)).date().isoformat()
    telling = Telling(fields=playbook.fields, source=source, now=now, on=on, defaults=defaults or {})
    first_stage = playbook.journey.stages[0].name
    done: list[Upserted] = []
    for batch in batches(people, BATCH):
        take_turn(session)
        drafts = _drafts(session, batch, telling)
        own = list({id(draft): draft for draft in drafts}.values())
        _number(session, own, now)
        _write_new(session, [draft for draft in own if draft.before is None], key=key, first_stage=first_stage)
        _write_changed(session, [draft for draft in own if draft.is_changed], telling)
        _write_identities(session, own, key=key)
        _write_consents(session, own, telling)
        done += [_upserted(draft, person) for draft, person in zip(drafts, batch, strict=True)]
    return done


def take_turn(session: Session) -> None:
    """Wait until nobody else writes people."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_WRITER_LOCK)))


def _drafts(session: Session, people: Sequence[Person], telling: Telling) -> list[Draft]:
    """The draft of each person, told; the same one for the same person told of twice."""
    known, unowned = _load(session, people)
    loose = known.keys() & unowned.keys()
    drafts = []
    for person in people:
        # One visitor may be two people: an address or an id alone says who it is, and takes a loosely tied visitor.
        said = [key for key in person.keys if key[0] != "visitor"]
        draft = next((known[key] for key in said or person.keys if key in known), None) or Draft.new(telling)
        for key in loose.intersection(person.keys if said else ()):
            loose.discard(key)
            known[key] = draft
            draft.identities.pop(key, None)
        draft.tell(person, telling)
        for key in person.keys:
            # An id or visitor of somebody else stays theirs: the stronger key decides who this is.
            if known.setdefault(key, draft) is draft and key not in draft.identities:
                draft.identities[key] = unowned.get(key, 0)
                if key in unowned and key not in loose:
                    draft.claimed.append(unowned[key])
        drafts.append(draft)
    return drafts


def _load(session: Session, people: Iterable[Person]) -> tuple[dict[Key, Draft], dict[Key, int]]:
    """Drafts of the leads that own an identity of `people`, and the identities that nobody owns."""
    values: dict[str, set[str]] = {}
    for person in people:
        for kind, value in person.keys:
            values.setdefault(kind, set()).add(value)
    asked = [
        and_(identity.c.kind == kind, among(session, identity.c.value, some)) for kind, some in sorted(values.items())
    ]
    query = (
        select(identity.c.id.label("identity_id"), identity.c.kind, identity.c.value, identity.c.by_click)
        .add_columns(account.c.key, lead)
        .select_from(identity)
        .outerjoin(lead, lead.c.id == identity.c.lead_id)
        .outerjoin(account, account.c.id == lead.c.account_id)
        .where(or_(*asked))
        .order_by(identity.c.id)
    )
    by_lead: dict[int, Draft] = {}
    known: dict[Key, Draft] = {}
    unowned: dict[Key, int] = {}
    for row in session.execute(query).mappings():
        if row["id"] is None:
            unowned[row["kind"], row["value"]] = row["identity_id"]
            continue
        stored = {column.name: row[column.name] for column in lead.c}
        draft = by_lead.setdefault(row["id"], Draft.of(stored, row["key"]))
        known[row["kind"], row["value"]] = draft
        if row["by_click"]:
            # Whoever says who they are may take it.
            unowned[row["kind"], row["value"]] = row["identity_id"]
        else:
            draft.identities[row["kind"], row["value"]] = row["identity_id"]
    return known, unowned


def _number(session: Session, drafts: Sequence[Draft], now: datetime) -> None:
    """Give ids to new leads and identities, and every draft its address and company."""
    new = [draft for draft in drafts if draft.before is None]
    for draft, lead_id in zip(new, reserve_ids(session, lead.c.id, len(new)) if new else (), strict=True):
        draft.row["id"] = lead_id
    missing = [(draft, key) for draft in drafts for key, known in draft.identities.items() if not known]
    ids = reserve_ids(session, identity.c.id, len(missing)) if missing else ()
    for (draft, key), identity_id in zip(missing, ids, strict=True):
        draft.identities[key] = identity_id
        draft.added.append(key)
    wanted: dict[str, str | None] = {}
    for draft in drafts:
        if draft.account_key:
            wanted[draft.account_key] = wanted.get(draft.account_key) or draft.company
    accounts = find_accounts(session, wanted, now=now)
    for draft in drafts:
        if draft.account_key:
            draft.row["account_id"] = accounts[draft.account_key]
        if draft.address and draft.row["address_id"] is None:
            draft.row["address_id"] = draft.identities["email", draft.address.value]


def _write_new(session: Session, drafts: Sequence[Draft], *, key: str, first_stage: str) -> None:
    if not drafts:
        return
    ids = [draft.row["id"] for draft in drafts]
    for draft, seed in zip(drafts, seeds_of(ids, key), strict=True):
        draft.row["seed"] = seed
    insert_rows(session, lead, _COLUMNS, list(map(_stored, drafts)))
    insert_rows(session, lead_score, ("lead_id",), [(id,) for id in ids])
    since = micros(drafts[0].row["created_at"])
    state = (first_stage, since, str(Lifecycle.LEAD), since)
    names = ("lead_id", "stage", "stage_since", "lifecycle", "lifecycle_since")
    insert_rows(session, lead_state, names, [(id, *state) for id in ids])


def _stored(draft: Draft) -> tuple[Any, ...]:
    """The row of `draft`, its columns as `_COLUMNS` names them and as the database stores them."""
    row = draft.row
    first, created, updated = row["first_seen_at"], row["created_at"], row["updated_at"]
    moment = micros(updated)
    return (
        *_plain(row),
        as_json(row["attributes"]),
        as_json(row["folded"]),
        as_json(row["provenance"]),
        moment if first is updated else micros(first),
        moment if created is updated else micros(created),
        moment,
    )


def _write_changed(session: Session, drafts: Sequence[Draft], telling: Telling) -> None:
    if not drafts:
        return
    for draft in drafts:
        draft.row["updated_at"] = telling.now
    update_rows(session, lead, _COLUMNS, list(map(_stored, drafts)))
    at = micros(telling.now)
    history = [
        (draft.row["id"], name, _change(before), _change(after), at, draft.told_by)
        for draft in drafts
        for name, before, after in draft.changes()
    ]
    insert_rows(session, lead_change, ("lead_id", "field", "before", "after", "at", "source"), history)


def _change(value: object) -> str | None:
    change = change_of(value)
    return None if change is None else as_json(change)


def _write_identities(session: Session, drafts: Sequence[Draft], *, key: str) -> None:
    rows = [
        (draft.identities[pair], *pair, address_hash(key, pair[1]), draft.row["id"])
        for draft in drafts
        for pair in draft.added
    ]
    insert_rows(session, identity, ("id", "kind", "value", "hash", "lead_id"), rows)
    take_over(session, {claim: draft.row["id"] for draft in drafts for claim in draft.claimed})


def _write_consents(session: Session, drafts: Sequence[Draft], telling: Telling) -> None:
    rows = [
        consent_row(draft.row["id"], draft.row["address_id"], one, draft.told_by, telling.now)
        for draft in drafts
        for one in draft.agreed()
    ]
    insert_rows(session, consent, CONSENT, rows)


def consent_row(lead_id: int, address_id: int | None, told: Agreement, told_by: str, now: datetime) -> tuple[Any, ...]:
    """A line of the ledger, its columns in the order of `CONSENT`."""
    return (
        lead_id,
        address_id,
        told.purpose,
        _state(told),
        micros(min(told.at or now, now)),
        told_by,
        *(told.wording_hash, told.wording_version, told.page, told.ip, told.user_agent),
    )


def _state(told: Agreement) -> str:
    if not told.given:
        return "withdrawn"
    return "asked" if told.asked else "given"


def _upserted(draft: Draft, person: Person) -> Upserted:
    notes = person.notes
    if any(key[0] == "external" and key not in draft.identities for key in person.keys):
        notes = (*notes, _("external_id: it is somebody else's; the address decides who this is"))
    change = Change.UPDATED if draft.is_changed or draft.added or draft.claimed else Change.UNCHANGED
    return Upserted(
        lead_id=draft.row["id"],
        identity_id=draft.identities[next(key for key in person.keys if key in draft.identities)],
        change=Change.CREATED if draft.before is None else change,
        notes=notes,
    )
