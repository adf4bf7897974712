"""Judges the visits of our signed links, each once, beside the other visits of its message."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Row, Select, String, Update, case, cast, select, update
from sqlalchemy.orm import Session

from leadflow.intake.clicks import Context, Judgement, Visit, judge
from leadflow.intake.events import NewEvent, record_events
from leadflow.models import event_key, hit, identity, link, message
from leadflow.pipeline.scope import in_scope
from leadflow.types import CLICK_WEIGHT, Delivery, Scope, micros

_BATCH = 1_000
SOURCE = "hit"


def take_clicks(session: Session, now: datetime, scope: Scope) -> Mapping[str, int]:
    """Record an `email_clicked` for each visit before `now` that has none; five statements a batch and what records."""
    counts: Counter[str] = Counter()
    for new in _batches(session, now, scope):
        known = _visits_of(session, {row.message_id for row in new}, now)
        judged = [(row, _judged(row, known[row.message_id])) for row in new]
        counts["recorded"] += record_events(session, [_event(row, said) for row, said in judged], received_at=now)
        session.execute(_tie_to_events([row.id for row in new]))
        counts["visits"] += len(new)
        counts.update(f"clicks_{said.click}" for _row, said in judged)
    return counts


def path_of(url: str) -> str:
    """The path of a link's target: what conditions ask about."""
    return urlsplit(url).path or "/"


def arrived_at() -> Any:
    """When a message reached its reader, else when it left."""
    delivered = message.c.delivery == Delivery.DELIVERED
    return case((delivered, message.c.delivery_at), else_=message.c.sent_at).label("arrived_at")


def _batches(session: Session, now: datetime, scope: Scope) -> Iterator[Sequence[Row[Any]]]:
    last = 0
    while rows := session.execute(_new_visits(now, scope, last)).all():
        yield rows
        last = rows[-1].id


def _new_visits(now: datetime, scope: Scope, after: int) -> Select[Any]:
    """Visits before `now` that no event stands for, with whose they are today."""
    return (
        select(hit.c.id, hit.c.message_id, hit.c.at, hit.c.method, hit.c.user_agent, link.c.url)
        .add_columns(message.c.address_id, identity.c.lead_id, arrived_at())
        .select_from(
            hit.join(message, message.c.id == hit.c.message_id)
            .join(link, link.c.id == hit.c.link_id)
            .join(identity, identity.c.id == message.c.address_id)
        )
        .where(hit.c.event_id.is_(None), hit.c.at < micros(now), hit.c.id > after, in_scope(message.c.lead_id, scope))
        .order_by(hit.c.id)
        .limit(_BATCH)
    )


def _visits_of(session: Session, messages: set[int], now: datetime) -> Mapping[int, list[Visit]]:
    """All visits of `messages` before `now`, judged or not: a burst may span two sweeps."""
    rows = session.execute(
        select(hit.c.message_id, hit.c.at, hit.c.method, hit.c.user_agent, link.c.url)
        .select_from(hit.join(link, link.c.id == hit.c.link_id))
        .where(hit.c.message_id.in_(messages), hit.c.at < micros(now))
        .order_by(hit.c.id)
    )
    found: defaultdict[int, list[Visit]] = defaultdict(list)
    for row in rows:
        found[row.message_id].append(_visit(row))
    return found


def _visit(row: Row[Any]) -> Visit:
    return Visit(link=row.url, at=row.at, method=row.method, user_agent=row.user_agent)


def _judged(row: Row[Any], visits: Sequence[Visit]) -> Judgement:
    return judge(_visit(row), Context(visits=visits, arrived_at=row.arrived_at))


def _event(row: Row[Any], said: Judgement) -> NewEvent:
    return NewEvent(
        source=SOURCE,
        external_id=str(row.id),
        kind="email_clicked",
        occurred_at=row.at,
        received_at=row.at,
        lead_id=row.lead_id,
        identity_id=row.address_id,
        path=path_of(row.url),
        weight=CLICK_WEIGHT[said.click],
        message_id=row.message_id,
        classified_by=said.classified_by,
    )


def _tie_to_events(hits: Sequence[int]) -> Update:
    """Each of `hits` gets the event that stands for it."""
    stands = select(event_key.c.event_id).where(
        event_key.c.source == SOURCE, event_key.c.external_id == cast(hit.c.id, String)
    )
    return update(hit).where(hit.c.id.in_(hits)).values(event_id=stands.scalar_subquery())
