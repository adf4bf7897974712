"""Dates as people in the office say them: `24 March`, `Tue 24 March at 09:44`; the year where it is another one."""

from datetime import datetime
from zoneinfo import ZoneInfo

from leadflow.ask.section import weekday
from leadflow.conditions.dates import day_words
from leadflow.conditions.evaluate import View
from leadflow.text import _, ngettext
from leadflow.types import DAY, HOUR, Span, SpanKind


def date_of(at: datetime, view: View) -> str:
    """`24 March`; `24 March 2025` where the question is asked in another year."""
    return day_words(at.astimezone(view.zone).date(), view.now.astimezone(view.zone).date())


def weekday_of(at: datetime, view: View) -> str:
    """`Tue 24 March`."""
    return f"{weekday(at.astimezone(view.zone))} {date_of(at, view)}"


def moment_of(at: datetime, view: View) -> str:
    """`Tue 24 March at 09:44`."""
    return _("{date} at {time}").format(date=weekday_of(at, view), time=clock_of(at, view))


def short_of(at: datetime, view: View) -> str:
    """`24 March 09:44`."""
    return f"{date_of(at, view)} {clock_of(at, view)}"


def clock_of(at: datetime, view: View) -> str:
    """`09:44`."""
    return f"{at.astimezone(view.zone):%H:%M}"


def place_of(view: View) -> str:
    """`Paris`: the zone of the office."""
    name = view.zone.key if isinstance(view.zone, ZoneInfo) else str(view.zone)
    return name.rpartition("/")[2].replace("_", " ")


def span_of(span: Span) -> str:
    """`5 business days`, `48 hours`."""
    if span.kind is SpanKind.BUSINESS_DAYS:
        return ngettext("{n} business day", "{n} business days", span.amount).format(n=span.amount)
    if span.kind is SpanKind.BUSINESS_HOURS:
        return ngettext("{n} business hour", "{n} business hours", span.amount).format(n=span.amount)
    return days_of(span.amount)


def days_of(amount: int) -> str:
    """Microseconds in whole days, else in hours."""
    if amount % DAY == 0:
        return ngettext("{n} day", "{n} days", amount // DAY).format(n=amount // DAY)
    return ngettext("{n} hour", "{n} hours", amount // HOUR).format(n=amount // HOUR)
