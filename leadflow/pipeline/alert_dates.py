"""Instants as an alert says them: `13:00` today, `Sat 14:15` this week, `9 March` before or after."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta, tzinfo

from leadflow.conditions.dates import day_words
from leadflow.text import _

_WEEK = timedelta(days=6)


def moment(at: datetime, now: datetime, zone: tzinfo) -> str:
    """When something was or will be, as short as it is clear to somebody who reads at `now`."""
    then, today = at.astimezone(zone), now.astimezone(zone).date()
    if then.date() == today:
        return f"{then:%H:%M}"
    if abs(then.date() - today) <= _WEEK:
        return f"{weekday(then)} {then:%H:%M}"
    return day_words(then.date(), today)


def weekday(at: datetime) -> str:
    """Tue, in the language people read."""
    return (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))[at.weekday()]


def moments(at: Sequence[datetime], now: datetime, zone: tzinfo) -> str:
    """Several instants, each day named once: `Sat 14:15, Fri 11:17, 11:16`."""
    said: list[str] = []
    days: list[date] = []
    for one in at:
        day = one.astimezone(zone).date()
        words = moment(one, now, zone)
        if day not in days:
            said.append(words)
        elif words.endswith(f"{one.astimezone(zone):%H:%M}"):
            said.append(f"{one.astimezone(zone):%H:%M}")
        days.append(day)
    return ", ".join(said)
