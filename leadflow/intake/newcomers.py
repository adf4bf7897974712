"""Writes the rows of a file: people nobody knew go into the tables as they were read, the others are merged in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from leadflow.db import among, reserve_ids
from leadflow.intake.bulk import as_json, insert_rows
from leadflow.intake.companies import account_key, find_accounts
from leadflow.intake.draft import Draft, Telling
from leadflow.intake.people import CONSENT, Change, Upserted, consent_row, seeded, take_turn, upsert_people
from leadflow.intake.person import Agreement, Person
from leadflow.intake.usual import Shared, Told
from leadflow.models import consent, identity, lead, lead_score, lead_state
from leadflow.playbook.model import Playbook
from leadflow.types import Lifecycle, micros

#: Columns of a lead that a row fills by itself; what stands in the others is common to many rows.
_OWN = (
    *("id", "seed", "account_id", "address_id", "first_name", "last_name", "phone"),
    *("email_domain", "email_is_free", "first_seen_at"),
)
_JSON = ("attributes", "folded", "provenance")
_AT = ("created_at", "updated_at")
_COMMON = tuple(column.name for column in lead.c if column.name not in (*_OWN, *_JSON, *_AT))
_COLUMNS = (*_OWN, *_COMMON, *_JSON, *_AT)
_common = itemgetter(*_COMMON)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """The common part of new leads, and what they agreed to."""

    columns: tuple[Any, ...]
    agreements: tuple[Agreement, ...]


def take_rows(
    session: Session,
    playbook: Playbook,
    rows: Sequence[Person | Told],
    *,
    key: str,
    now: datetime,
    source: str,
    defaults: Mapping[str, Any],
    companies: dict[str, int],
) -> list[Upserted]:
    """What `upsert_people` does of the people of `rows`, no two of which are told of as the same, in their order.

    `companies` is `find_accounts`' memory, of one import.
    """
    take_turn(session)
    known = _known(session, rows)
    new = [row for row in rows if isinstance(row, Told) and known.isdisjoint(row.keys)]
    on = now.astimezone(ZoneInfo(playbook.office.zone)).date().isoformat()
    telling = Telling(fields=playbook.fields, source=source, now=now, on=on, defaults=defaults)
    made = _write(session, new, telling, key=key, first_stage=playbook.journey.stages[0].name, companies=companies)
    if len(new) == len(rows):
        return made
    done = {id(row): one for row, one in zip(new, made, strict=True)}
    others = [row for row in rows if id(row) not in done]
    people = [row.person() if isinstance(row, Told) else row for row in others]
    merged = upsert_people(session, playbook, people, key=key, now=now, source=source, defaults=defaults)
    done.update((id(row), one) for row, one in zip(others, merged, strict=True))
    return [done[id(row)] for row in rows]


def _known(session: Session, rows: Sequence[Person | Told]) -> frozenset[tuple[str, str]]:
    """Which identities of `rows` somebody has, or is waiting for its owner."""
    values: dict[str, list[str]] = {}
    for row in rows:
        for kind, value in row.keys:
            values.setdefault(kind, []).append(value)
    asked = [and_(identity.c.kind == kind, among(session, identity.c.value, some)) for kind, some in values.items()]
    if not asked:
        return frozenset()
    found = session.execute(select(identity.c.kind, identity.c.value).where(or_(*asked)))
    return frozenset((row.kind, row.value) for row in found)


def _write(
    session: Session,
    rows: Sequence[Told],
    telling: Telling,
    *,
    key: str,
    first_stage: str,
    companies: dict[str, int],
) -> list[Upserted]:
    """Six COPYs, or as many prepared statements."""
    if not rows:
        return []
    since, leads = micros(telling.now), reserve_ids(session, lead.c.id, len(rows))
    numbered = _numbered(session, rows)
    keyed = blake2b(key=key.encode()[:64], digest_size=8)
    seeds = [seeded(lead_id, keyed) for lead_id in leads]
    accounts = _accounts(session, rows, telling.now, companies)
    made = [row.shared.made or _make(row.shared, telling) for row in rows]
    each = list(zip(rows, leads, numbered, made, strict=True))
    own = [_own(row, ids, since) for row, ids in zip(rows, numbered, strict=True)]
    stored = [
        (lead_id, seed, account_id, *values, *common.columns)
        for lead_id, seed, account_id, values, common in zip(leads, seeds, accounts, own, made, strict=True)
    ]
    insert_rows(session, lead, _COLUMNS, stored)
    insert_rows(session, lead_score, ("lead_id",), [(id,) for id in leads])
    names = ("lead_id", "stage", "stage_since", "lifecycle", "lifecycle_since")
    state = (first_stage, since, str(Lifecycle.LEAD), since)
    insert_rows(session, lead_state, names, [(id, *state) for id in leads])
    known_by = [
        (id, *pair, hashed, lead_id)
        for row, lead_id, ids, _made in each
        for id, pair, hashed in zip(ids, row.keys, row.hashes, strict=True)
    ]
    insert_rows(session, identity, ("id", "kind", "value", "hash", "lead_id"), known_by)
    agreed = [
        consent_row(lead_id, ids[0] if row.address else None, one, telling.source, telling.now)
        for row, lead_id, ids, common in each
        for one in common.agreements
    ]
    insert_rows(session, consent, CONSENT, agreed)
    return [
        Upserted(lead_id=lead_id, identity_id=ids[0], change=Change.CREATED, notes=row.notes)
        for row, lead_id, ids, _made in each
    ]


def _numbered(session: Session, rows: Sequence[Told]) -> list[list[int]]:
    """New ids for the identities of each row."""
    ids = iter(reserve_ids(session, identity.c.id, sum(len(row.keys) for row in rows)))
    return [[next(ids) for _key in row.keys] for row in rows]


def _accounts(session: Session, rows: Sequence[Told], now: datetime, companies: dict[str, int]) -> list[int | None]:
    """The id of each row's company."""
    keys = [account_key(row.address, row.company) for row in rows]
    wanted: dict[str, str | None] = {}
    for key, row in zip(keys, rows, strict=True):
        if key:
            wanted[key] = wanted.get(key) or row.company
    ids = find_accounts(session, wanted, now=now, seen=companies)
    return [ids[key] if key else None for key in keys]


def _own(row: Told, ids: Sequence[int], since: int) -> tuple[Any, ...]:
    """What stands in no other row, from `address_id` on."""
    address, at = row.address, micros(row.first_seen_at) if row.first_seen_at else since
    if address is None:
        return (None, row.first_name, row.last_name, row.phone, None, False, at)
    return (ids[0], row.first_name, row.last_name, row.phone, address.domain, address.is_free, at)


def _make(shared: Shared, telling: Telling) -> _Made:
    """What the long way makes of a new lead of whom only this is told."""
    draft = Draft.new(telling)
    draft.tell(shared.person, telling)
    row, at = draft.row, micros(telling.now)
    columns = (*_common(row), *(as_json(row[name]) for name in _JSON), at, at)
    made = shared.made = _Made(columns=columns, agreements=tuple(draft.agreed()))
    return made
