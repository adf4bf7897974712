"""Who clicked: each rule by its name, and a person when none holds."""

from datetime import UTC, datetime, timedelta

import pytest

from leadflow.intake.clicks import RULES, Context, Visit, judge
from leadflow.types import Click

SENT = datetime(2026, 3, 23, 9, 0, tzinfo=UTC)
BROWSER = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.3 Safari/605.1.15"


def visit(link: str = "/a", after: float = 3600, **changes: str | None) -> Visit:
    agent, method = changes.get("user_agent", BROWSER), changes.get("method") or "GET"
    return Visit(link=link, at=SENT + timedelta(seconds=after), method=method, user_agent=agent)


def rule(seen: Visit, *others: Visit, arrived: datetime | None = SENT) -> tuple[str, Click]:
    said = judge(seen, Context(visits=[seen, *others], arrived_at=arrived))
    return said.rule, said.click


def test_a_click_in_a_browser_after_a_while_is_a_person() -> None:
    assert rule(visit()) == ("person", Click.HUMAN)


def test_a_second_link_later_is_still_a_person() -> None:
    assert rule(visit(), visit("/b", 3603)) == ("person", Click.HUMAN)


def test_one_link_twice_at_once_is_a_double_click_and_no_machine() -> None:
    assert rule(visit(), visit("/a", 3600.5)) == ("person", Click.HUMAN)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (visit(method="HEAD"), "head-request"),
        (visit(user_agent="Mozilla/5.0 (compatible; Barracuda Sentinel)"), "scanner-agent"),
        (visit(user_agent="curl/8.5.0"), "scanner-agent"),
        (visit(after=4.9), "no-time-to-read"),
    ],
)
def test_machines_give_themselves_away(seen: Visit, expected: str) -> None:
    assert rule(seen) == (expected, Click.MACHINE)


def test_different_links_at_once_are_a_machine_whichever_comes_first() -> None:
    first, second = visit("/a", 3600), visit("/b", 3602)
    assert {rule(first, second), rule(second, first)} == {("all-links-at-once", Click.MACHINE)}


@pytest.mark.parametrize(
    ("seen", "expected"), [(visit(after=19), "hardly-time-to-read"), (visit(user_agent=" "), "no-agent")]
)
def test_where_nobody_can_tell_the_click_weighs_little(seen: Visit, expected: str) -> None:
    assert rule(seen) == (expected, Click.UNKNOWN)


def test_without_a_time_of_arrival_speed_says_nothing() -> None:
    assert rule(visit(after=1), arrived=None) == ("person", Click.HUMAN)


def test_a_judgement_keeps_the_rule_and_its_version() -> None:
    said = judge(visit(), Context(visits=[], arrived_at=None))
    assert (said.classified_by, len({name for name, *_ in RULES})) == ("person/1", len(RULES))
