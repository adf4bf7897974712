"""Writes people in bulk: the same address is the same person, what is not said stays, what changed is history."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, bindparam, func, insert, or_, select, update
from sqlalchemy.orm import Session

from leadflow.conditions.words import change_of
from leadflow.db import reserve_ids
from leadflow.intake.companies import find_accounts
from leadflow.intake.draft import Draft, Key, Telling
from leadflow.intake.events import BATCH, batches
from leadflow.intake.person import Person
from leadflow.intake.visitors import adopt_events
from leadflow.links import address_hash
from leadflow.models import account, consent, identity, lead, lead_change, lead_score, lead_state
from leadflow.playbook.model import Playbook
from leadflow.text import _
from leadflow.types import Lifecycle, micros

#: Taken by whoever writes people on PostgreSQL, so that two imports cannot make one address twice.
_WRITER_LOCK = 7_201_934_465
_SEEDS = 2**31 - 2


class Change(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upserted:
    """What became of one person told of."""

    lead_id: int
    #: The strongest identity told: the address where there is one.
    identity_id: int
    change: Change
    #: What was kept out, in words.
    notes: tuple[str, ...] = ()


def seed_of(lead_id: int, key: str = "") -> int:
    """1…2³¹−2 from the id and the workspace's key: spreads sendings, arms and shards, the same on every database."""
    digest = blake2b(lead_id.to_bytes(8, "big"), key=key.encode()[:64], digest_size=8).digest()
    return 1 + int.from_bytes(digest, "big") % _SEEDS


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
        _take_turn(session)
        drafts = _drafts(session, batch, telling)
        own = list({id(draft): draft for draft in drafts}.values())
        _number(session, own, now)
        _write_new(session, [draft for draft in own if draft.before is None], key=key, first_stage=first_stage)
        _write_changed(session, [draft for draft in own if draft.is_changed], telling)
        _write_identities(session, own, key=key)
        _write_consents(session, own, telling)
        done += [_upserted(draft, person) for draft, person in zip(drafts, batch, strict=True)]
    return done


def _take_turn(session: Session) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_WRITER_LOCK)))


def _drafts(session: Session, people: Sequence[Person], telling: Telling) -> list[Draft]:
    """The draft of each person, told; the same one for the same person told of twice."""
    known, unowned = _load(session, people)
    drafts = []
    for person in people:
        draft = next((known[key] for key in person.keys if key in known), None) or Draft.new(telling)
        draft.tell(person, telling)
        for key in person.keys:
            # An id or visitor of somebody else stays theirs: the stronger key decides who this is.
            if known.setdefault(key, draft) is draft and key not in draft.identities:
                draft.identities[key] = unowned.get(key, 0)
                if key in unowned:
                    draft.claimed.append(unowned[key])
        drafts.append(draft)
    return drafts


def _load(session: Session, people: Iterable[Person]) -> tuple[dict[Key, Draft], dict[Key, int]]:
    """Drafts of the leads that own an identity of `people`, and the identities that nobody owns."""
    values: dict[str, set[str]] = {}
    for person in people:
        for kind, value in person.keys:
            values.setdefault(kind, set()).add(value)
    asked = [and_(identity.c.kind == kind, identity.c.value.in_(some)) for kind, some in sorted(values.items())]
    query = (
        select(identity.c.id.label("identity_id"), identity.c.kind, identity.c.value, account.c.key, lead)
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
        draft.identities[row["kind"], row["value"]] = row["identity_id"]
        known[row["kind"], row["value"]] = draft
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
    rows = [{**draft.row, "seed": seed_of(draft.row["id"], key)} for draft in drafts]
    session.execute(insert(lead), rows)
    session.execute(insert(lead_score), [{"lead_id": row["id"]} for row in rows])
    state = {"stage": first_stage, "lifecycle": str(Lifecycle.LEAD)}
    since = {"stage_since": rows[0]["created_at"], "lifecycle_since": rows[0]["created_at"]}
    session.execute(insert(lead_state), [{"lead_id": row["id"], **state, **since} for row in rows])


def _write_changed(session: Session, drafts: Sequence[Draft], telling: Telling) -> None:
    if not drafts:
        return
    columns = [name for name in drafts[0].row if name not in ("id", "seed", "created_at")]
    change = update(lead).where(lead.c.id == bindparam("changed"))
    change = change.values({name: bindparam(f"new_{name}") for name in columns})
    rows = []
    for draft in drafts:
        draft.row["updated_at"] = telling.now
        rows.append({"changed": draft.row["id"], **{f"new_{name}": draft.row[name] for name in columns}})
    session.connection().execute(change, rows)
    history = [
        {
            "lead_id": draft.row["id"],
            "field": name,
            "before": change_of(before),
            "after": change_of(after),
            "at": micros(telling.now),
            "source": draft.told_by,
        }
        for draft in drafts
        for name, before, after in draft.changes()
    ]
    if history:
        session.execute(insert(lead_change), history)


def _write_identities(session: Session, drafts: Sequence[Draft], *, key: str) -> None:
    rows = [
        {
            "id": draft.identities[kind, value],
            "kind": kind,
            "value": value,
            "hash": address_hash(key, value),
            "lead_id": draft.row["id"],
        }
        for draft in drafts
        for kind, value in draft.added
    ]
    if rows:
        session.execute(insert(identity), rows)
    claims = [{"claimed": claim, "owner": draft.row["id"]} for draft in drafts for claim in draft.claimed]
    if claims:
        owned = update(identity).where(identity.c.id == bindparam("claimed")).values(lead_id=bindparam("owner"))
        session.connection().execute(owned, claims)
        adopt_events(session, [claim["claimed"] for claim in claims])


def _write_consents(session: Session, drafts: Sequence[Draft], telling: Telling) -> None:
    rows = [
        {
            "lead_id": draft.row["id"],
            "identity_id": draft.row["address_id"],
            "purpose": one.purpose,
            "state": "given" if one.given else "withdrawn",
            "at": min(one.at or telling.now, telling.now),
            "method": draft.told_by,
            "wording_hash": one.wording_hash,
            "wording_version": one.wording_version,
            "page": one.page,
            "ip": one.ip,
            "user_agent": one.user_agent,
        }
        for draft in drafts
        for one in draft.agreed()
    ]
    if rows:
        session.execute(insert(consent), rows)


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
