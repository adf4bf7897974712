"""Windows and business days equal a minute-by-minute walk."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from itertools import accumulate
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadflow.playbook.model import Window
from leadflow.windows.hours import Hours, business_days, hours_of, instant_at, open_slots
from tests.build import playbook, window

PARIS = ZoneInfo("Europe/Paris")
MIN = timedelta(minutes=1)
#: Two years.
HOURS = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=h) for h in range(2 * 366 * 24)]
ZONES = sorted(z for z in available_timezones() if not z.startswith(("posix", "right", "Etc")))


def _offsets(zone: ZoneInfo) -> tuple[timedelta | None, ...]:
    return tuple(hour.astimezone(zone).utcoffset() for hour in HOURS)


def _transitions(offsets: Sequence[timedelta | None]) -> list[datetime]:
    """The first hour after each change of the clock in two years, and one plain night."""
    return [HOURS[1000], *(b for b, x, y in zip(HOURS[1:], offsets, offsets[1:], strict=False) if x != y)]


def _walk(zone: ZoneInfo, change: datetime) -> Iterator[tuple[datetime, datetime]]:
    """(instant, the latest wall time any clock of the zone has shown by then), minute by minute around `change`."""
    begin, minutes = change - timedelta(hours=30), 60 * 60
    latest = datetime.min  # noqa: DTZ901 - wall time
    for step in range(-1500, minutes):
        instant = begin + step * MIN
        latest = max(latest, instant.astimezone(zone).replace(tzinfo=None))
        if step >= 0:
            yield instant, latest


def _spells(hours: Hours, today: date) -> list[tuple[datetime, datetime]]:
    """When windows are open that may be so on `today`, by clocks on walls."""
    window = hours.window
    length = (window.end - window.start) % 1440 or 1440
    days = [day for day in (today, today - timedelta(days=1)) if hours.works(day)]
    opens = [datetime(day.year, day.month, day.day) + window.start * MIN for day in days]  # noqa: DTZ001 - wall time
    return [(begin, begin + length * MIN) for begin in opens]


@pytest.mark.no_cover  # most of it is the test's own loop: the cases below count the lines
@given(
    zone=st.sampled_from(ZONES),
    start=st.integers(0, 95).map(lambda q: q * 15),
    end=st.integers(0, 95).map(lambda q: q * 15),
    days=st.sets(st.integers(0, 6), min_size=1).map(lambda chosen: tuple(sorted(chosen))),
)
def test_windows_and_business_days_equal_a_walk_by_the_minute(
    zone: str, start: int, end: int, days: tuple[int, ...]
) -> None:
    place = ZoneInfo(zone)
    for change in _transitions(_offsets(place)):
        _compare(place, window(start, end, days), change, _walk(place, change))


def _behaviours() -> Iterator[tuple[ZoneInfo, list[datetime]]]:
    """One zone for each way of changing the clock in two years: the others are the same to the minute."""
    found: dict[tuple[timedelta | None, ...], ZoneInfo] = {}
    for name in ZONES:
        zone = ZoneInfo(name)
        found.setdefault(_offsets(zone), zone)
    for offsets, zone in found.items():
        yield zone, _transitions(offsets)


@pytest.mark.slow
@pytest.mark.no_cover  # a million minutes of the test's own loop: the cases below count the lines
def test_no_zone_s_change_of_the_clock_opens_or_shuts_a_window_wrongly() -> None:
    every_day = (0, 1, 2, 3, 4, 5, 6)
    for zone, changes in _behaviours():
        for change in changes:
            walked = list(_walk(zone, change))
            for start, end in ((60, 210), (22 * 60, 6 * 60)):
                _compare(zone, window(start, end, every_day), change, walked)


def _compare(place: ZoneInfo, window: Window, change: datetime, walked: Iterable[tuple[datetime, datetime]]) -> None:
    hours = Hours(zone=place, country="FR", window=window)
    first = (change - timedelta(days=4)).date()
    slots = sorted((slot.opens, slot.closes) for slot in open_slots(hours, first, first + timedelta(days=9)))
    opens, closed_by = [slot[0] for slot in slots], [*accumulate((slot[1] for slot in slots), max)]
    starts = set(business_days(hours, first, first + timedelta(days=9)))
    spells = cache(partial(_spells, hours))
    seen: date | None = None
    for instant, latest in walked:
        today = latest.date()
        begun = bisect_right(opens, instant)
        is_open = begun > 0 and instant < closed_by[begun - 1]
        # Open when some window has been opened, and not closed, by clocks that have shown `latest`.
        assert is_open == any(begin <= latest < end for begin, end in spells(today)), (instant, latest)
        if seen is not None and today != seen and hours.works(today):
            assert instant in starts
        seen = today


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(150, "2026-03-29T01:00:00+00:00"), (119, "2026-03-29T00:59:00+00:00"), (180, "2026-03-29T01:00:00+00:00")],
)
def test_a_time_the_spring_night_leaves_out_is_the_first_instant_after_the_gap(minutes: int, expected: str) -> None:
    assert expected == instant_at(date(2026, 3, 29), minutes, PARIS).isoformat()


def test_a_time_the_autumn_night_shows_twice_is_the_first_of_the_two() -> None:
    assert instant_at(date(2026, 10, 25), 150, PARIS) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_slot_that_lies_in_the_gap_vanishes() -> None:
    hours = Hours(zone=PARIS, country=None, window=window(130, 170, (6,)))
    assert list(open_slots(hours, date(2026, 3, 29), date(2026, 3, 29))) == []


def test_a_window_across_midnight_belongs_to_the_day_it_opens_on() -> None:
    hours = Hours(zone=PARIS, country=None, window=window(22 * 60, 6 * 60, (4,)))
    (slot,) = open_slots(hours, date(2026, 3, 2), date(2026, 3, 8))
    assert (slot.opens, slot.closes) == (
        datetime(2026, 3, 6, 21, tzinfo=UTC),
        datetime(2026, 3, 7, 5, tzinfo=UTC),
    )


def test_touching_slots_are_one() -> None:
    hours = Hours(zone=PARIS, country=None, window=window(0, 0, (0, 1, 2)))
    (slot,) = open_slots(hours, date(2026, 3, 2), date(2026, 3, 8))
    assert slot.closes - slot.opens == timedelta(days=3)


@pytest.mark.parametrize(
    ("zone", "country", "expected"),
    [
        ("America/New_York", "FR", "America/New_York"),
        ("", "IE", "Europe/Dublin"),
        ("", "US", "Europe/Paris"),
        ("Mars/Olympus", "IE", "Europe/Dublin"),
        ("../../etc/passwd", "", "Europe/Paris"),
        ("Europe", "", "Europe/Paris"),
        ("", "", "Europe/Paris"),
    ],
)
def test_the_zone_is_the_own_one_then_the_countrys_only_one_then_the_offices(
    zone: str, country: str, expected: str
) -> None:
    assert str(hours_of(playbook(), zone, country).zone) == expected


def test_holidays_are_those_of_the_country_one_lives_in() -> None:
    book = playbook()
    fourteenth, seventeenth = date(2026, 7, 14), date(2026, 3, 17)
    assert not hours_of(book, "", "FR").works(fourteenth)
    assert hours_of(book, "", "IE").works(fourteenth)
    assert not hours_of(book, "", "IE").works(seventeenth)
    assert not hours_of(book, "", "").works(fourteenth)
    assert hours_of(book, "", "ZZ").works(fourteenth)
