"""Looks at the visits of our links, each beside the others of its mail, and notes what speaks for a machine."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, bindparam, func, select, update
from sqlalchemy.orm import Session

from leadflow.intake.click_signs import Visit, signs_of
from leadflow.links import HIDDEN
from leadflow.models import hit, link, message
from leadflow.pipeline.scope import in_scope
from leadflow.types import Everyone, Scope, micros

#: Visits that are looked at together, with the other visits of their mails.
_BATCH = 1_000


@dataclass(slots=True, kw_only=True)
class Looked:
    """Whose visits were looked at: what was said of them before may be wrong now."""

    messages: set[int] = field(default_factory=set)
    networks: set[str] = field(default_factory=set)
    #: Visits that nobody had looked at.
    new: list[int] = field(default_factory=list)


def note_signs(session: Session, now: datetime, scope: Scope) -> Looked:
    """Write the signs of each visit known before `now` that has none, and anew those of the same mails."""
    looked = Looked()
    for new in _batches(session, now, scope):
        messages = {row.message_id for row in new}
        looked.new += [row.id for row in new]
        looked.messages |= messages
        mails = _visits_of(session, messages, now)
        looked.networks |= {row.ip for rows in mails.values() for row in rows if row.ip}
        _write(session, list(_changed(mails)))
    return looked


def arrived_at() -> Any:
    """When a message reached its reader, else when it left."""
    return func.coalesce(message.c.delivered_at, message.c.sent_at).label("arrived_at")


def is_known(now: datetime) -> ColumnElement[bool]:
    """Whether a visit had happened before `now`, and we had heard of it."""
    return func.coalesce(hit.c.told_at, hit.c.at) < micros(now)


def _batches(session: Session, now: datetime, scope: Scope) -> Iterator[Sequence[Row[Any]]]:
    last = 0
    while rows := session.execute(_unseen(now, scope, last)).all():
        yield rows
        last = rows[-1].id


def _unseen(now: datetime, scope: Scope, after: int) -> Select[Any]:
    query = select(hit.c.id, hit.c.message_id).where(hit.c.signs.is_(None), is_known(now), hit.c.id > after)
    if not isinstance(scope, Everyone):
        query = query.join(message, message.c.id == hit.c.message_id).where(in_scope(message.c.lead_id, scope))
    return query.order_by(hit.c.id).limit(_BATCH)


def _visits_of(session: Session, messages: set[int], now: datetime) -> Mapping[int, list[Row[Any]]]:
    """All visits of `messages` known before `now`, looked at or not: a burst may span two sweeps."""
    columns = (hit.c[name] for name in ("id", "message_id", "at", "method", "ip", "user_agent", "ahead", "signs"))
    rows = session.execute(
        select(*columns, link.c.url, arrived_at())
        .select_from(hit.join(link, link.c.id == hit.c.link_id).join(message, message.c.id == hit.c.message_id))
        .where(hit.c.message_id.in_(messages), is_known(now))
        .order_by(hit.c.id)
    )
    found: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        found[row.message_id].append(row)
    return found


def _changed(mails: Mapping[int, Sequence[Row[Any]]]) -> Iterator[tuple[int, int]]:
    """(visit, its signs) where they are not those that are kept."""
    for rows in mails.values():
        signs = signs_of([_visit(row) for row in rows], rows[0].arrived_at)
        yield from ((row.id, int(now)) for row, now in zip(rows, signs, strict=True) if now != row.signs)


def _visit(row: Row[Any]) -> Visit:
    return Visit(
        link=row.url,
        at=row.at,
        method=row.method,
        user_agent=row.user_agent,
        network=row.ip,
        ahead=row.ahead,
        hidden=row.url == HIDDEN,
    )


def _write(session: Session, found: Sequence[tuple[int, int]]) -> None:
    if found:
        statement = update(hit).where(hit.c.id == bindparam("of")).values(signs=bindparam("seen"))
        session.connection().execute(statement, [{"of": of, "seen": seen} for of, seen in found])
