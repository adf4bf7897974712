"""Where on the journey: forward at once, kept while it holds, back only after long enough; prospects by criteria."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from leadflow.conditions.tree import All, Condition, EventLeaf, FieldLeaf, SegmentLeaf
from leadflow.models import decision, lead, lead_state, lifecycle_change, stage_change
from leadflow.pipeline.stage import stage_leads
from leadflow.playbook.model import Criterion, LifecycleRules, Playbook, Stage
from leadflow.types import DAY, EVERYONE, Leads, Outcome
from tests.build import NIGHT, add_event, add_lead, journey, playbook, segment


def lives_in(*countries: str) -> Condition:
    """A condition that a test switches by moving the lead."""
    return FieldLeaf(field="country", operator="in", value=countries)


#: E reaches evaluation, K keeps it, D reaches decision, which nothing but its `when` keeps.
STAGES = (
    Stage(name="discovery"),
    Stage(name="evaluation", when=lives_in("E"), keep_while=lives_in("K"), fall_back_after=30 * DAY),
    Stage(name="decision", when=lives_in("D"), fall_back_after=60 * DAY),
)
BOOK = playbook(journey=journey(stages=STAGES))


def move(session: Session, country: str | None, *, days: float, book: Playbook = BOOK) -> Any:
    """The state of lead 1 after a sweep `days` from the night, living in `country`."""
    session.execute(update(lead).values(country=country))
    stage_leads(session, book, NIGHT + timedelta(days=days), EVERYONE)
    return session.execute(select(lead_state).where(lead_state.c.lead_id == 1)).one()


def changes(session: Session) -> list[tuple[str | None, str]]:
    """The moves of all leads in their order."""
    rows = session.execute(select(stage_change).order_by(stage_change.c.at, stage_change.c.lead_id))
    return [(row.before, row.after) for row in rows]


def test_a_lead_goes_at_once_to_the_furthest_stage_that_holds(session: Session) -> None:
    add_lead(session, 1)
    state = move(session, "D", days=0)
    assert (state.stage, state.stage_before, state.stage_since) == ("decision", "discovery", NIGHT)
    assert changes(session) == [("discovery", "decision")]


def test_every_move_is_recorded_as_a_decision_with_the_scores_it_saw(session: Session) -> None:
    add_lead(session, 1, score={"fit": 7700, "engagement": 4200, "band": "A2"})
    move(session, "E", days=0)
    row = session.execute(select(decision)).one()
    assert (row.lead_id, row.kind, row.subject, row.month) == (1, "stage", "evaluation", 202603)
    assert row.detail == {"before": "discovery", "fit": 7700, "engagement": 4200, "band": "A2", "qualification": 0}


def test_keep_while_keeps_a_stage_whose_when_no_longer_holds(session: Session) -> None:
    add_lead(session, 1)
    move(session, "E", days=0)
    state = move(session, "K", days=300)
    assert (state.stage, state.unmet_since) == ("evaluation", None)


@pytest.mark.parametrize(("days", "stage"), [(29.9, "evaluation"), (30, "discovery"), (31, "discovery")])
def test_a_lead_falls_back_after_exactly_that_long(session: Session, days: float, stage: str) -> None:
    add_lead(session, 1)
    move(session, "E", days=0)
    move(session, None, days=1)
    assert stage == move(session, None, days=1 + days).stage


def test_a_break_starts_the_waiting_again(session: Session) -> None:
    add_lead(session, 1)
    for country, day in (("E", 0), (None, 1), ("K", 20), (None, 21), (None, 50)):
        state = move(session, country, days=day)
    assert ("evaluation", NIGHT + timedelta(days=21)) == (state.stage, state.unmet_since)
    assert move(session, None, days=51).stage == "discovery"


def test_a_lead_falls_back_to_the_furthest_stage_that_still_holds(session: Session) -> None:
    add_lead(session, 1)
    for country, day in (("D", 0), ("E", 1), ("E", 61)):
        state = move(session, country, days=day)
    assert (state.stage, state.unmet_since) == ("evaluation", None)
    assert changes(session) == [("discovery", "decision"), ("decision", "evaluation")]


def test_the_same_sweep_twice_changes_nothing(session: Session) -> None:
    add_lead(session, 1)
    move(session, "E", days=0)
    before = [session.execute(select(table)).all() for table in (lead_state, stage_change, decision)]
    move(session, "E", days=0)
    assert before == [session.execute(select(table)).all() for table in (lead_state, stage_change, decision)]


def test_a_second_move_at_one_instant_keeps_where_the_lead_came_from(session: Session) -> None:
    add_lead(session, 1)
    move(session, "E", days=0)
    move(session, "D", days=0)
    assert changes(session) == [("discovery", "decision")]


def test_a_stage_that_no_file_names_any_more_counts_as_the_first(session: Session) -> None:
    add_lead(session, 1, state={"stage": "long-gone"})
    assert move(session, None, days=0).stage == "discovery"
    session.execute(update(lead_state).values(stage="long-gone"))
    assert move(session, "E", days=1).stage == "evaluation"


def test_acts_that_a_rejection_has_spent_move_nobody(session: Session) -> None:
    asked = EventLeaf(events=("quote_requested",), within=90 * DAY)
    book = playbook(journey=journey(stages=(*STAGES[:2], replace(STAGES[2], when=asked))))
    add_event(session, 1, add_lead(session, 1, state={"spent_before": NIGHT}), "quote_requested")
    add_event(session, 2, add_lead(session, 2), "quote_requested")
    move(session, None, days=1, book=book)
    rows = dict(session.execute(select(lead_state.c.lead_id, lead_state.c.stage)).tuples().all())
    assert rows == {1: "discovery", 2: "decision"}


def test_a_segment_is_judged_in_place_because_its_phase_comes_later(session: Session) -> None:
    stages = (STAGES[0], Stage(name="evaluation", when=SegmentLeaf(segment="here")))
    segments = {"here": segment("here", lives_in("E"))}
    add_lead(session, 1)
    book = playbook(journey=journey(stages=stages), segments=segments)
    assert move(session, "E", days=0, book=book).stage == "evaluation"


def test_a_lead_out_of_scope_or_seen_by_a_later_sweep_stays(session: Session) -> None:
    for i in (1, 2, 3):
        add_lead(session, i, country="E", state={"as_of": NIGHT + timedelta(seconds=1)} if i == 2 else {})
    outcome = stage_leads(session, BOOK, NIGHT, Leads((1, 2)))
    assert (outcome.read, outcome.counts["up"]) == (1, 1)
    assert list(session.scalars(select(stage_change.c.lead_id))) == [1]


CRITERIA = (
    Criterion(name="profile", when=FieldLeaf(field="fit", operator="at_least", value=50)),
    Criterion(name="project", when=FieldLeaf(field="project", operator="in", value=("seo",)), ask="project"),
    Criterion(name="place", when=lives_in("E", "D"), ask="country"),
)
QUALIFIES = All(
    (
        FieldLeaf(field="qualification", operator="at_least", value=2),
        FieldLeaf(field="qualification.profile", operator="is", value="met"),
        EventLeaf(events=("quote_requested",), within=90 * DAY),
    )
)
QUALIFYING = playbook(journey=journey(criteria=CRITERIA, lifecycle=LifecycleRules(prospect_when=QUALIFIES)))


def qualify(session: Session, *, days: float = 0) -> Outcome:
    """Run the phase with criteria."""
    return stage_leads(session, QUALIFYING, NIGHT + timedelta(days=days), EVERYONE)


def test_criteria_are_bits_in_the_order_of_the_file(session: Session) -> None:
    add_lead(session, 1, country="E", score={"fit": 5000}, attributes={"project": "none"})
    qualify(session)
    assert session.execute(select(lead_state.c.qualification, lead_state.c.criteria)).one() == (2, 0b101)


def ready(session: Session, lead_id: int, lifecycle: str = "lead") -> None:
    """A lead who fits, has said where, and has asked for a quote."""
    add_lead(session, lead_id, country="E", score={"fit": 5000}, state={"lifecycle": lifecycle})
    add_event(session, lead_id, lead_id, "quote_requested")


def test_a_lead_becomes_a_prospect_when_it_qualifies(session: Session) -> None:
    ready(session, 1)
    assert qualify(session).counts["prospects"] == 1
    state = session.execute(select(lead_state)).one()
    assert (state.lifecycle, state.lifecycle_since) == ("prospect", NIGHT)
    move = session.execute(select(lifecycle_change)).one()
    assert tuple(move)[2:] == ("lead", "prospect", "sweep", NIGHT, NIGHT)
    assert [(row.kind, row.subject) for row in session.execute(select(decision))] == [("lifecycle", "prospect")]


def test_a_prospect_stays_one_and_nobody_else_is_touched(session: Session) -> None:
    for i, lifecycle in enumerate(("prospect", "customer", "disqualified"), start=1):
        ready(session, i, lifecycle)
    add_lead(session, 4, state={"lifecycle": "prospect"})
    qualify(session)
    assert list(session.scalars(select(lead_state.c.lifecycle).order_by(lead_state.c.lead_id))) == [
        "prospect",
        "customer",
        "disqualified",
        "prospect",
    ]
    assert session.execute(select(lifecycle_change)).all() == []


def test_who_became_a_prospect_is_told_once_at_one_instant(session: Session) -> None:
    ready(session, 1)
    for _ in range(2):
        qualify(session)
    assert len(session.execute(select(lifecycle_change)).all()) == 1


@dataclass
class Walker:
    """The rule of stages in plain Python, a day after the other."""

    stage: int = 0
    unmet_since: datetime | None = None

    def step(self, country: str, now: datetime) -> None:
        """What one sweep makes of it."""
        reach = {"E": 1, "D": 2}.get(country, 0)
        keeps = [True, country in "EK", country == "D"][self.stage]
        new = self.stage
        if reach > self.stage:
            new = reach
        elif not keeps:
            self.unmet_since = self.unmet_since or now
            patience = timedelta(microseconds=STAGES[self.stage].fall_back_after)
            new = reach if now - self.unmet_since >= patience else self.stage
        if keeps or new != self.stage:
            self.unmet_since = None
        self.stage = new


@given(st.lists(st.tuples(st.sampled_from("EKDX"), st.sampled_from([1, 10, 29, 30, 31, 60])), min_size=1, max_size=12))
def test_many_nights_are_as_the_rule_says(engine: Engine, nights: list[tuple[str, int]]) -> None:
    walker, day = Walker(), 0
    with Session(engine) as session:
        add_lead(session, 1)
        for country, wait in nights:
            day += wait
            state = move(session, country, days=day)
            walker.step(country, NIGHT + timedelta(days=day))
            assert (STAGES[walker.stage].name, walker.unmet_since) == (state.stage, state.unmet_since)
        session.rollback()
