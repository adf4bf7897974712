"""Every mistake of a condition is told at its place, with the nearest right word."""

from datetime import date

import pytest

from leadflow.conditions.tree import All, AnyOf, EventLeaf, FieldLeaf, Not, SegmentLeaf, leaves
from leadflow.types import DAY
from tests.conditions.reading import condition, faulty


def test_a_tree_is_read_as_written() -> None:
    read = condition("any: [{not: {segment: shops}}, {all: [{field: employees, at_least: 3}]}]")
    assert read == AnyOf(
        (Not(SegmentLeaf(segment="shops")), All((FieldLeaf(field="employees", operator="at_least", value=3),)))
    )


def test_a_leaf_knows_its_place() -> None:
    read = condition("all:\n  - {field: employees, at_least: 3}\n")
    assert [(leaf.place.file, leaf.place.line, leaf.place.column) for leaf in leaves(read)] == [
        ("segments/one.yaml", 2, 5)
    ]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("{field: employees, between: [10, 250]}", (10, 250)),
        ("{field: rate, over: 0.5}", 0.5),
        ("{field: subscribed, is: true}", True),
        ("{field: deadline, before: 2026-12-21}", date(2026, 12, 21)),
        ("{field: deadline, within_next: 2 weeks}", 14 * DAY),
        ("{field: country, in: [NO, FR]}", ("NO", "FR")),
        ("{field: job_title, matches_word: CEO}", ("CEO",)),
        ("{field: job_title, in_file: lists/firms.txt}", ("acme", "École 42")),
        ("{field: job_title, known: false}", False),
    ],
)
def test_an_operand_is_typed_by_its_field(written: str, value: object) -> None:
    read = condition(written)
    assert isinstance(read, FieldLeaf)
    assert read.value == value


def test_an_event_counts_one_act_unless_told_otherwise() -> None:
    assert condition("{event: page_viewed}") == EventLeaf(events=("page_viewed",))


def test_at_most_alone_lets_in_who_never_did() -> None:
    assert condition("{event: page_viewed, at_most: 2}") == EventLeaf(events=("page_viewed",), at_least=None, at_most=2)


def test_an_event_may_name_several_kinds_a_property_and_a_window() -> None:
    read = condition("{event: [page_viewed, email_clicked], where: {path: /tarifs*}, at_least: 2, within: 14 days}")
    assert read == EventLeaf(
        events=("page_viewed", "email_clicked"), where={"path": ("/tarifs*",)}, at_least=2, within=14 * DAY
    )


@pytest.mark.parametrize(
    ("written", "at", "said"),
    [
        ("{field: employes, is: 3}", 9, 'field "employes" is not known. Did you mean employees?'),
        ("{field: employees, atleast: 3}", 20, 'operator "atleast" is not known. Did you mean at_least?'),
        ("{event: page_vewed}", 9, 'event "page_vewed" is not known. Did you mean page_viewed?'),
        ("{segment: shop}", 11, 'segment "shop" is not known. Did you mean shops?'),
        ("{event: page_viewed, where: {pth: /a}}", 30, '"pth" is not known here. Did you mean path?'),
        ("{field: employees, contains: x}", 20, "contains does not suit employees"),
        ("{field: country, matches_word: x}", 18, "matches_word does not suit country"),
        ("{field: employees, is: many}", 24, "expected a whole number"),
        ("{field: employees, is: [1, 2]}", 24, "for several write in: [a, b]"),
        ("{field: employees, in: []}", 24, "the list is empty"),
        ("{field: employees, between: [5]}", 29, "two values"),
        ("{field: employees, between: [9, 5]}", 29, "this never holds"),
        ("{field: employees, is: 1, over: 2}", 27, "one operator a field"),
        ("{field: employees}", 1, "Add an operator"),
        ("{field: deadline, within_next: 3 business_days}", 32, "write days or hours"),
        ("{field: deadline, within_next: 5 hours}", 32, "whole days"),
        ("{field: job_title, matches_word: ['--']}", 34, "letters or digits"),
        ("{field: job_title, in_file: lists/none.txt}", 29, "lists/none.txt does not exist"),
        ("{event: page_viewed, at_least: 3, at_most: 1}", 35, "at_most is less than at_least"),
        ("{all: []}", 2, "all needs a list"),
        ("{all: [{segment: shops}], any: []}", 27, "cannot stand in one condition"),
        ("{al: []}", 1, "Did you mean all?"),
        ("[{segment: shops}]", 1, "expected a condition"),
    ],
)
def test_a_mistake_is_told_at_its_place(written: str, at: int, said: str) -> None:
    read, faults = faulty(written)
    assert read is None
    assert [(1, at)] == [(fault.line, fault.column) for fault in faults]
    assert said in faults[0].message


def test_all_mistakes_of_a_condition_are_told_at_once() -> None:
    _read, faults = faulty("all: [{field: x, is: 1}, {not: {event: y}}, {segment: z}]")
    assert len(faults) == 3


def test_a_condition_nested_beyond_reason_is_refused() -> None:
    read, faults = faulty("{not: " * 30 + "{segment: shops}" + "}" * 30)
    assert read is None
    assert "nested too deeply" in faults[0].message
