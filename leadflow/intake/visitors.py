"""Who is behind an id, and the acts of a visitor who turns out to be somebody.

Who says who they are owns the visitor from then on, for good. A click in somebody's mail ties a visitor nobody owns,
loosely: a mail is passed on, so the first who says who they are takes the visitor along with all it did.
"""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import and_, bindparam, false, or_, select, true, update
from sqlalchemy.orm import Session

from leadflow.db import among, insert_into
from leadflow.links import address_hash
from leadflow.models import dirty, event, event_inbox, identity

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


def tie_by_click(session: Session, clicks: Mapping[int, int]) -> None:
    """Tie visitors nobody owns (visitor → address in whose mail they clicked) to the owner of the address, loosely."""
    if not clicks:
        return
    mailed = identity.alias("mailed")
    owner = select(mailed.c.lead_id).where(mailed.c.id == bindparam("address")).scalar_subquery()
    nobodys = and_(identity.c.id == bindparam("visitor"), identity.c.lead_id.is_(None), identity.c.kind == "visitor")
    tied = update(identity).where(nobodys, owner.is_not(None)).values(lead_id=owner, by_click=true())
    pairs = [{"visitor": visitor, "address": address} for visitor, address in sorted(clicks.items())]
    session.connection().execute(tied, pairs)
    adopt_events(session, sorted(clicks))


def loosely_tied(session: Session, visitors: Collection[str]) -> set[int]:
    """The leads to whom clicks alone tie one of these visitors."""
    if not visitors:
        return set()
    tied = and_(identity.c.kind == "visitor", among(session, identity.c.value, sorted(visitors)), identity.c.by_click)
    return set(session.scalars(select(identity.c.lead_id).where(tied, identity.c.lead_id.is_not(None))))


def take_over(session: Session, claims: Mapping[int, int]) -> None:
    """Make identities (identity → lead) those leads' for good, with all that was done under them."""
    if not claims:
        return
    mine = identity.c.id.in_(claims)
    before = set(session.scalars(select(identity.c.lead_id).where(mine, identity.c.lead_id.is_not(None))))
    owned = update(identity).where(identity.c.id == bindparam("claimed"))
    owned = owned.values(lead_id=bindparam("owner"), by_click=false())
    pairs = [{"claimed": claimed, "owner": owner} for claimed, owner in sorted(claims.items())]
    session.connection().execute(owned, pairs)
    adopt_events(session, sorted(claims))
    if before:
        _hand_over_events(session, sorted(claims), before)
        both = insert_into(session, dirty).on_conflict_do_nothing()
        session.execute(both, [{"lead_id": lead_id} for lead_id in sorted(before | set(claims.values()))])


def _hand_over_events(session: Session, identities: Sequence[int], before: Collection[int]) -> None:
    """Events of these identities that were those leads' go to today's owner."""
    owner = select(identity.c.lead_id).where(identity.c.id == event.c.identity_id).scalar_subquery()
    theirs = and_(event.c.lead_id.in_(before), event.c.identity_id.in_(identities))
    session.execute(update(event).where(theirs).values(lead_id=owner).execution_options(synchronize_session=False))


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
