"""Keeps the calendars in use expanded: one read of the pairs people live in, writes only for what is stale."""

from datetime import datetime, timedelta
from hashlib import sha256
from importlib.metadata import version
from typing import Any

from sqlalchemy import Table, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from leadflow.db import reserve_ids
from leadflow.models import business_day, calendar, lead, window_slot
from leadflow.playbook.model import Playbook
from leadflow.windows.hours import business_days, hours_of, open_slots

BEHIND = timedelta(days=40)
AHEAD = timedelta(days=400)
#: Expanded again when less than this is left.
ENOUGH = timedelta(days=300)

Pair = tuple[str, str]


def ensure_calendars(session: Session, playbook: Playbook, now: datetime) -> None:
    """Expand every (zone, country) in use around `now`; two reads and no write when all are fresh."""
    wanted = _pairs_in_use(session)
    mark = _fingerprint(playbook)
    rows = session.execute(select(calendar)).all()
    known: dict[Pair, int] = {(row.zone, row.country): row.id for row in rows}
    fresh = {
        (row.zone, row.country) for row in rows if row.fingerprint == mark and now + ENOUGH <= row.until <= now + AHEAD
    }
    stale = sorted(wanted - fresh)
    if stale:
        _insert(session, [pair for pair in stale if pair not in known], known)
        _expand(session, playbook, now, {pair: known[pair] for pair in stale}, mark)


def _pairs_in_use(session: Session) -> set[Pair]:
    pairs = select(func.coalesce(lead.c.zone, ""), func.coalesce(lead.c.country, "")).distinct()
    return {("", ""), *((zone, country) for zone, country in session.execute(pairs))}


def _fingerprint(playbook: Playbook) -> str:
    window, office = playbook.window, playbook.office
    told = (window.days, window.start, window.end, window.holidays, office.zone, office.country)
    return sha256(repr((told, version("tzdata"), version("holidays"))).encode()).hexdigest()[:16]


def _insert(session: Session, pairs: list[Pair], known: dict[Pair, int]) -> None:
    if not pairs:
        return
    known.update(zip(pairs, reserve_ids(session, calendar.c.id, len(pairs)), strict=True))
    rows = [{"id": known[zone, country], "zone": zone, "country": country, "until": 0} for zone, country in pairs]
    session.execute(insert(calendar), rows)


def _expand(session: Session, playbook: Playbook, now: datetime, ids: dict[Pair, int], mark: str) -> None:
    """Rewrite slots and days of the calendars `ids`."""
    for table in (window_slot, business_day):
        session.execute(delete(table).where(table.c.calendar_id.in_(ids.values())))
    slots: list[dict[str, Any]] = []
    days: list[dict[str, Any]] = []
    for (zone, country), calendar_id in ids.items():
        hours = hours_of(playbook, zone, country)
        first, last = (now - BEHIND).astimezone(hours.zone).date(), (now + AHEAD).astimezone(hours.zone).date()
        slots += (
            {"calendar_id": calendar_id, "opens_at": slot.opens, "closes_at": slot.closes}
            for slot in open_slots(hours, first, last)
        )
        days += (
            {"calendar_id": calendar_id, "n": n, "starts_at": starts}
            for n, starts in enumerate(business_days(hours, first, last))
        )
    _fill(session, window_slot, slots)
    _fill(session, business_day, days)
    written = update(calendar).where(calendar.c.id == bindparam("of"))
    session.connection().execute(
        written.values(fingerprint=mark, until=now + AHEAD), [{"of": calendar_id} for calendar_id in ids.values()]
    )


def _fill(session: Session, table: Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        session.execute(insert(table), rows)
