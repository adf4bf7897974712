"""Scores are functions of history: equal to plain Python bit for bit, whatever came late, twice or shuffled."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from leadflow.conditions.evaluate import Act, Person, View, holds
from leadflow.conditions.tree import FieldLeaf
from leadflow.intake.events import NewEvent, record_events
from leadflow.models import dirty, engagement, event_inbox, lead, lead_score, metadata, scoring_rule
from leadflow.pipeline.score import score_leads
from leadflow.playbook.model import EngagementRule, FitRule
from leadflow.scoring import Entry, add_up, band_of, engagement_at, score_terms, velocity_at
from leadflow.types import EVERYONE
from tests.build import NIGHT, add_lead, playbook, scoring

RULES = (
    EngagementRule(name="page", group="curious", events=("page_viewed",), points=3, half_life=24, max=10),
    EngagementRule(
        name="price", group="intent", events=("page_viewed",), where={"path": ("/t*", "/p")}, points=17, half_life=37
    ),
    EngagementRule(
        name="jobs", group="intent", events=("page_viewed",), where={"path": ("/j",)}, points=-20, half_life=24
    ),
    EngagementRule(
        name="topic", group="mail", events=("webinar_attended",), where={"topic": ("seo",)}, points=9, half_life=72
    ),
    EngagementRule(
        name="hand", group="intent", events=("quote_requested", "email_clicked"), points=40, half_life=2160, max=90
    ),
)
GROUPS = {"curious": 8, "intent": 60}
BOOK = playbook(scoring=scoring(engagement=RULES, engagement_groups=GROUPS))

kinds = st.sampled_from(["page_viewed", "webinar_attended", "quote_requested", "email_clicked", "call_logged"])
acts = st.builds(
    lambda kind, path, weight, topic, age, late: Act(
        kind=kind,
        path=path,
        weight=weight,
        properties=topic,
        occurred_at=NIGHT - timedelta(minutes=age),
        received_at=NIGHT - timedelta(minutes=age - late),
    ),
    kinds,
    st.sampled_from(["/tarifs", "/t", "/p", "/pp", "/j", None]),
    st.sampled_from([100, 30, 0]),
    st.sampled_from([{"topic": "seo"}, {"topic": "ads"}, {}]),
    st.integers(-3000, 60_000) | st.integers(-3000, 500),
    st.sampled_from([0, 0, 0, 50, 5000]),
)
histories = st.lists(acts, max_size=30)


def tell(session: Session, history: Sequence[tuple[int, Act]], *, lead_id: int = 1) -> None:
    """Record acts with their number as the key that makes each count once."""
    told = [
        NewEvent(
            source="test",
            external_id=str(number),
            kind=act.kind,
            occurred_at=act.occurred_at,
            received_at=act.received_at,
            lead_id=lead_id,
            path=act.path,
            weight=act.weight,
            properties=act.properties,
        )
        for number, act in history
    ]
    record_events(session, told, received_at=NIGHT + timedelta(days=60))


def stored(session: Session) -> list[Any]:
    """All scores."""
    return list(session.execute(select(lead_score).order_by(lead_score.c.lead_id)))


def sums(session: Session) -> list[Any]:
    """All sums by the name of their rule, those of zero left out."""
    joined = engagement.join(scoring_rule, scoring_rule.c.id == engagement.c.rule)
    rows = select(engagement.c.lead_id, scoring_rule.c.name, engagement.c.total).select_from(joined)
    return sorted(tuple(row) for row in session.execute(rows.where(engagement.c.total != 0)))


def nights(*days: float) -> list[datetime]:
    """Instants around the night."""
    return [NIGHT + timedelta(days=day) for day in days]


@given(histories, st.lists(st.floats(-20, 40), max_size=4))
def test_a_score_equals_plain_python_at_every_sweep(engine: Engine, history: list[Act], days: list[float]) -> None:
    with Session(engine) as session:
        add_lead(session, 1)
        tell(session, list(enumerate(history)))
        for now in nights(*sorted(days), 41):
            score_leads(session, BOOK, now, EVERYONE)
            sheet = engagement_at(history, RULES, GROUPS, now)
            row = stored(session)[0]
            assert (sheet.score, velocity_at(history, RULES, now)) == (row.engagement, row.velocity)
            terms = score_terms(session, BOOK, [1], now)[1]
            assert (sheet, row.velocity, row.band) == (terms.engagement, terms.velocity, terms.band)
            assert row.engagement == sum(term.value for term in terms.engagement.terms)
        session.rollback()


@given(histories, st.randoms(use_true_random=False), st.integers(1, 5))
def test_shuffled_repeated_and_delayed_events_change_no_bit(
    engine: Engine, history: list[Act], dice: random.Random, parts: int
) -> None:
    numbered = list(enumerate(history))
    now = NIGHT + timedelta(days=31)
    with Session(engine) as session:
        add_lead(session, 1)
        tell(session, numbered)
        score_leads(session, BOOK, now, EVERYONE)
        expected = (stored(session), sums(session))
        session.rollback()
    late = [(n, replace(act, received_at=max(act.received_at, NIGHT + timedelta(days=n % 29)))) for n, act in numbered]
    dice.shuffle(late)
    with Session(engine) as session:
        add_lead(session, 1)
        for part in range(parts):
            tell(session, late[part::parts] + late[: part + 3])
            score_leads(session, BOOK, now - timedelta(days=parts - part), EVERYONE)
        score_leads(session, BOOK, now, EVERYONE)
        assert expected == (stored(session), sums(session))
        session.rollback()


@given(histories, st.integers(1, 6))
def test_many_small_folds_equal_one_fold_of_everything(engine: Engine, history: list[Act], parts: int) -> None:
    now = NIGHT + timedelta(days=31)
    with Session(engine) as session:
        add_lead(session, 1)
        for part in range(parts):
            tell(session, list(enumerate(history))[part::parts])
            score_leads(session, BOOK, now, EVERYONE)
        small = (stored(session), sums(session))
        session.execute(dirty.insert(), {"lead_id": 1})
        score_leads(session, BOOK, now, EVERYONE)
        assert small == (stored(session), sums(session))
        session.execute(update(scoring_rule).values(fingerprint="another"))
        score_leads(session, BOOK, now, EVERYONE)
        assert small == (stored(session), sums(session))
        assert session.execute(select(event_inbox)).all() == []
        session.rollback()


@given(histories)
def test_a_second_run_at_the_same_instant_changes_no_row(engine: Engine, history: list[Act]) -> None:
    with Session(engine) as session:
        add_lead(session, 1)
        tell(session, list(enumerate(history)))
        score_leads(session, BOOK, NIGHT, EVERYONE)
        before = {t.name: session.execute(select(t)).all() for t in metadata.sorted_tables}
        assert score_leads(session, BOOK, NIGHT, EVERYONE).changed == 0
        assert before == {t.name: session.execute(select(t)).all() for t in metadata.sorted_tables}
        session.rollback()


points = st.integers(-100, 100)
fit_rules = st.lists(st.tuples(st.sampled_from("ab"), points, st.sampled_from(["FR", "BE"])), max_size=6)


@given(fit_rules, st.dictionaries(st.sampled_from("ab"), st.integers(0, 60)), st.sampled_from(["FR", "BE", None]))
def test_fit_equals_plain_python_with_its_caps_and_clip(
    engine: Engine, drawn: list[tuple[str, int, str]], groups: dict[str, int], country: str | None
) -> None:
    rules = tuple(
        FitRule(name=f"r{i}", group=group, points=n, when=FieldLeaf(field="country", operator="is", value=where))
        for i, (group, n, where) in enumerate(drawn)
    )
    book = playbook(scoring=scoring(fit=rules, fit_groups=groups))
    person = Person(fields={"country": country})
    view = View(now=NIGHT, vocabulary=book.vocabulary)
    given_points = [r.points * 100 if holds(r.when, person, view) else 0 for r in rules]
    sheet = add_up([Entry(r.name, r.group, n) for r, n in zip(rules, given_points, strict=True)], groups)
    with Session(engine) as session:
        add_lead(session, 1)
        session.execute(update(lead).values(country=country))
        score_leads(session, book, NIGHT, EVERYONE)
        row = stored(session)[0]
        assert (sheet.score, band_of(book.scoring, fit=sheet.score, engagement=0, veto=None)) == (row.fit, row.band)
        assert sheet == score_terms(session, book, [1], NIGHT)[1].fit
        session.rollback()
