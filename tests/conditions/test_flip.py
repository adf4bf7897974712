"""The smallest change that is named, once it has come about, turns the condition over."""

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given

from leadflow.conditions.evaluate import Act, Person, View, holds
from leadflow.conditions.flip import Acts, Change, Membership, Points, Value, Wait, Way, changed, flips
from leadflow.conditions.tree import All, AnyOf, Condition, EventLeaf, FieldLeaf, Not
from tests.conditions.drawn import CONDITIONS, LEADS
from tests.conditions.reading import condition
from tests.conditions.world import NOW, VOCABULARY, Lead

VIEW = View(now=NOW, vocabulary=VOCABULARY)
DAY = timedelta(days=1)
CASES = 1_000


def come_about(change: Change, person: Person, view: View) -> tuple[Person, View]:
    """What a change says, done to a person by hand."""
    fields = dict(person.fields)
    match change:
        case Wait():
            return person, replace(view, now=change.until)
        case Acts():
            at = view.now - timedelta(microseconds=1)
            done = [replace(change.act, occurred_at=at, received_at=at) for _again in range(change.times)]
            return replace(person, events=[*person.events, *done]), view
        case Points():
            present = fields.get(change.field)
            fields[change.field] = (present if isinstance(present, int) else 0) + change.by
        case Value():
            fields[change.leaf.field] = change.value
        case Membership():
            inside = {change.segment} if change.inside else set()
            return replace(person, segments=person.segments - {change.segment} | inside), view
    return replace(person, fields=fields), view


def all_come_about(way: Way, person: Person, view: View) -> tuple[Person, View]:
    # Time passes first: what is done is done then.
    for change in sorted(way, key=lambda one: not isinstance(one, Wait)):
        person, view = come_about(change, person, view)
    return person, view


def somebody(random: Random) -> Person:
    """Nobody in particular."""
    fields: dict[str, object] = {
        "employees": random.choice([None, 3, 62, 300]),
        "industry": random.choice([None, "retail", "public"]),
        "job_title": random.choice([None, "Gérante", "étudiant"]),
        "deadline": random.choice([None, "2026-03-20", "2026-12-01"]),
        "fit": random.randrange(0, 10_001),
        "band": random.choice(["A1", "C3"]),
        "stage": random.choice(["discovery", "decision"]),
        "with_sales": random.random() < 0.3,
    }
    acts = [an_act(random) for _n in range(random.randrange(6))]
    return Person(
        fields=fields, events=acts, segments=frozenset(random.sample(["shops", "makers"], random.randrange(3)))
    )


def an_act(random: Random) -> Act:
    at = NOW - timedelta(days=random.randrange(1, 40))
    kind = random.choice(["page_viewed", "page_viewed", "webinar_attended"])
    path = random.choice(["/tarifs", "/tarifs/b", "/", None])
    return Act(kind=kind, occurred_at=at, received_at=at, path=path, weight=random.choice([100, 100, 30, 0]))


def a_leaf(random: Random) -> Condition:
    choices: list[dict[str, Any]] = [
        {"field": "employees", "operator": "between", "value": (10, 250)},
        {"field": "employees", "operator": random.choice(["at_most", "over"]), "value": 50},
        {"field": "industry", "operator": random.choice(["is", "is_not"]), "value": "retail"},
        {"field": "industry", "operator": random.choice(["in", "not_in"]), "value": ("retail", "other")},
        {"field": "job_title", "operator": "matches_word", "value": ("gérante", "CEO")},
        {"field": "job_title", "operator": "known", "value": random.random() < 0.5},
        {"field": "deadline", "operator": "within_next", "value": 60 * 86_400_000_000},
        {"field": "fit", "operator": random.choice(["at_least", "under"]), "value": random.choice([20, 50, 75])},
        {"field": "band", "operator": "in", "value": ("A1", "A2")},
        {"field": "stage", "operator": "is", "value": "decision"},
        {"field": "with_sales", "operator": "is", "value": random.random() < 0.5},
    ]
    if random.random() < 0.4:
        least = random.choice([None, 1, 1, 2, 3])
        return EventLeaf(
            events=tuple(random.sample(["page_viewed", "webinar_attended"], random.choice([1, 2]))),
            where=random.choice([{}, {"path": ("/tarifs*",)}]),
            at_least=least,
            at_most=random.choice([None, None, 3]) if least else 1,
            within=random.choice([7, 30]) * 86_400_000_000,
        )
    return FieldLeaf(**random.choice(choices))


def a_condition(random: Random, depth: int = 2) -> Condition:
    if depth == 0 or random.random() < 0.3:
        return a_leaf(random)
    items = tuple(a_condition(random, depth - 1) for _n in range(random.choice([2, 2, 3])))
    kinds: list[Condition] = [All(items), AnyOf(items), Not(items[0])]
    return random.choice(kinds)


@pytest.mark.no_cover  # tests of single cases have counted the lines
def test_a_thousand_decisions_turn_over_once_the_change_has_come_about() -> None:
    random, turned, without = Random(3), 0, 0
    while turned < CASES:
        asked, person = a_condition(random), somebody(random)
        before = holds(asked, person, VIEW)
        found = flips(asked, person, VIEW)
        without, turned = without + (not found), turned + bool(found)
        for way in found[:2]:
            then, later = all_come_about(way, person, VIEW)
            assert holds(asked, then, later) is not before, (asked, person, way)
    # What says two things of one field at once cannot be had.
    assert without < turned / 20


def test_nothing_of_a_change_is_superfluous() -> None:
    random = Random(5)
    for _n in range(200):
        asked, person = a_condition(random), somebody(random)
        before = holds(asked, person, VIEW)
        for way in flips(asked, person, VIEW):
            for change in way:
                rest = tuple(other for other in way if other is not change)
                assert holds(asked, *all_come_about(rest, person, VIEW)) is before
                if isinstance(change, Points):
                    less = replace(change, by=change.by - (1 if change.by > 0 else -1))
                    assert holds(asked, *all_come_about((*rest, less), person, VIEW)) is before
                if isinstance(change, Acts) and change.times > 1:
                    fewer = replace(change, times=change.times - 1)
                    assert holds(asked, *all_come_about((*rest, fewer), person, VIEW)) is before


@given(lead=LEADS, asked=CONDITIONS)
def test_people_who_are_hard_to_judge_are_turned_over_too(lead: Lead, asked: Condition) -> None:
    person = lead.person(spent=True)
    before = holds(asked, person, VIEW)
    for way in flips(asked, person, VIEW):
        assert holds(asked, *changed(way, person, VIEW)) is not before


VISIT = Act(kind="page_viewed", path="/tarifs", occurred_at=NOW - 3 * DAY, received_at=NOW - 3 * DAY)
CLOSE = Person(fields={"fit": 3_300, "employees": 62}, events=[VISIT])


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{field: fit, at_least: 35}", [["points 200"]]),
        ("{field: fit, under: 30}", [["points -301"]]),
        ("{event: page_viewed, where: {path: /tarifs*}, at_least: 2, within: 7 days}", [["1 act"]]),
        ("{not: {event: page_viewed, at_least: 1, within: 7 days}}", [["wait 4 days"]]),
        ("{any: [{field: fit, at_least: 35}, {event: page_viewed, at_least: 2}]}", [["points 200"], ["1 act"]]),
        ("{all: [{field: fit, at_least: 35}, {event: page_viewed, at_least: 2}]}", [["points 200", "1 act"]]),
        ("{all: [{field: employees, over: 100}, {field: employees, at_most: 250}]}", [["value 101"]]),
        ("{segment: shops}", [["inside"]]),
    ],
)
def test_the_least_is_found(written: str, said: list[list[str]]) -> None:
    found = flips(condition(written), CLOSE, VIEW)
    words = {Points: "points {0.by}", Acts: "{0.times} act", Value: "value {0.value}", Membership: "inside"}
    short = [
        [words[type(change)].format(change) if type(change) in words else _days(change) for change in way]
        for way in found[: max(len(said), 1)]
    ]
    assert short == said


def _days(change: Change) -> str:
    assert isinstance(change, Wait)
    return f"wait {round((change.until - NOW) / DAY)} days"


def test_a_segment_judged_in_place_is_turned_over_by_what_it_asks() -> None:
    makers = condition("{field: employees, over: 100}")
    view = replace(VIEW, segments={"makers": makers})
    [way] = flips(condition("{segment: makers}"), CLOSE, view)[:1]
    assert [change.value for change in way if isinstance(change, Value)] == [101]
