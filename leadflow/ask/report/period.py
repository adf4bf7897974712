"""What a report is about: `--from 2026-01 --to 2026-03`, months or days of the office, both included."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, type_coerce

from leadflow.errors import UsageError
from leadflow.text import _
from leadflow.types import micros

_WRITTEN = re.compile(r"\d{4}-(0[1-9]|1[0-2])(-\d\d)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A half-open stretch of time; None is open. `first` and `last` are what was asked."""

    since: int | None = None
    until: int | None = None
    first: str | None = None
    last: str | None = None

    def holds(self, column: ColumnElement[Any]) -> Iterator[ColumnElement[bool]]:
        """The conditions under which an instant lies inside."""
        at = type_coerce(column, BigInteger)
        if self.since is not None:
            yield at >= self.since
        if self.until is not None:
            yield at < self.until


ALWAYS = Period()


def read_period(first: str | None, last: str | None, zone: ZoneInfo) -> Period:
    """The period from the beginning of `first` to the end of `last`; UsageError for what is no month and no day."""
    since = _bounds("--from", first, zone)[0] if first else None
    until = _bounds("--to", last, zone)[1] if last else None
    if since is not None and until is not None and since >= until:
        raise UsageError(_("--from {first} comes after --to {last}").format(first=first, last=last))
    return Period(since=since, until=until, first=first, last=last)


def _bounds(option: str, text: str, zone: ZoneInfo) -> tuple[int, int]:
    try:
        if not _WRITTEN.fullmatch(text):
            raise ValueError
        whole_month = len(text) == len("2026-03")
        day = date.fromisoformat(f"{text}-01" if whole_month else text)
    except ValueError:
        words = _("{option} {month}: write a month such as 2026-01, or a day such as 2026-01-31")
        raise UsageError(words.format(option=option, month=text)) from None
    after = _next_month(day) if whole_month else day + timedelta(days=1)
    return midnight(day, zone), midnight(after, zone)


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def midnight(day: date, zone: ZoneInfo) -> int:
    """The instant at which `day` begins, in microseconds."""
    return micros(datetime.combine(day, time(), zone))


def month_bounds(start: str, end: str, zone: ZoneInfo) -> list[tuple[str, int, int]]:
    """(YYYY-MM, first instant, first instant of the next month) for each month from `start` to `end`, local time."""
    months, day = [], date.fromisoformat(f"{start[:7]}-01")
    while f"{day:%Y-%m}" <= end[:7]:
        after = _next_month(day)
        months.append((f"{day:%Y-%m}", midnight(day, zone), midnight(after, zone)))
        day = after
    return months


def week_bounds(start: datetime, end: datetime, zone: ZoneInfo) -> list[tuple[date, int, int]]:
    """(Monday, first instant, first instant of the next week) for each week that has an instant in [start, end]."""
    local = start.astimezone(zone).date()
    monday, weeks = local - timedelta(days=local.weekday()), []
    while midnight(monday, zone) <= micros(end):
        after = monday + timedelta(days=7)
        weeks.append((monday, midnight(monday, zone), midnight(after, zone)))
        monday = after
    return weeks
