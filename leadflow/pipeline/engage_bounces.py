"""Decides from a provider's news which addresses are never mailed again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, func, or_, select, type_coerce
from sqlalchemy.orm import Session

from leadflow.db import insert_into
from leadflow.db.turns import NOES, go_alone
from leadflow.models import event, identity, suppression
from leadflow.ports import ProviderEvent
from leadflow.types import DAY, Suppressed, micros

#: Soft bounces suppress when there were more than so many in a row, the last so long after the first.
SOFT_IN_A_ROW = 5
SOFT_OVER = 10 * DAY

#: Reasons that news can give, the weakest first; any other is stronger.
_STRENGTH = (Suppressed.BOUNCED, Suppressed.UNSUBSCRIBED, Suppressed.COMPLAINED)


def suppress_addresses(session: Session, told: Sequence[tuple[int, ProviderEvent]]) -> None:
    """Suppress (identity, news) that bounced hard, complained or unsubscribed, or bounced softly for too long.

    Bounces that are the sender's fault suppress nobody. Nothing here lifts a suppression; a person's own no is a
    stronger reason than a bounce, whichever is heard first.
    """
    firm: dict[int, tuple[Suppressed, datetime]] = {}
    for identity_id, news in sorted(told, key=lambda pair: pair[1].at):
        reason = _reason(news)
        if reason is not None and _outranks(reason, firm.get(identity_id)):
            firm[identity_id] = (reason, news.at)
    soft = {identity_id: news.at for identity_id, news in told if news.kind == "blocked" and news.hardness == "soft"}
    for identity_id in session.scalars(_worn_out(list(soft))) if soft else ():
        firm.setdefault(identity_id, (Suppressed.BOUNCED, soft[identity_id]))
    _write(session, firm)


def _reason(news: ProviderEvent) -> Suppressed | None:
    match news.kind, news.hardness:
        case "complained", _:
            return Suppressed.COMPLAINED
        case "unsubscribed", _:
            return Suppressed.UNSUBSCRIBED
        case "bounced", "hard":
            return Suppressed.BOUNCED
        case _:
            return None


def _worn_out(identities: Sequence[int]) -> Select[Any]:
    """Those of `identities` whose soft bounces since their last delivery are too many over too long."""
    delivered = (
        select(event.c.identity_id, func.max(event.c.occurred_at).label("at"))
        .where(event.c.identity_id.in_(identities), event.c.kind == "email_delivered")
        .group_by(event.c.identity_id)
        .subquery()
    )
    at = type_coerce(event.c.occurred_at, BigInteger)
    return (
        select(event.c.identity_id)
        .select_from(event.outerjoin(delivered, delivered.c.identity_id == event.c.identity_id))
        .where(event.c.identity_id.in_(identities), event.c.kind == "email_blocked")
        .where(event.c.properties["hardness"].as_string() == "soft")
        .where(at > func.coalesce(type_coerce(delivered.c.at, BigInteger), 0))
        .group_by(event.c.identity_id)
        .having(func.count() > SOFT_IN_A_ROW, func.max(at) - func.min(at) >= SOFT_OVER)
    )


def _outranks(reason: Suppressed, known: tuple[Suppressed, datetime] | None) -> bool:
    return known is None or _STRENGTH.index(reason) > _STRENGTH.index(known[0])


def _write(session: Session, firm: dict[int, tuple[Suppressed, datetime]]) -> None:
    if not firm:
        return
    hashes = session.execute(select(identity.c.id, identity.c.hash).where(identity.c.id.in_(firm)))
    rows = {row.hash: _row(row.hash, *firm[row.id]) for row in hashes}
    # A no is committed alone: no intent that has not heard of it goes beside it.
    go_alone(session, NOES)
    insert = insert_into(session, suppression)
    new, old = _strength(insert.excluded.reason), _strength(suppression.c.reason)
    earlier = and_(new == old, insert.excluded.at < suppression.c.at)
    told_more = insert.on_conflict_do_update(
        index_elements=["address_hash"],
        set_={name: insert.excluded[name] for name in ("reason", "at", "source")},
        where=or_(new > old, earlier),
    )
    session.execute(told_more, list(rows.values()))


def _strength(reason: ColumnElement[str]) -> ColumnElement[int]:
    return case({str(word): place for place, word in enumerate(_STRENGTH)}, value=reason, else_=len(_STRENGTH))


def _row(address_hash: str, reason: Suppressed, at: datetime) -> dict[str, Any]:
    return {"address_hash": address_hash, "reason": reason, "at": micros(at), "source": "provider"}
