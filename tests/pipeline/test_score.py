"""Scores by example: what is folded, what is capped, what changes when the playbook does."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from leadflow.conditions.tree import EventLeaf, FieldLeaf
from leadflow.models import account, dirty, engagement, event, event_inbox, lead, lead_score, lead_state
from leadflow.pipeline.score import score_leads
from leadflow.playbook.model import EngagementRule, FitRule, Playbook, VetoRule
from leadflow.scoring import RECYCLED
from leadflow.scoring.accounts import account_scores
from leadflow.types import DAY, EVERYONE, Leads, Scope
from tests.build import NIGHT, add_event, add_lead, playbook, scoring

PAGES = EngagementRule(name="pages", group="curious", events=("page_viewed",), points=1, half_life=336, max=10)
PRICES = EngagementRule(
    name="prices", group="intent", events=("page_viewed",), where={"path": ("/tarifs*",)}, points=10, half_life=336
)
HAND = EngagementRule(name="hand", group="intent", events=("quote_requested",), points=40, half_life=2160)
GROUPS = {"curious": 30, "intent": 60}


def heat(*rules: EngagementRule, groups: dict[str, int] | None = None) -> Playbook:
    """A playbook that scores engagement only."""
    return playbook(scoring=scoring(engagement=rules, engagement_groups=GROUPS | (groups or {})))


def in_country(name: str, points: int, *countries: str, group: str = "company") -> FitRule:
    """Points for living there."""
    return FitRule(
        name=name, group=group, points=points, when=FieldLeaf(field="country", operator="in", value=countries)
    )


def stored(session: Session, lead_id: int = 1) -> Any:
    """The score row of a lead."""
    return session.execute(select(lead_score).where(lead_score.c.lead_id == lead_id)).one()


def score(session: Session, book: Playbook, *, days: float = 0, scope: Scope = EVERYONE) -> Any:
    """Run the phase `days` after the night."""
    return score_leads(session, book, NIGHT + timedelta(days=days), scope)


def test_points_halve_every_half_life(session: Session) -> None:
    add_event(session, 1, add_lead(session, 1), "quote_requested", occurred_at=NIGHT - timedelta(hours=1))
    score(session, heat(HAND), days=90 - 1 / 24)
    # Growth is whole too: the last hundredth may be lost.
    assert stored(session).engagement in {1999, 2000}


def test_an_act_at_the_instant_of_the_sweep_waits_for_the_next(session: Session) -> None:
    add_event(session, 1, add_lead(session, 1), "page_viewed", occurred_at=NIGHT)
    add_event(session, 2, 1, "page_viewed", occurred_at=NIGHT - timedelta(days=1), received_at=NIGHT)
    assert score(session, heat(PAGES)).counts["folded"] == 0
    assert score(session, heat(PAGES), days=1 / 24).counts["folded"] == 2


def test_a_machine_click_weighs_nothing_and_an_unknown_one_a_third(session: Session) -> None:
    clicks = EngagementRule(name="click", group="mail", events=("email_clicked",), points=10, half_life=336)
    for lead_id, weight in enumerate((100, 30, 0), start=1):
        at = NIGHT - timedelta(hours=0.2)
        add_event(session, lead_id, add_lead(session, lead_id), "email_clicked", weight=weight, occurred_at=at)
    score(session, heat(clicks))
    assert [stored(session, i).engagement for i in (1, 2, 3)] == [1000, 300, 0]


def test_rule_and_group_caps_bind_the_decayed_value(session: Session) -> None:
    add_lead(session, 1)
    for i in range(100):
        add_event(session, i + 1, 1, "page_viewed", path="/tarifs", occurred_at=NIGHT - timedelta(minutes=10))
    score(session, heat(PAGES, PRICES))
    assert stored(session).engagement == 1000 + 6000
    score(session, heat(PAGES, PRICES), days=14 * 4)
    assert stored(session).engagement in {624 + 6000, 625 + 6000}


def test_negative_points_are_capped_from_below_and_the_score_stops_at_zero(session: Session) -> None:
    add_event(session, 1, add_lead(session, 1, country="DE"), "page_viewed", path="/jobs")
    jobs = EngagementRule(name="jobs", group="intent", events=("page_viewed",), points=-90, half_life=336, max=5)
    rules = (in_country("far", -40, "DE"), in_country("near", 20, "DE", group="person"))
    book = heat(jobs, PAGES)
    book = playbook(scoring=scoring(**_parts(book), fit=rules, fit_groups={"company": 15}))
    score(session, book)
    assert (stored(session).fit, stored(session).engagement) == (500, 0)


def _parts(book: Playbook) -> dict[str, Any]:
    return {"engagement": book.scoring.engagement, "engagement_groups": book.scoring.engagement_groups}


@pytest.mark.parametrize(
    ("points", "band"), [(100, "A4"), (75, "A4"), (74, "B4"), (50, "B4"), (49, "C4"), (25, "C4"), (24, "D4")]
)
def test_bands_begin_at_their_lower_bound(session: Session, points: int, band: str) -> None:
    add_lead(session, 1, country="FR")
    score(session, playbook(scoring=scoring(fit=(in_country("here", points, "FR"),))))
    assert stored(session).band == band


def test_a_veto_forces_d_and_is_named(session: Session) -> None:
    add_event(session, 1, add_lead(session, 1, country="FR"), "page_viewed", path="/recrutement/dev")
    jobs = EventLeaf(events=("page_viewed",), where={"path": ("/recrutement*",)}, within=30 * DAY)
    book = playbook(scoring=scoring(fit=(in_country("here", 90, "FR"),), veto=(VetoRule(name="jobs", when=jobs),)))
    score(session, book)
    assert (stored(session).fit, stored(session).band, stored(session).veto) == (9000, "D4", "jobs")


def test_velocity_counts_seven_days_without_decay_and_with_the_rules_cap(session: Session) -> None:
    add_lead(session, 1)
    for i in range(15):
        add_event(session, i + 1, 1, "page_viewed", occurred_at=NIGHT - timedelta(days=6))
    add_event(session, 20, 1, "quote_requested", occurred_at=NIGHT - timedelta(days=8))
    score(session, heat(PAGES, HAND))
    assert stored(session).velocity == 1000


def test_a_new_changed_or_vanished_rule_is_folded_again_from_all_events(session: Session) -> None:
    add_event(session, 1, add_lead(session, 1), "page_viewed", path="/tarifs", occurred_at=NIGHT - timedelta(hours=0.2))
    score(session, heat(PAGES))
    worth_more = EngagementRule(name="pages", group="curious", events=("page_viewed",), points=3, half_life=336)
    assert score(session, heat(worth_more, PRICES)).counts["refolded"] == 2
    assert stored(session).engagement == 1300
    assert score(session, heat(PRICES)).counts["refolded"] == 0
    assert stored(session).engagement == 1000


def test_a_cap_changes_without_folding_anything_again(session: Session) -> None:
    add_event(session, 1, add_lead(session, 1), "page_viewed", occurred_at=NIGHT - timedelta(hours=0.2))
    score(session, heat(PAGES))
    less = EngagementRule(name="pages", group="curious", events=("page_viewed",), points=1, half_life=336, max=0)
    assert score(session, heat(less)).counts["refolded"] == 0
    assert stored(session).engagement == 0


def test_the_fast_lane_folds_a_changed_rule_again_for_everyone(session: Session) -> None:
    for i in (1, 2):
        add_event(
            session, i, add_lead(session, i), "page_viewed", path="/tarifs", occurred_at=NIGHT - timedelta(hours=0.2)
        )
    score(session, heat(PAGES))
    add_event(session, 3, 2, "page_viewed", path="/tarifs", occurred_at=NIGHT - timedelta(hours=0.2))
    score(session, heat(PAGES, PRICES), scope=Leads((1,)))
    assert (stored(session, 1).engagement, stored(session, 2).engagement) == (1100, 100)
    score(session, heat(PAGES, PRICES))
    assert (stored(session, 1).engagement, stored(session, 2).engagement) == (1100, 2200)


def test_a_new_landmark_changes_no_score(session: Session) -> None:
    hourly = EngagementRule(name="pages", group="intent", events=("page_viewed",), points=40, half_life=24)
    add_event(session, 1, add_lead(session, 1), "page_viewed", occurred_at=NIGHT - timedelta(hours=1))
    seen = [score(session, heat(hourly), days=day).counts["refolded"] for day in range(17)]
    assert seen.count(1) == 2
    assert stored(session).engagement == 0
    score(session, heat(hourly), days=23 / 24)
    assert stored(session).engagement in {1999, 2000}


def test_a_dirty_lead_is_folded_again_from_its_events(session: Session) -> None:
    add_event(session, 1, add_lead(session, 1), "page_viewed", occurred_at=NIGHT - timedelta(hours=0.2))
    add_lead(session, 2)
    score(session, heat(PAGES))
    session.execute(update(event).values(lead_id=2))
    session.execute(insert(dirty), [{"lead_id": 1}, {"lead_id": 2}])
    assert score(session, heat(PAGES)).counts["dirty"] == 2
    assert (stored(session, 1).engagement, stored(session, 2).engagement) == (0, 100)
    assert [session.execute(select(table)).all() for table in (dirty, event_inbox)] == [[], []]


def test_an_act_of_a_dirty_lead_that_is_not_visible_yet_keeps_waiting(session: Session) -> None:
    add_event(session, 1, add_lead(session, 1), "page_viewed", occurred_at=NIGHT)
    session.execute(insert(dirty), {"lead_id": 1})
    score(session, heat(PAGES))
    assert list(session.scalars(select(event_inbox.c.event_id))) == [1]


def test_what_a_rejection_takes_off_is_an_act_of_the_rule_it_names(session: Session) -> None:
    add_event(session, 1, add_lead(session, 1), "quote_requested", occurred_at=NIGHT - timedelta(hours=0.2))
    add_event(session, 2, 1, RECYCLED, path="hand", weight=2800, occurred_at=NIGHT - timedelta(hours=0.1))
    score(session, heat(HAND))
    assert (stored(session).engagement, stored(session).velocity) == (1200, 4000)


def test_a_lead_seen_by_a_later_sweep_is_left_alone(session: Session) -> None:
    add_lead(session, 1, country="FR")
    session.execute(update(lead_state).values(as_of=NIGHT + timedelta(seconds=1)))
    score(session, playbook(scoring=scoring(fit=(in_country("here", 10, "FR"),))))
    assert stored(session).fit == 0


def test_a_company_is_as_fit_as_its_best_and_as_hot_as_its_people_together(session: Session) -> None:
    session.execute(insert(account), {"id": 7, "key": "x.example", "created_at": NIGHT})
    for i, country in enumerate(("FR", "BE"), start=1):
        add_lead(session, i, country=country, account_id=7)
    add_event(session, 1, 1, "quote_requested", occurred_at=NIGHT - timedelta(hours=0.2))
    add_event(session, 2, 2, "page_viewed", occurred_at=NIGHT - timedelta(hours=0.2))
    book = heat(PAGES, HAND)
    book = playbook(scoring=scoring(**_parts(book), fit=(in_country("here", 30, "FR"),)))
    score(session, book, scope=Leads((2,)))
    score(session, book, scope=Leads((1,)))
    assert tuple(session.execute(account_scores()).one()) == (7, 3000, (3 * 4000 + 4100) // 4, 2)


def test_an_event_of_nobody_is_scored_for_nobody(session: Session) -> None:
    add_event(session, 1, add_lead(session, 1), "page_viewed")
    session.execute(update(event).values(lead_id=None))
    score(session, heat(PAGES))
    assert session.execute(select(engagement)).all() == []


def test_a_lead_without_a_score_row_gets_one(session: Session) -> None:
    add_lead(session, 1)
    session.execute(lead_score.delete())
    assert session.scalar(select(lead.c.id)) == 1
    score(session, playbook())
    assert tuple(stored(session)) == (1, 0, 0, 0, "D4", None)
