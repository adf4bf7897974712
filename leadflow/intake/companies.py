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


def account_key(address: Address | None, company: str | None) -> str | None:
    """What a company is matched by; None when nothing is known of it."""
    if address is not None and not address.is_free:
        return address.domain
    return f"name:{fold(company)[:_KEY_LENGTH]}" if company else None


def find_accounts(session: Session, wanted: Mapping[str, str | None], *, now: datetime) -> Mapping[str, int]:
    """Ids of the companies of `wanted` (key → name, where one was told); missing ones are made, nameless ones named."""
    if not wanted:
        return {}
    query = select(account.c.key, account.c.id, account.c.name).where(among(session, account.c.key, wanted))
    known = {row.key: row for row in session.execute(query)}
    name_rows(
        session, account, {row.id: name for key, row in known.items() if row.name is None and (name := wanted[key])}
    )
    missing = [key for key in wanted if key not in known]
    made = dict(zip(missing, reserve_ids(session, account.c.id, len(missing)), strict=True)) if missing else {}
    if made:
        at = micros(now)
        rows = [(id, key, wanted[key], None if key.startswith("name:") else key, at) for key, id in made.items()]
        insert_rows(session, account, ("id", "key", "name", "domain", "created_at"), rows)
    return {**{key: row.id for key, row in known.items()}, **made}
