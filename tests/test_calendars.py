"""Calendars kept as tables answer as the Python they were expanded from; clocks run in business time."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import BigInteger, literal, select, type_coerce
from sqlalchemy.orm import Session

from leadflow.models import business_day, calendar, window_slot
from leadflow.playbook.model import Playbook
from leadflow.types import DAY, HOUR, MINUTE, SECOND, Span, SpanKind, instant_of, micros
from leadflow.windows import after_business_days, due_after, ensure_calendars, next_open, shortest
from leadflow.windows.hours import hours_of, open_slots
from leadflow.windows.tables import AHEAD
from tests.build import NIGHT, add_lead, playbook, window

PARIS = ZoneInfo("Europe/Paris")
TABLES = (calendar, window_slot, business_day)


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
    ensure_calendars(session, playbook(window=window(600)), later)
    assert _open(session, later, 0, book).astimezone(PARIS).hour == 10


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
    book = playbook(window=window(spread=3 * HOUR))
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


@given(minutes=st.integers(0, 60 * 24 * 300), n=st.integers(1, 8))
def test_business_days_take_at_least_their_shortest(engine_calendars: Session, minutes: int, n: int) -> None:
    at = micros(NIGHT + timedelta(minutes=minutes))
    over = after_business_days(literal(_office(engine_calendars)), literal(at), n)
    found = engine_calendars.scalar(select(over))
    assert found is not None
    assert micros(found) - at >= shortest(Span(kind=SpanKind.BUSINESS_DAYS, amount=n))


@given(
    minutes=st.integers(0, 60 * 24 * 300),
    seed=st.integers(1, 2**31 - 2),
    spread=st.sampled_from([0, 90 * SECOND, 3 * HOUR, 40 * HOUR]),
)
def test_looking_up_equals_searching_the_slots(engine_calendars: Session, minutes: int, seed: int, spread: int) -> None:
    at = NIGHT + timedelta(minutes=minutes)
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
    book = playbook(window=window(days=()))
    assert due_after(session, book, NIGHT, _span(SpanKind.BUSINESS_HOURS, 4)) == NIGHT + timedelta(hours=4)


def test_instants_of_the_tables_are_whole_microseconds(engine_calendars: Session) -> None:
    raw = engine_calendars.scalar(select(type_coerce(window_slot.c.opens_at, BigInteger)).limit(1))
    assert isinstance(raw, int)
    assert instant_of(raw).tzinfo is not None
    assert DAY == 24 * HOUR
