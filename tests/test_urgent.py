"""Which acts do not wait for the night."""

from dataclasses import replace

from leadflow.app import urgent_acts
from leadflow.conditions.tree import All, Condition, EventLeaf, FieldLeaf
from leadflow.playbook.model import EngagementRule, HotRule, Playbook
from leadflow.types import Span, SpanKind
from tests.build import playbook

HANDS = {"demo_requested", "quote_requested", "meeting_booked"}
CALLED = EventLeaf(events=("call_logged",))
WARM = All((EventLeaf(events=("webinar_attended",)), FieldLeaf(field="engagement", operator="at_least", value=60)))


def with_rule(when: Condition, at: str) -> Playbook:
    book = playbook()
    rule = HotRule(name="hot", when=when, at=at, answer_within=Span(kind=SpanKind.BUSINESS_HOURS, amount=1))
    paid = EngagementRule(name="calls", group="any", events=("call_logged",), points=5, half_life=24)
    scoring = replace(book.scoring, engagement=(paid,))
    return replace(book, sales=replace(book.sales, hot=(rule,)), scoring=scoring)


def test_a_raised_hand_is_urgent_without_any_rule() -> None:
    assert urgent_acts(with_rule(CALLED, "sweep")) == HANDS


def test_an_act_that_a_rule_asks_for_at_once_is_urgent() -> None:
    assert urgent_acts(with_rule(CALLED, "once")) == HANDS | {"call_logged"}


def test_whatever_moves_a_score_is_urgent_for_a_rule_that_reads_one() -> None:
    assert urgent_acts(with_rule(WARM, "once")) == HANDS | {"webinar_attended", "call_logged", "form_submitted"}
