"""Windows and business days equal a minute-by-minute walk; their SQL equals the Python they were expanded from."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import BigInteger, literal, select, type_coerce
from sqlalchemy.orm import Session

from leadflow.models import business_day, calendar, window_slot
from leadflow.playbook.model import Playbook, Window
from leadflow.types import DAY, HOUR, MINUTE, SECOND, Span, SpanKind, instant_of, micros
from leadflow.windows import after_business_days, due_after, ensure_calendars, next_open
from leadflow.windows.hours import Hours, business_days, hours_of, instant_at, open_slots
from leadflow.windows.tables import AHEAD
from tests.build import NIGHT, add_lead, playbook

WEEK = (0, 1, 2, 3, 4)
PARIS = ZoneInfo("Europe/Paris")
MIN = timedelta(minutes=1)
#: Two years.
HOURS = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=h) for h in range(2 * 366 * 24)]
ZONES = sorted(z for z in available_timezones() if not z.startswith(("posix", "right", "Etc")))


def _window(start: int = 9 * 60, end: int = 17 * 60, days: tuple[int, ...] = WEEK, spread: int = 0) -> Window:
    return Window(days=days, start=start, end=end, spread=spread)


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


def _is_open(hours: Hours, latest: datetime) -> bool:
    """Whether some window has been opened, and not closed, by clocks that have shown `latest`."""
    window = hours.window
    length = (window.end - window.start) % 1440 or 1440
    for back in (0, 1):
        day = latest.date() - timedelta(days=back)
        opens = datetime(day.year, day.month, day.day) + window.start * MIN  # noqa: DTZ001 - wall time
        if hours.works(day) and opens <= latest < opens + length * MIN:
            return True
    return False


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
        _compare(place, _window(start, end, days), change, _walk(place, change))


def _behaviours() -> Iterator[tuple[ZoneInfo, list[datetime]]]:
    """One zone for each way of changing the clock in two years: the others are the same to the minute."""
    found: dict[tuple[timedelta | None, ...], ZoneInfo] = {}
    for name in ZONES:
        zone = ZoneInfo(name)
        found.setdefault(_offsets(zone), zone)
    for offsets, zone in found.items():
        yield zone, _transitions(offsets)


@pytest.mark.slow
@pytest.mark.no_cover  # a million minutes of the test's own loop: the cases above count the lines
def test_no_zone_s_change_of_the_clock_opens_or_shuts_a_window_wrongly() -> None:
    every_day = (0, 1, 2, 3, 4, 5, 6)
    for zone, changes in _behaviours():
        for change in changes:
            walked = list(_walk(zone, change))
            for start, end in ((60, 210), (22 * 60, 6 * 60)):
                _compare(zone, _window(start, end, every_day), change, walked)


def _compare(place: ZoneInfo, window: Window, change: datetime, walked: Iterable[tuple[datetime, datetime]]) -> None:
    hours = Hours(zone=place, country="FR", window=window)
    first = (change - timedelta(days=4)).date()
    slots = list(open_slots(hours, first, first + timedelta(days=9)))
    starts = set(business_days(hours, first, first + timedelta(days=9)))
    seen: date | None = None
    for instant, latest in walked:
        expected = _is_open(hours, latest)
        assert any(slot.opens <= instant < slot.closes for slot in slots) == expected, (instant, latest)
        if seen is not None and latest.date() != seen and hours.works(latest.date()):
            assert instant in starts
        seen = latest.date()


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(150, "2026-03-29T01:00:00+00:00"), (119, "2026-03-29T00:59:00+00:00"), (180, "2026-03-29T01:00:00+00:00")],
)
def test_a_time_the_spring_night_leaves_out_is_the_first_instant_after_the_gap(minutes: int, expected: str) -> None:
    assert expected == instant_at(date(2026, 3, 29), minutes, PARIS).isoformat()


def test_a_time_the_autumn_night_shows_twice_is_the_first_of_the_two() -> None:
    assert instant_at(date(2026, 10, 25), 150, PARIS) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_slot_that_lies_in_the_gap_vanishes() -> None:
    hours = Hours(zone=PARIS, country=None, window=_window(130, 170, (6,)))
    assert list(open_slots(hours, date(2026, 3, 29), date(2026, 3, 29))) == []


def test_a_window_across_midnight_belongs_to_the_day_it_opens_on() -> None:
    hours = Hours(zone=PARIS, country=None, window=_window(22 * 60, 6 * 60, (4,)))
    (slot,) = open_slots(hours, date(2026, 3, 2), date(2026, 3, 8))
    assert (slot.opens, slot.closes) == (
        datetime(2026, 3, 6, 21, tzinfo=UTC),
        datetime(2026, 3, 7, 5, tzinfo=UTC),
    )


def test_touching_slots_are_one() -> None:
    hours = Hours(zone=PARIS, country=None, window=_window(0, 0, (0, 1, 2)))
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


# --- tables ---------------------------------------------------------------------------------------------------------


def test_fresh_calendars_are_left_alone(session: Session) -> None:
    book = playbook()
    add_lead(session, 1, country="IE")
    ensure_calendars(session, book, NIGHT)
    before = [session.execute(select(table).order_by(*table.primary_key)).all() for table in TABLES]
    ensure_calendars(session, book, NIGHT + timedelta(days=90))
    assert before == [session.execute(select(table).order_by(*table.primary_key)).all() for table in TABLES]
    assert sorted((row.zone, row.country) for row in before[0]) == [("", ""), ("", "IE")]


def test_calendars_are_expanded_again_when_the_horizon_shrinks_or_the_window_changes(session: Session) -> None:
    book, later = playbook(), NIGHT + timedelta(days=101)
    ensure_calendars(session, book, NIGHT)
    ensure_calendars(session, book, later)
    assert session.scalars(select(calendar.c.until)).all() == [later + AHEAD]
    ensure_calendars(session, playbook(window=_window(600)), later)
    assert _open(session, later, 0, book).astimezone(PARIS).hour == 10


TABLES = (calendar, window_slot, business_day)


def _open(session: Session, at: datetime, seed: int, book: Playbook) -> datetime:
    found = next_open(
        literal(_office(session)), literal(micros(at)), seed=literal(seed, BigInteger), spread=book.window.spread
    )
    value = session.scalar(select(found))
    assert isinstance(value, datetime)
    return value


def _office(session: Session) -> int:
    found = select(calendar.c.id).where(calendar.c.zone == "", calendar.c.country == "")
    return int(session.execute(found).scalar_one())


@pytest.mark.parametrize(
    ("at", "seed", "expected"),
    [
        ("2026-03-23T04:15", 0, "2026-03-23T09:00"),
        ("2026-03-23T04:15", 3661, "2026-03-23T10:01:01"),
        ("2026-03-23T04:15", 3 * 3600, "2026-03-23T09:00"),
        ("2026-03-23T09:30", 3600, "2026-03-23T10:00"),
        ("2026-03-23T16:59", 3600, "2026-03-23T16:59"),
        ("2026-03-23T17:00", 0, "2026-03-24T09:00"),
        ("2026-03-27T17:01", 0, "2026-03-30T09:00"),
        ("2026-07-14T08:00", 0, "2026-07-15T09:00"),
    ],
)
def test_the_next_open_instant_is_looked_up(session: Session, at: str, seed: int, expected: str) -> None:
    book = playbook(window=_window(spread=3 * HOUR))
    ensure_calendars(session, book, NIGHT)
    wall = datetime.fromisoformat(at).replace(tzinfo=PARIS)
    assert _open(session, wall, seed, book) == datetime.fromisoformat(expected).replace(tzinfo=PARIS)


@pytest.mark.parametrize(
    ("at", "n", "expected"),
    [
        ("2026-03-23T10:00", 3, "2026-03-26"),
        ("2026-03-27T23:59", 1, "2026-03-30"),
        ("2026-03-28T12:00", 3, "2026-04-01"),
        ("2026-04-03T12:00", 1, "2026-04-07"),
    ],
)
def test_business_days_are_counted_from_the_day_of_an_instant(session: Session, at: str, n: int, expected: str) -> None:
    ensure_calendars(session, playbook(), NIGHT)
    wall = datetime.fromisoformat(at).replace(tzinfo=PARIS)
    found = session.scalar(select(after_business_days(literal(_office(session)), literal(micros(wall)), n)))
    assert found is not None
    assert found.astimezone(PARIS).isoformat()[:16] == f"{expected}T00:00"


@given(
    minutes=st.integers(0, 60 * 24 * 300),
    seed=st.integers(1, 2**31 - 2),
    spread=st.sampled_from([0, 90 * SECOND, 3 * HOUR, 40 * HOUR]),
)
def test_looking_up_equals_searching_the_slots(engine_calendars: Session, minutes: int, seed: int, spread: int) -> None:
    at = NIGHT + minutes * MIN
    hours = hours_of(playbook())
    slot = next(s for s in open_slots(hours, date(2026, 2, 1), date(2027, 4, 1)) if s.closes > at)
    room = (slot.closes - slot.opens) // timedelta(seconds=1)
    offset = seed % min(spread // SECOND, room) if spread >= SECOND else 0
    expected = max(at, slot.opens + timedelta(seconds=offset))
    found = next_open(literal(_office(engine_calendars)), literal(micros(at)), seed=literal(seed), spread=spread)
    assert engine_calendars.scalar(select(found)) == expected


@pytest.fixture
def engine_calendars(session: Session) -> Session:
    ensure_calendars(session, playbook(), NIGHT)
    return session


def test_a_lookup_beyond_the_horizon_is_null(engine_calendars: Session) -> None:
    far = micros(NIGHT + timedelta(days=500))
    assert engine_calendars.scalar(select(next_open(literal(_office(engine_calendars)), literal(far)))) is None


# --- clocks ---------------------------------------------------------------------------------------------------------


def _span(kind: SpanKind, amount: int) -> Span:
    return Span(kind=kind, amount=amount)


@pytest.mark.parametrize(
    ("at", "span", "expected"),
    [
        ("2026-03-23T10:00", _span(SpanKind.BUSINESS_HOURS, 4), "2026-03-23T14:00"),
        ("2026-03-23T04:15", _span(SpanKind.BUSINESS_HOURS, 4), "2026-03-23T13:00"),
        ("2026-03-22T18:12", _span(SpanKind.BUSINESS_HOURS, 1), "2026-03-23T10:00"),
        ("2026-03-27T16:00", _span(SpanKind.BUSINESS_HOURS, 2), "2026-03-30T10:00"),
        ("2026-03-23T10:00", _span(SpanKind.BUSINESS_DAYS, 1), "2026-03-24T10:00"),
        ("2026-03-23T04:15", _span(SpanKind.BUSINESS_DAYS, 1), "2026-03-23T17:00"),
        ("2026-03-23T04:15", _span(SpanKind.BUSINESS_DAYS, 30), "2026-05-05T17:00"),
        ("2026-03-23T10:00", _span(SpanKind.ELAPSED, 90 * MINUTE), "2026-03-23T11:30"),
    ],
)
def test_a_clock_runs_in_business_time(session: Session, at: str, span: Span, expected: str) -> None:
    begun = datetime.fromisoformat(at).replace(tzinfo=PARIS)
    due = due_after(session, playbook(), begun, span)
    assert due.astimezone(PARIS).isoformat()[:16] == expected


def test_a_clock_of_a_calendar_that_never_opens_counts_plain_hours(session: Session) -> None:
    book = playbook(window=_window(days=()))
    assert due_after(session, book, NIGHT, _span(SpanKind.BUSINESS_HOURS, 4)) == NIGHT + timedelta(hours=4)


def test_instants_of_the_tables_are_whole_microseconds(engine_calendars: Session) -> None:
    raw = engine_calendars.scalar(select(type_coerce(window_slot.c.opens_at, BigInteger)).limit(1))
    assert isinstance(raw, int)
    assert instant_of(raw).tzinfo is not None
    assert DAY == 24 * HOUR
