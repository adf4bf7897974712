"""Who is behind an id, and the acts of a visitor who turns out to be somebody."""

from collections.abc import Collection, Sequence

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from leadflow.db import among, insert_into
from leadflow.links import address_hash
from leadflow.models import event, event_inbox, identity

Owner = tuple[int | None, int]


def owners_of(session: Session, keys: Collection[tuple[str, str]], *, key: str) -> dict[tuple[str, str], Owner]:
    """(kind, value) → (lead, identity); a visitor nobody has seen gets an identity that belongs to nobody yet."""
    if not keys:
        return {}
    new = [
        {"kind": kind, "value": value, "hash": address_hash(key, value), "lead_id": None}
        for kind, value in sorted(keys)
        if kind == "visitor"
    ]
    if new:
        missing = insert_into(session, identity).on_conflict_do_nothing(index_elements=["kind", "value"])
        session.execute(missing, new)
    values: dict[str, list[str]] = {}
    for kind, value in sorted(keys):
        values.setdefault(kind, []).append(value)
    asked = [and_(identity.c.kind == kind, among(session, identity.c.value, some)) for kind, some in values.items()]
    query = select(identity.c.kind, identity.c.value, identity.c.lead_id, identity.c.id).where(or_(*asked))
    return {(row.kind, row.value): (row.lead_id, row.id) for row in session.execute(query)}


def adopt_events(session: Session, identities: Sequence[int]) -> None:
    """Events of these identities that belonged to nobody go to today's owner and wait for scoring: two statements."""
    if not identities:
        return
    nobodys = and_(event.c.lead_id.is_(None), event.c.identity_id.in_(identities))
    columns = [event.c.id, event.c.month, identity.c.lead_id, event.c.occurred_at, event.c.received_at]
    waiting = (
        select(*columns)
        .join_from(event, identity, identity.c.id == event.c.identity_id)
        .where(nobodys, event.c.weight != 0, identity.c.lead_id.is_not(None))
    )
    names = ["event_id", "month", "lead_id", "occurred_at", "received_at"]
    session.execute(insert_into(session, event_inbox).from_select(names, waiting))
    owner = select(identity.c.lead_id).where(identity.c.id == event.c.identity_id).scalar_subquery()
    session.execute(update(event).where(nobodys).values(lead_id=owner).execution_options(synchronize_session=False))
