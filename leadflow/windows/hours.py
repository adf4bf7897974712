"""Wall clocks turned into instants: open stretches and business days of one zone and country."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache, lru_cache
from importlib import resources
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import holidays

from leadflow.playbook.model import Playbook, Window

_DAY_MINUTES = 24 * 60


class Slot(NamedTuple):
    """An open stretch: mail may leave from `opens` until just before `closes`."""

    opens: datetime
    closes: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """The window as people of one zone and one holiday country live it."""

    zone: tzinfo
    #: Whose public holidays are closed; None closes none.
    country: str | None
    window: Window

    def works(self, day: date) -> bool:
        """Whether `day` is a business day."""
        return day.weekday() in self.window.days and day not in _holidays(self.country, day.year)


def hours_of(playbook: Playbook, zone: str = "", country: str = "") -> Hours:
    """Hours of people with that zone and country; the own zone, else the country's only one, else the office's."""
    office, mode = playbook.office, playbook.window.holidays
    lived_in = country or office.country
    own = _zone(zone) or _zone(_only_zones().get(country.upper(), "")) or _zone(office.zone) or UTC
    closed = {"lead_country": lived_in, "office": office.country}.get(mode)
    return Hours(zone=own, country=closed.upper() if closed else None, window=playbook.window)


# A year of days is expanded for each pair of zone and country, and most zones have several.
@lru_cache(maxsize=16_384)
def instant_at(day: date, minutes: int, zone: tzinfo) -> datetime:
    """The first instant at which a clock of `zone` shows `minutes` after the midnight that begins `day`, or later.

    So a time that a spring night leaves out is the first instant after the gap, and one that an autumn night
    shows twice is the first of the two.
    """
    wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)  # noqa: DTZ001 - a wall clock
    late = wall.replace(tzinfo=zone).astimezone(UTC)
    if late.astimezone(zone).replace(tzinfo=None) == wall:
        return late
    early = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=(late - early) // timedelta(seconds=2))
        if middle.astimezone(zone).replace(tzinfo=None) >= wall:
            late = middle
        else:
            early = middle
    return late


def open_slots(hours: Hours, first: date, last: date) -> Iterator[Slot]:
    """The open stretches of the days from `first` to `last`; a window belongs to the day it opens on.

    Stretches that a clock change leaves empty vanish, touching ones are one.
    """
    window = hours.window
    end = window.end if window.end > window.start else window.end + _DAY_MINUTES
    held: Slot | None = None
    for day in _days(first, last):
        if not hours.works(day):
            continue
        slot = Slot(instant_at(day, window.start, hours.zone), instant_at(day, end, hours.zone))
        if slot.opens >= slot.closes:
            continue
        if held is not None and slot.opens <= held.closes:
            held = Slot(held.opens, max(held.closes, slot.closes))
            continue
        if held is not None:
            yield held
        held = slot
    if held is not None:
        yield held


def business_days(hours: Hours, first: date, last: date) -> Iterator[datetime]:
    """The first instant of each business day from `first` to `last`; a day that a zone leaves out is none."""
    midnights = [(day, instant_at(day, 0, hours.zone)) for day in _days(first, last + timedelta(days=1))]
    for (day, starts), (_tomorrow, ends) in pairwise(midnights):
        if starts < ends and hours.works(day):
            yield starts


def _days(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def _zone(name: str) -> ZoneInfo | None:
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # Names come with people: one nobody knows is as good as none.
        return None


@cache
def _only_zones() -> dict[str, str]:
    """Country → its zone, for countries with a single one in the tz database."""
    table = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="ascii")
    rows = [line.split("\t") for line in table.splitlines() if line and not line.startswith("#")]
    countries = [row[0] for row in rows]
    return {row[0]: row[2] for row in rows if countries.count(row[0]) == 1}


@cache
def _holidays(country: str | None, year: int) -> frozenset[date]:
    if country is None:
        return frozenset()
    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except NotImplementedError:
        return frozenset()
