"""Who clicked: each rule by its name, and a person when none holds."""

from datetime import UTC, datetime, timedelta

import pytest

from leadflow.intake.click_signs import Sign, Visit, signs_of
from leadflow.intake.clicks import RULES, UNKNOWN, Record, Standing, judge, standing_of
from leadflow.types import Click

SENT = datetime(2026, 3, 23, 9, 0, tzinfo=UTC)
BROWSER = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.3 Safari/605.1.15"
OLD = "Mozilla/5.0 (Windows NT 6.1) AppleWebKit/537.36 Chrome/49.0.1.1 Safari/537.36"
HOME, OFFICE, CLOUD = "90.3.4.0", "82.64.7.0", "18.156.3.0"


def visit(link: str = "/a", after: float = 3600, **changes: object) -> Visit:
    given = {"user_agent": BROWSER, "network": HOME} | changes
    return Visit(link=link, at=SENT + timedelta(seconds=after), **given)  # type: ignore[arg-type]


def rule(
    seen: Visit, *others: Visit, arrived: datetime | None = SENT, standing: Standing = UNKNOWN
) -> tuple[str, Click]:
    said = judge(signs_of([seen, *others], arrived)[0], standing)
    return said.rule, said.click


def test_a_click_in_a_browser_after_a_while_is_a_person() -> None:
    assert rule(visit()) == ("person", Click.HUMAN)


def test_a_second_link_later_is_still_a_person() -> None:
    assert rule(visit(), visit("/b", 3603)) == ("person", Click.HUMAN)


def test_one_link_twice_at_once_is_a_double_click_and_no_machine() -> None:
    assert rule(visit(), visit("/a", 3600.5)) == ("person", Click.HUMAN)


def test_a_person_who_works_behind_a_cloud_is_no_machine_but_may_be_one() -> None:
    assert rule(visit(network=CLOUD)) == ("from-hosting", Click.UNKNOWN)


@pytest.mark.parametrize(
    ("seen", "others", "expected"),
    [
        (visit(method="HEAD"), (), "head-request"),
        (visit(), (visit(after=3599, method="HEAD"),), "head-request"),
        (visit(ahead=True), (), "fetched-ahead"),
        (visit(hidden=True), (), "hidden-link"),
        (visit(), (visit("/x", 3610, hidden=True),), "hidden-link"),
        (visit(user_agent="Mozilla/5.0 (compatible; Barracuda Sentinel)"), (), "scanner-agent"),
        (visit(user_agent="curl/8.5.0"), (), "scanner-agent"),
        (visit(), (visit("/b", 3601), visit("/c", 3602)), "many-links-at-once"),
        (visit(), tuple(visit(f"/{n}", 3600 + 9 * n) for n in range(1, 5)), "links-in-turn"),
        (visit(after=2.9), (), "no-time-to-read"),
        (visit(after=-5), (), "no-time-to-read"),
        (visit(after=60, network=CLOUD), (), "rented-machine"),
        (visit(user_agent=OLD, network=CLOUD), (), "rented-machine"),
        (visit(network=CLOUD), (visit(after=3602, network=OFFICE),), "rented-machine"),
    ],
)
def test_machines_give_themselves_away(seen: Visit, others: tuple[Visit, ...], expected: str) -> None:
    assert rule(seen, *others) == (expected, Click.MACHINE)


def test_many_links_at_once_are_a_machine_whichever_comes_first() -> None:
    burst = [visit("/a", 3600), visit("/b", 3600.9), visit("/c", 3602)]
    assert {judge(signs).rule for signs in signs_of(burst[::-1], SENT)} == {"many-links-at-once"}


@pytest.mark.parametrize(
    ("seen", "others", "expected"),
    [
        (visit(after=19), (), "hardly-time-to-read"),
        (visit(user_agent=" "), (), "no-agent"),
        (visit(user_agent="Papyrus 3"), (), "odd-agent"),
        (visit(user_agent=OLD), (), "odd-agent"),
        (visit(), (visit("/b", 3601),), "two-links-at-once"),
    ],
)
def test_where_nobody_can_tell_the_click_weighs_little(seen: Visit, others: tuple[Visit, ...], expected: str) -> None:
    assert rule(seen, *others) == (expected, Click.UNKNOWN)


def test_the_reader_is_not_blamed_for_what_checks_the_links_they_click() -> None:
    assert rule(visit(network=OFFICE), visit(after=3602, network=CLOUD)) == ("person", Click.HUMAN)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (Record(mails=4, recipients=3, soon=2), Standing.ON_THE_SPOT),
        (Record(mails=4, recipients=2, soon=4), UNKNOWN),
        (Record(mails=10, recipients=10, hidden=2), Standing.HIDDEN_LINKS),
        (Record(mails=11, recipients=10, hidden=2), UNKNOWN),
        (Record(mails=4, recipients=3, quickly=2), Standing.READS_ALL),
        (Record(mails=4, recipients=4, echoes=3, rivals=2), Standing.FOLLOWS),
        (Record(mails=4, recipients=4, echoes=3, rivals=3), UNKNOWN),
    ],
)
def test_a_network_is_judged_by_what_it_does_in_many_mails(record: Record, expected: Standing) -> None:
    assert standing_of(record) == expected


@pytest.mark.parametrize(
    ("standing", "others", "expected"),
    [
        (Standing.ON_THE_SPOT, (), "network-on-the-spot"),
        (Standing.HIDDEN_LINKS, (), "network-of-hidden-links"),
        (Standing.READS_ALL, (visit("/b", 3601),), "network-that-reads-all"),
        (Standing.READS_ALL, (), "person"),
        (Standing.FOLLOWS, (visit(after=3601, network=OFFICE),), "network-that-follows"),
        (Standing.FOLLOWS, (), "person"),
    ],
)
def test_what_a_network_is_known_for_judges_its_visits(
    standing: Standing, others: tuple[Visit, ...], expected: str
) -> None:
    assert rule(visit(), *others, standing=standing)[0] == expected


def test_without_a_time_of_arrival_speed_says_nothing() -> None:
    assert rule(visit(after=1), arrived=None) == ("person", Click.HUMAN)


def test_a_judgement_keeps_the_rule_and_its_version() -> None:
    assert judge(Sign(0)).classified_by == "person/2"
    assert len({name for name, *_ in RULES}) == len(RULES)
