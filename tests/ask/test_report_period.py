"""`--from` and `--to`: months and days of the office, both included."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from leadflow.ask.report.funnel_sheets import period_words
from leadflow.ask.report.period import read_period, week_bounds
from leadflow.ask.report.reached import Question
from leadflow.errors import UsageError
from leadflow.types import instant_of

PARIS = ZoneInfo("Europe/Paris")


def test_a_month_reaches_from_its_first_midnight_to_the_next_month_s() -> None:
    period = read_period("2026-03", "2026-03", PARIS)
    assert period.since is not None
    assert period.until is not None
    # The clock goes forward on the 29th.
    assert instant_of(period.since) == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert instant_of(period.until) == datetime(2026, 3, 31, 22, tzinfo=UTC)


def test_a_day_is_included_whole() -> None:
    period = read_period("2026-01-31", "2026-01-31", PARIS)
    assert (period.until or 0) - (period.since or 0) == 24 * 3600 * 1_000_000


@pytest.mark.parametrize("text", ["2026", "2026-13", "2026-02-30", "march", "2026-1", "2026-01-1"])
def test_what_is_no_month_and_no_day_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=text):
        read_period(text, None, PARIS)


def test_an_end_before_the_beginning_is_refused() -> None:
    with pytest.raises(UsageError, match="2026-03"):
        read_period("2026-03", "2026-02", PARIS)


def test_weeks_begin_on_monday_and_leave_no_gap() -> None:
    weeks = week_bounds(datetime(2026, 3, 28, 12, tzinfo=PARIS), datetime(2026, 4, 6, tzinfo=PARIS), PARIS)
    assert [f"{monday:%a %d}" for monday, _start, _end in weeks] == ["Mon 23", "Mon 30", "Mon 06"]
    assert [end for _monday, _start, end in weeks[:-1]] == [start for _monday, start, _end in weeks[1:]]


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (None, None, "at any time"),
        ("2026-03", "2026-03", "in March 2026"),
        ("2026-01", "2026-03", "between January and March 2026"),
        ("2025-12", "2026-01", "between December 2025 and January 2026"),
        ("2026-01-15", "2026-03", "from 15\u00a0January to 31\u00a0March 2026"),
        ("2026-01", None, "since 1\u00a0January 2026"),
        (None, "2026-01-31", "until 31\u00a0January 2026"),
    ],
)
def test_a_period_is_said_as_people_say_it(first: str | None, last: str | None, words: str) -> None:
    period = read_period(first, last, PARIS)
    assert words == period_words(Question(by="source", stages=(), zone=PARIS, period=period))
