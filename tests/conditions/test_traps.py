"""The mistakes that other tools make, each on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from leadflow.conditions.compile import compile_condition
from leadflow.conditions.evaluate import Act
from leadflow.conditions.sources import Sources, live_sources
from leadflow.conditions.tree import FieldLeaf
from leadflow.playbook.vocabulary import vocabulary_of
from leadflow.types import DAY
from tests.conditions.reading import condition
from tests.conditions.world import NOW, VOCABULARY, Lead, store

LIVE = live_sources(VOCABULARY)


def matching(
    engine: Engine,
    written: str,
    leads: list[Lead],
    strangers: tuple[Act, ...] = (),
    sources: Sources = LIVE,
) -> list[int]:
    """Which of `leads`, counted from 1, a condition lets in."""
    holds = compile_condition(condition(written), sources, NOW, VOCABULARY)
    with engine.begin() as connection:
        store(connection, leads, strangers)
        query = select(sources.lead_id).select_from(sources.from_).where(holds).order_by(sources.lead_id)
        return list(connection.scalars(query))


def viewed(path: str, days_ago: float, *, late: float = 0, weight: int = 100) -> Act:
    at = NOW - timedelta(days=days_ago)
    return Act(kind="page_viewed", path=path, occurred_at=at, received_at=at + timedelta(days=late), weight=weight)


UNKNOWN, SMALL, BIG = Lead(attributes={}), Lead(attributes={"employees": 5}), Lead(attributes={"employees": 900})


def test_nobody_is_lost_between_a_segment_and_its_negation(engine: Engine) -> None:
    leads = [UNKNOWN, SMALL, BIG]
    assert matching(engine, "{field: employees, over: 250}", leads) == [3]
    assert matching(engine, "{not: {field: employees, over: 250}}", leads) == [1, 2]


@pytest.mark.parametrize("written", ["not_in: [5]", "is_not: 5", "under: 1000", "at_most: 1000", "known: true"])
def test_an_operator_never_holds_of_a_missing_value(engine: Engine, written: str) -> None:
    assert 1 not in matching(engine, f"{{field: employees, {written}}}", [UNKNOWN, SMALL, BIG])


def test_not_in_differs_from_not_of_in_on_a_missing_value(engine: Engine) -> None:
    leads = [UNKNOWN, SMALL, BIG]
    assert matching(engine, "{field: employees, not_in: [5]}", leads) == [3]
    assert matching(engine, "{not: {field: employees, in: [5]}}", leads) == [1, 3]


@pytest.mark.parametrize("value", ["abc", "900", True, [900], {"v": 900}, None])
def test_a_number_of_another_type_is_missing_and_stops_nothing(engine: Engine, value: object) -> None:
    leads = [Lead(attributes={"employees": value}), BIG]
    assert matching(engine, "{field: employees, at_least: 0}", leads) == [2]
    assert matching(engine, "{field: employees, known: false}", leads) == [1]


def test_count_and_window_bind_the_same_acts(engine: Engine) -> None:
    old, new, other = viewed("/tarifs", 20), viewed("/tarifs/b", 3), viewed("/blog", 2)
    leads = [Lead(attributes={}, acts=acts) for acts in [(old, new), (new, other), (new, new)]]
    written = "{event: page_viewed, where: {path: /tarifs*}, at_least: 2, within: 14 days}"
    assert matching(engine, written, leads) == [3]


def test_acts_of_nobody_known_do_not_empty_at_most(engine: Engine) -> None:
    leads = [Lead(attributes={}), Lead(attributes={}, acts=(viewed("/a", 1),))]
    assert matching(engine, "{event: page_viewed, at_most: 0}", leads, (viewed("/a", 1),)) == [1]


def test_at_most_is_inclusive_and_may_go_with_at_least(engine: Engine) -> None:
    leads = [Lead(attributes={}, acts=(viewed("/a", 1),) * count) for count in range(5)]
    assert matching(engine, "{event: page_viewed, at_most: 2}", leads) == [1, 2, 3]
    assert matching(engine, "{event: page_viewed, at_least: 2, at_most: 3}", leads) == [3, 4]


def test_an_act_counts_once_it_has_come_in_and_weighs(engine: Engine) -> None:
    acts = [viewed("/a", 2), viewed("/a", 2, late=2), viewed("/a", 0), viewed("/a", 2, weight=0)]
    leads = [Lead(attributes={}, acts=(act,)) for act in acts]
    assert matching(engine, "{event: page_viewed}", leads) == [1]


def test_an_act_of_the_very_instant_is_not_spent_yet(engine: Engine) -> None:
    spent_before = [None, NOW - timedelta(days=2), NOW - timedelta(days=2, microseconds=-1)]
    state = {"criteria": 0}
    leads = [
        Lead(attributes={}, acts=(viewed("/a", 2),), state={**state, "spent_before": instant})
        for instant in spent_before
    ]
    sources = live_sources(VOCABULARY, spent=True)
    assert matching(engine, "{event: page_viewed}", leads, sources=sources) == [1, 2]


def test_an_act_just_late_enough_is_fresh(engine: Engine) -> None:
    leads = [Lead(attributes={}, acts=(viewed("/a", 3, late=late),)) for late in (0, 1, 1.1)]
    sources = live_sources(VOCABULARY, fresh_within=DAY)
    assert matching(engine, "{event: page_viewed}", leads, sources=sources) == [1, 2]


def test_wildcards_of_sql_mean_nothing_and_letters_keep_their_case(engine: Engine) -> None:
    leads = [Lead(attributes={}, acts=(viewed(path, 1),)) for path in ("/a_b", "/axb", "/A_b", "/[b]", "/b")]
    assert matching(engine, "{event: page_viewed, where: {path: '*/a_b'}}", leads) == [1]
    assert matching(engine, "{event: page_viewed, where: {path: '?[b]'}}", leads) == [4]


def test_text_is_compared_without_case_and_with_accents(engine: Engine) -> None:
    leads = [Lead(attributes={"job_title": title}) for title in ("GÉRANTE", "gerante", "Co-gérante, Lille", "gérantes")]
    assert matching(engine, "{field: job_title, is: gérante}", leads) == [1]
    assert matching(engine, "{field: job_title, matches_word: [gérante, CEO]}", leads) == [1, 3]
    assert matching(engine, "{field: job_title, matches: 'co*lille'}", leads) == [3]


def test_points_are_asked_in_points_and_compared_in_hundredths(engine: Engine) -> None:
    leads = [Lead(attributes={}, score=(fit, "D4")) for fit in (3499, 3500, 3501)]
    assert matching(engine, "{field: fit, at_least: 35}", leads) == [2, 3]
    assert matching(engine, "{field: fit, over: 35}", leads) == [3]
    assert matching(engine, "{field: fit, at_most: 35}", leads) == [1, 2]


def test_the_last_word_of_the_ledger_is_the_consent(engine: Engine) -> None:
    leads = [Lead(attributes={}, consents=words) for words in ((), ("given",), ("given", "withdrawn"))]
    assert matching(engine, "{field: consent.newsletter, is: true}", leads) == [2]
    assert matching(engine, "{field: consent.newsletter, is: false}", leads) == [1, 3]


def test_days_are_those_of_the_office(engine: Engine) -> None:
    leads = [Lead(attributes={"deadline": day}) for day in ("2026-03-01", "2026-03-02", "2026-03-12", "2026-03-13")]
    assert matching(engine, "{field: deadline, within_next: 10 days}", leads) == [2, 3]
    assert matching(engine, "{field: deadline, within_last: 10 days}", leads) == [1, 2]


def test_every_built_in_field_can_be_asked_of_the_tables(engine: Engine) -> None:
    vocabulary = vocabulary_of(fields={}, events={}, stages=["discovery"], criteria=["profile"], segments=["shops"])
    sources = live_sources(vocabulary)
    asked = [FieldLeaf(field=name, operator="known", value=True) for name in vocabulary.fields]
    query = select(*(compile_condition(leaf, sources, NOW, vocabulary) for leaf in asked)).select_from(sources.from_)
    with engine.begin() as connection:
        store(connection, [Lead(attributes={})])
        known = dict(zip(vocabulary.fields, connection.execute(query).one(), strict=True))
    assert known["audience"]
    assert not known["fit"]


def test_a_list_longer_than_a_statement_can_bind_is_sent_whole(engine: Engine) -> None:
    leads = [Lead(attributes={}, country=country) for country in ("FR", "BE", None)]
    many = FieldLeaf(field="country", operator="not_in", value=("FR", *(f"X{i}" for i in range(100_000))))
    sources = live_sources(VOCABULARY)
    query = select(sources.lead_id).select_from(sources.from_).where(compile_condition(many, sources, NOW, VOCABULARY))
    with engine.begin() as connection:
        store(connection, leads)
        assert list(connection.scalars(query)) == [2]
