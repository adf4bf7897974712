"""Records events so that each counts once, whatever the order or repetition they come in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import insert
from sqlalchemy.orm import Session

from leadflow.db import insert_into
from leadflow.models import event, event_inbox, event_key
from leadflow.types import FULL_WEIGHT, micros, month_of

T = TypeVar("T")

#: Rows a statement takes at most: three columns and more stay under what both databases can bind.
BATCH = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """Something a lead did or a message met with, as its source tells it."""

    #: Who tells: a provider, `form`, `replay`, `deals` …
    source: str
    #: The source's own id of it; (source, external_id) counts once.
    external_id: str
    kind: str
    occurred_at: datetime
    lead_id: int | None = None
    identity_id: int | None = None
    path: str | None = None
    #: Hundredths; an event of weight 0 is kept and never counts.
    weight: int = FULL_WEIGHT
    message_id: int | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    #: Version of the rule that judged a click.
    classified_by: str | None = None
    #: When it came in, where that differs from the others told with it.
    received_at: datetime | None = None


def record_events(session: Session, events: Sequence[NewEvent], *, received_at: datetime) -> int:
    """Write the events nobody told before, and queue those of known leads for scoring; returns how many were new.

    Three statements a batch. An event from the future is clamped to `received_at`, its claim kept.
    """
    return sum(_record_batch(session, batch, received_at) for batch in batches(events, BATCH))


def batches(rows: Iterable[T], size: int) -> Iterable[list[T]]:
    """`rows` in lists of at most `size`."""
    rest = iter(rows)
    while batch := list(islice(rest, size)):
        yield batch


def _record_batch(session: Session, events: list[NewEvent], received_at: datetime) -> int:
    by_key = {(new.source, new.external_id): new for new in reversed(events)}
    keys = [{"source": source, "external_id": external_id} for source, external_id in reversed(by_key)]
    claim = insert_into(session, event_key).on_conflict_do_nothing(index_elements=["source", "external_id"])
    claimed = session.execute(
        claim.returning(event_key.c.event_id, event_key.c.source, event_key.c.external_id), keys
    ).all()
    new = [(row.event_id, by_key[row.source, row.external_id]) for row in claimed]
    if not new:
        return 0
    rows = [_row(event_id, told, told.received_at or received_at) for event_id, told in new]
    session.execute(insert(event), rows)
    waiting = [_waiting(row) for row in rows if row["lead_id"] is not None and row["weight"]]
    if waiting:
        session.execute(insert(event_inbox), waiting)
    return len(new)


def _row(event_id: int, told: NewEvent, received_at: datetime) -> dict[str, Any]:
    late = told.occurred_at > received_at
    occurred_at = received_at if late else told.occurred_at
    return {
        "id": event_id,
        "month": month_of(occurred_at),
        "lead_id": told.lead_id,
        "identity_id": told.identity_id,
        "kind": told.kind,
        "occurred_at": micros(occurred_at),
        "received_at": micros(received_at),
        "claimed_at": micros(told.occurred_at) if late else None,
        "path": told.path,
        "weight": told.weight,
        "message_id": told.message_id,
        "properties": dict(told.properties),
        "classified_by": told.classified_by,
    }


def _waiting(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "event_id": row["id"],
        "month": row["month"],
        "lead_id": row["lead_id"],
        "occurred_at": row["occurred_at"],
        "received_at": row["received_at"],
    }
