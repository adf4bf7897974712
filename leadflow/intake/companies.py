"""Finds and makes the companies of people: by domain, unless anybody can have a mailbox there, else by name."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.conditions.words import fold
from leadflow.db import among, reserve_ids
from leadflow.intake.addresses import Address
from leadflow.intake.bulk import insert_rows, name_rows
from leadflow.models import account
from leadflow.types import micros

#: An index of PostgreSQL holds no key of more than some 2,700 bytes.
_KEY_LENGTH = 200
#: So many companies are remembered at most.
_REMEMBERED = 100_000


def account_key(address: Address | None, company: str | None) -> str | None:
    """What a company is matched by; None when nothing is known of it."""
    if address is not None and not address.is_free:
        return address.domain
    return f"name:{fold(company)[:_KEY_LENGTH]}" if company else None


def find_accounts(
    session: Session, wanted: Mapping[str, str | None], *, now: datetime, seen: dict[str, int] | None = None
) -> Mapping[str, int]:
    """Ids of the companies of `wanted` (key → name, where one was told); missing ones are made, nameless ones named.

    `seen` remembers those that have a name from one call to the next, for whoever asks often within a short time.
    """
    seen = {} if seen is None else seen
    if len(seen) > _REMEMBERED:
        seen.clear()
    asked = {key: name for key, name in wanted.items() if key not in seen}
    found = {key: seen[key] for key in wanted if key in seen}
    return {**found, **_find(session, asked, now, seen)} if asked else found


def _find(session: Session, wanted: Mapping[str, str | None], now: datetime, seen: dict[str, int]) -> dict[str, int]:
    query = select(account.c.key, account.c.id, account.c.name).where(among(session, account.c.key, wanted))
    known = {key: (id, name) for key, id, name in session.execute(query)}
    name_rows(
        session, account, {id: told for key, (id, name) in known.items() if name is None and (told := wanted[key])}
    )
    missing = [key for key in wanted if key not in known]
    made = dict(zip(missing, reserve_ids(session, account.c.id, len(missing)), strict=True)) if missing else {}
    if made:
        at = micros(now)
        rows = [(id, key, wanted[key], None if key.startswith("name:") else key, at) for key, id in made.items()]
        insert_rows(session, account, ("id", "key", "name", "domain", "created_at"), rows)
    ids = {**{key: id for key, (id, _name) in known.items()}, **made}
    seen.update((key, id) for key, id in ids.items() if wanted[key] or (key in known and known[key][1]))
    return ids
