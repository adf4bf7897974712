"""Gives the acts of a visitor to the person they turn out to be."""

from collections.abc import Sequence

from sqlalchemy import and_, select, update
from sqlalchemy.orm import Session

from leadflow.db import insert_into
from leadflow.models import event, event_inbox, identity


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
