"""A condition is judged when everything it reads is known."""

import pytest

from leadflow.conditions.levels import cycle_in, inlinable, level_of
from leadflow.conditions.vocabulary import Level
from tests.conditions.reading import condition
from tests.conditions.world import VOCABULARY

SEGMENTS = {
    "shops": condition("{field: employees, over: 2}"),
    "makers": condition("{any: [{segment: shops}, {field: stage, is: decision}]}"),
}


@pytest.mark.parametrize(
    ("written", "level"),
    [
        ("{event: page_viewed}", Level.GIVEN),
        ("{all: [{field: employees, over: 2}, {not: {field: fit, over: 2}}]}", Level.SCORED),
        ("{field: stage, is: decision}", Level.STAGED),
        ("{segment: shops}", Level.GIVEN),
        ("{segment: makers}", Level.SEGMENTED),
        ("{field: with_sales, is: true}", Level.ESCALATED),
    ],
)
def test_the_latest_fact_says_when(written: str, level: Level) -> None:
    assert level == level_of(condition(written), VOCABULARY, SEGMENTS)


def test_only_segments_known_with_the_scores_are_judged_in_place() -> None:
    assert list(inlinable(VOCABULARY, SEGMENTS)) == ["shops"]


def test_a_circle_of_segments_is_found_and_ends() -> None:
    circle = {"circle": condition("{segment: makers}"), "makers": condition("{not: {segment: circle}}")}
    assert cycle_in({"shops": SEGMENTS["shops"], **circle}) == ("circle", "makers")
    assert cycle_in(SEGMENTS) == ()
    assert level_of(condition("{segment: circle}"), VOCABULARY, circle) == Level.SEGMENTED
