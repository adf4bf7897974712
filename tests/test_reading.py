"""YAML is read as strings with places, and what is wrong with it is said in plain words."""

import pytest

from leadflow.errors import Fault
from leadflow.reading import LARGEST_FILE, Node, did_you_mean, nearest, read_yaml
from leadflow.types import DAY, HOUR, Span, SpanKind


def read(text: str) -> tuple[Node, list[Fault]]:
    faults: list[Fault] = []
    root = read_yaml("a.yaml", text, faults)
    assert root is not None, faults
    return root, faults


def refusal(text: str) -> str:
    """The one fault of a file that cannot be read."""
    faults: list[Fault] = []
    assert read_yaml("a.yaml", text, faults) is None
    (fault,) = faults
    return str(fault)


@pytest.mark.parametrize("word", ["NO", "on", "12:30", "1.10", "0x1F", "1_000", "2026-12-21", "1e3"])
def test_no_scalar_is_coerced(word: str) -> None:
    root, faults = read(f"a: {word}\n")

    assert root.part("a").text() == word
    assert faults == []


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: 1\n\tb: 2\n", "2:1", "a tab"),
        ("a:\tb\n", "1:3", "a tab"),
        ("a: 1\nb: &x 2\n", "2:4", "anchors"),
        ("a: *x\n", "1:4", "aliases"),
        ("a: !!python/object 3\n", "1:4", "tags"),
        ("a: 'x\n", "2:1", "the quote opened on line 1 is never closed"),
        ("a: [1, 2\nb: 3\n", "2:2", "the [ opened on line 1"),
        ("a: b: c\n", "1:5", "a colon is not expected here"),
        ("a:\n  - b\n c: d\n", "3:2", "indentation"),
        ("a: 1\n---\nb: 2\n", "2:1", "one file holds one document"),
        ("%YAML 1.1\n---\na: NO\n", "2:1", "begins with %"),
        ("a: \x00\n", "1:4", "a control character"),
        ("a: @b\n", "1:4", "put quotes around it"),
        ("", "1:1", "the file is empty"),
        ("# only a comment\n", "1:1", "the file is empty"),
        ("[" * 3000, "1:41", "nested too deep"),
    ],
)
def test_a_file_that_cannot_be_read_says_where_and_why(text: str, place: str, words: str) -> None:
    message = refusal(text)

    assert message.startswith(f"a.yaml:{place}  error  ")
    assert words in message


def test_a_file_is_256_kb_at_most() -> None:
    assert "bigger than 256 kB" in refusal("a: " + "x" * LARGEST_FILE)


def test_a_key_written_twice_is_a_fault_and_the_first_is_kept() -> None:
    root, faults = read("a: 1\nb: 2\na: 3\n")

    assert root.part("a").text() == "1"
    assert [str(fault) for fault in faults] == [
        "a.yaml:3:1  error  a is written twice; the first is on line 1",
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    root, _faults = read("\ufeffa: 1\n")

    assert root.keys() == ["a"]


def test_an_unknown_key_is_named_with_the_nearest_right_one() -> None:
    root, faults = read("titel: x\n")

    root.only("title", "why")

    assert [str(fault) for fault in faults] == [
        'a.yaml:1:1  error  "titel" is not known here. Did you mean title?',
    ]


def test_getters_give_none_and_note_a_fault_each() -> None:
    root, faults = read("a: NO\nb: 1.10\nc: 3 fortnights\nd: 120 %\ne: '25:00'\nf: 2026-02-30\ng: x\n")

    assert root.part("a").boolean() is None
    assert root.part("b").integer() is None
    assert root.part("c").span() is None
    assert root.part("d").percent() is None
    assert root.part("e").wall_time() is None
    assert root.part("f").date() is None
    assert root.part("g").choice(["y", "z"]) is None
    assert [fault.line for fault in faults] == [1, 2, 3, 4, 5, 6, 7]


def test_an_absent_key_gives_none_quietly_and_a_needed_one_does_not() -> None:
    root, faults = read("a: 1\nb:\n")

    assert root.part("c").integer() is None
    assert faults == []
    assert root.require("b") is None
    assert root.require("c") is None
    assert [str(fault) for fault in faults] == [
        'a.yaml:2:1  error  "b" has no value',
        'a.yaml:1:1  error  "c" is missing',
    ]


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("3 business_days", Span(kind=SpanKind.BUSINESS_DAYS, amount=3)),
        ("1 business day", Span(kind=SpanKind.BUSINESS_DAYS, amount=1)),
        ("4 business_hours", Span(kind=SpanKind.BUSINESS_HOURS, amount=4)),
        ("48 hours", Span(kind=SpanKind.ELAPSED, amount=48 * HOUR)),
        ("2 weeks", Span(kind=SpanKind.ELAPSED, amount=14 * DAY)),
    ],
)
def test_a_span_is_elapsed_time_or_time_of_business(text: str, span: Span) -> None:
    root, faults = read(f"a: {text}\n")

    assert root.part("a").span() == span
    assert faults == []


def test_a_duration_refuses_business_days() -> None:
    root, faults = read("a: 3 business_days\n")

    assert root.part("a").duration() is None
    assert len(faults) == 1


def test_one_text_stands_for_every_language() -> None:
    root, _faults = read("a: Bonjour\nb: {fr: Oui, en: Yes}\n")

    assert root.part("a").localised(["fr", "en"]) == {"fr": "Bonjour", "en": "Bonjour"}
    assert root.part("b").localised(["fr", "en"]) == {"fr": "Oui", "en": "Yes"}


def test_the_nearest_word_looks_over_case_and_hyphens() -> None:
    assert nearest("Page-Veiwed", ["page_viewed", "email_clicked"]) == "page_viewed"
    assert nearest("zzz", ["page_viewed"]) is None
    assert did_you_mean("x", ["fr", "en"]) == " One of: fr, en"
