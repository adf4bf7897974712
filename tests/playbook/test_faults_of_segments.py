"""Segments that go in a circle or look ahead are refused, and their examples are tried."""

import pytest

from tests.playbook.conftest import MAKERS, SCORING, SHOPS, Breaks


def test_a_circle_of_segments_is_printed_whole(faults_after: Breaks) -> None:
    (found,) = faults_after(
        SHOPS,
        "- {field: industry, is: retail}",
        "- {segment: manufacturers}",
        (MAKERS, "- {field: industry, is: manufacturing}", "- {segment: online-shops}"),
    )

    assert "manufacturers → online-shops → manufacturers" in found


def test_a_segment_of_given_facts_may_be_used_before_segments_are_known(faults_after: Breaks) -> None:
    assert faults_after(SCORING, "{field: employees, at_most: 2}", "{segment: online-shops}") == []


def test_a_segment_that_needs_the_journey_may_not_and_the_reason_is_printed(faults_after: Breaks) -> None:
    (found,) = faults_after(
        SCORING,
        "{field: employees, at_most: 2}",
        "{segment: online-shops}",
        (
            SHOPS,
            "- {field: industry, is: retail}",
            "- {field: industry, is: retail}\n    - {field: stage, known: true}",
        ),
    )

    assert found.startswith(f'{SCORING}:19:60  error  segment "online-shops" looks ahead: it uses stage ({SHOPS}:15:7)')


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("- {industry: retail}\n", "- {industry: retail, cms: shopify}\n", "should not match the segment and does"),
        ("{industry: retail, cms: prestashop}", "{industry: retail}", "should match the segment and does not"),
        ("times: 2, ago: 9 days", "times: 1, ago: 9 days", "should match the segment and does not"),
        ("ago: 9 days", "ago: 90 days", "should match the segment and does not"),
        ("{page_viewed:", "{page_veiwed:", "Did you mean page_viewed?"),
        ("{cms: shopify,", "{cms: shopfy,", '"shopfy" is not a choice of cms. One of: wordpress, prestashop, shopify'),
    ],
)
def test_examples_of_a_segment_are_tried(faults_after: Breaks, old: str, new: str, words: str) -> None:
    found = faults_after(SHOPS, old, new)

    assert words in found[0]
