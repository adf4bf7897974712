"""Six questions a minute to a provider's log, over all workers: each is a turn, a row of `lock` taken for a minute."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from leadflow.db import database_now, insert_into
from leadflow.models import lock
from leadflow.types import MINUTE

#: SendGrid's log takes so many a minute; more are answered 429.
TURNS = 6
TURN = MINUTE


def take_turn(session: Session, log: str, owner: str, turns: int = TURNS) -> bool:
    """Take one of the minute's turns; False when all are taken. No minute, wherever it begins, sees more of them."""
    names = [f"log {log} {turn}" for turn in range(turns)]
    rows = [{"name": name, "owner": "", "lease_until": 0} for name in names]
    session.execute(insert_into(session, lock).on_conflict_do_nothing(), rows)
    free = (
        select(lock.c.name)
        .where(lock.c.name.in_(names), lock.c.lease_until <= database_now())
        .order_by(lock.c.lease_until, lock.c.name)
        .limit(1)
        .with_for_update(skip_locked=True)
        .cte("free")
    )
    taken = (
        update(lock)
        .where(lock.c.name.in_(select(free.c.name)))
        .values(owner=owner, lease_until=database_now() + TURN, fence=lock.c.fence + 1)
        .returning(lock.c.name)
    )
    return session.scalar(taken) is not None
