"""An explanation says the value, what was asked, and comes to the same end as the judgement."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given

from leadflow.conditions.evaluate import Act, View, holds
from leadflow.conditions.prove import prove
from leadflow.conditions.tree import Condition
from tests.conditions.drawn import CONDITIONS, LEADS
from tests.conditions.reading import condition
from tests.conditions.world import NOW, VOCABULARY, Lead

VISIT = Act(
    kind="page_viewed", path="/tarifs", occurred_at=NOW - timedelta(days=3), received_at=NOW - timedelta(days=3)
)
VIEW = View(now=NOW, vocabulary=VOCABULARY)
SOMEBODY = Lead(
    attributes={"employees": 62, "job_title": "Gérante", "deadline": "2026-04-01", "subscribed": True},
    score=(3550, "B1"),
    segments=frozenset({"shops"}),
    acts=(VISIT, VISIT),
)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{field: employees, between: [10, 250]}", "employees: 62 is between 10 and 250"),
        ("{field: employees, between: [100, 250]}", "employees: 62 is not between 100 and 250"),
        ("{field: rate, over: 3}", "rate is not known (asked: is more than 3)"),
        ("{field: rate, known: false}", "rate is not known"),
        ("{field: employees, known: false}", "employees is known: 62"),
        ("{field: fit, at_least: 35}", "fit: 35.5 is at least 35"),
        ("{field: subscribed, is: true}", "subscribed: yes is yes"),
        ("{field: job_title, matches_word: [gérante]}", "job_title: Gérante has one of the words gérante"),
        (
            "{field: deadline, within_next: 60 days}",
            "deadline: 2026-04-01 is between today, 2026-03-02, and 2026-05-01",
        ),
        ("{segment: shops}", "in segment shops"),
        (
            "{event: page_viewed, where: {path: /tarifs*}, at_least: 3, within: 7 days}",
            "2 visits to /tarifs in 7 days (asked: at least 3), last on 27 February",
        ),
        ("{event: webinar_attended, at_most: 1}", "webinar_attended: 0 times (asked: at most 1)"),
    ],
)
def test_a_leaf_tells_what_it_saw(written: str, said: str) -> None:
    assert said == prove(condition(written), SOMEBODY.person(spent=False), VIEW).text


def test_a_segment_judged_in_place_shows_its_own_reasons() -> None:
    makers = condition("all: [{field: employees, over: 100}]")
    in_place = replace(VIEW, segments={"makers": makers})
    proof = prove(condition("{segment: makers}"), SOMEBODY.person(spent=False), in_place)
    assert proof.text == "not in segment makers"
    assert [inner.text for inner in proof.children[0].children] == ["employees: 62 is at most 100"]


@given(lead=LEADS, asked=CONDITIONS)
def test_an_explanation_comes_to_the_same_end_as_the_judgement(lead: Lead, asked: Condition) -> None:
    person = lead.person(spent=False)
    assert holds(asked, person, VIEW) == prove(asked, person, VIEW).holds
