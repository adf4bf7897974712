"""First and last source of a lead: what the visits of all they are known by say together, in whatever order told."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.conditions.sources import SOURCE_FIELDS, SOURCE_PARTS
from leadflow.conditions.words import change_of
from leadflow.db import insert_into
from leadflow.intake.bulk import as_json, insert_rows, update_rows
from leadflow.intake.sources import DIRECT, Source
from leadflow.models import identity, lead, lead_change, touch
from leadflow.types import micros

#: Who tells, in the history of a lead.
TOLD_BY = "visit"


def keep_touches(session: Session, touches: Iterable[tuple[int, datetime, Source]]) -> None:
    """Write (identity, instant, source) of visits; one told again is known."""
    rows = [
        {"identity_id": identity_id, "at": micros(at), **{part: getattr(source, part) for part in SOURCE_PARTS}}
        for identity_id, at, source in touches
    ]
    if rows:
        session.execute(insert_into(session, touch).on_conflict_do_nothing(), rows)


def settle_sources(session: Session, lead_ids: Iterable[int], now: datetime) -> None:
    """Set first and last source of these leads to what their visits say today; four statements and what is written.

    First is the earliest visit; last the latest that somebody led here, for a direct visit says nothing new.
    """
    ids = sorted(set(lead_ids))
    if not ids:
        return
    found = _touches(session, ids)
    known = session.execute(select(lead.c.id, lead.c.attributes).where(lead.c.id.in_(ids)))
    changed = [
        (row.id, row.attributes, after)
        for row in known
        if (after := _settled(row.attributes, found.get(row.id, ()))) != row.attributes
    ]
    at = micros(now)
    update_rows(
        session, lead, ("id", "attributes", "updated_at"), [(id, as_json(after), at) for id, _, after in changed]
    )
    history = [
        (id, name, _change(before.get(name)), _change(after.get(name)), at, TOLD_BY)
        for id, before, after in changed
        for name in SOURCE_FIELDS
        if before.get(name) != after.get(name)
    ]
    insert_rows(session, lead_change, ("lead_id", "field", "before", "after", "at", "source"), history)


def _touches(session: Session, lead_ids: Sequence[int]) -> Mapping[int, Sequence[Any]]:
    """The visits of each lead, the earliest first."""
    columns = [identity.c.lead_id, *(touch.c[part] for part in SOURCE_PARTS)]
    query = select(*columns).join(identity, identity.c.id == touch.c.identity_id)
    found: dict[int, list[Any]] = {}
    for row in session.execute(query.where(identity.c.lead_id.in_(lead_ids)).order_by(touch.c.at, touch.c.id)):
        found.setdefault(row.lead_id, []).append(row)
    return found


def _settled(attributes: Mapping[str, Any], visits: Sequence[Any]) -> dict[str, Any]:
    """`attributes` with the fields of both sources as `visits` say."""
    settled = {name: value for name, value in attributes.items() if name not in SOURCE_FIELDS}
    if visits:
        led = [visit for visit in visits if visit.source != DIRECT]
        for when, visit in (("first", visits[0]), ("last", (led or visits)[-1])):
            settled |= {f"{when}_{part}": getattr(visit, part) for part in SOURCE_PARTS if getattr(visit, part)}
    return settled


def _change(value: object) -> str | None:
    change = change_of(value)
    return None if change is None else as_json(change)
