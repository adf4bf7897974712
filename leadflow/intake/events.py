"""Records events so that each counts once, whatever the order or repetition they come in."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import BigInteger, TextClause, func, select, text, type_coerce
from sqlalchemy.orm import Session

from leadflow.intake.bulk import as_json, insert_rows
from leadflow.models import event, event_inbox, sweep
from leadflow.types import FULL_WEIGHT, instant_of, micros, month_of

T = TypeVar("T")

#: Rows a statement takes at most: three columns and more stay under what both databases can bind.
BATCH = 1_000
#: Events recorded at once: their keys are one parameter.
_AT_ONCE = 5_000


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

    Four statements a batch. An event from the future is clamped to `received_at`, its claim kept. One that came in
    before the last sweep, which yet did not see it, counts as received at that sweep's instant: its row was committed
    too late, and whoever asks what is new since then must find it.
    """
    looked = _last_look(session, received_at) if any(new.received_at for new in events) else 0
    return sum(_record_batch(session, batch, received_at, looked) for batch in batches(events, _AT_ONCE))


def _last_look(session: Session, now: datetime) -> int:
    """The instant of the last sweep before `now`, whoever it looked at."""
    last = select(type_coerce(func.max(sweep.c.at), BigInteger)).where(sweep.c.at < micros(now))
    return session.scalar(last) or 0


def batches(rows: Iterable[T], size: int) -> Iterable[list[T]]:
    """`rows` in lists of at most `size`."""
    rest = iter(rows)
    while batch := list(islice(rest, size)):
        yield batch


def _record_batch(session: Session, events: list[NewEvent], received_at: datetime, looked: int) -> int:
    by_key = {(new.source, new.external_id): new for new in reversed(events)}
    claimed = session.execute(*_claim(session, [*reversed(by_key)])).all()
    came = micros(received_at)
    rows = [_row(id, by_key[source, external_id], came, looked) for id, source, external_id in claimed]
    insert_rows(session, event, _COLUMNS, rows)
    waiting = [(row[0], row[1], row[2], row[5], row[6]) for row in rows if row[2] is not None and row[9]]
    insert_rows(session, event_inbox, ("event_id", "month", "lead_id", "occurred_at", "received_at"), waiting)
    return len(rows)


def _claim(session: Session, keys: Sequence[tuple[str, str]]) -> tuple[TextClause, dict[str, Any]]:
    if (kind := session.get_bind().dialect.name) == "sqlite":
        return _CLAIM[kind], {"keys": json.dumps(keys)}
    return _CLAIM[kind], {"sources": [source for source, _id in keys], "ids": [id for _source, id in keys]}


#: INSERT event_key: those of the keys that nobody has told of.
_CLAIM = {
    "sqlite": text(
        "INSERT INTO event_key (source, external_id)"
        " SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(:keys) WHERE true"
        " ON CONFLICT (source, external_id) DO NOTHING RETURNING event_id, source, external_id"
    ),
    "postgresql": text(
        "INSERT INTO event_key (source, external_id)"
        " SELECT * FROM unnest(CAST(:sources AS TEXT[]), CAST(:ids AS TEXT[])) WHERE true"
        " ON CONFLICT (source, external_id) DO NOTHING RETURNING event_id, source, external_id"
    ),
}
_COLUMNS = (
    *("id", "month", "lead_id", "identity_id", "kind", "occurred_at", "received_at", "claimed_at", "path", "weight"),
    *("message_id", "properties", "classified_by"),
)


def _row(event_id: int, told: NewEvent, came: int, looked: int) -> tuple[Any, ...]:
    """A row of `event`, its columns in the order of `_COLUMNS`."""
    received = max(micros(told.received_at), looked) if told.received_at else came
    claimed = micros(told.occurred_at)
    late = claimed > received
    return (
        event_id,
        month_of(instant_of(received) if late else told.occurred_at),
        told.lead_id,
        told.identity_id,
        told.kind,
        received if late else claimed,
        received,
        claimed if late else None,
        told.path,
        told.weight,
        told.message_id,
        as_json(told.properties) if told.properties else "{}",
        told.classified_by,
    )
