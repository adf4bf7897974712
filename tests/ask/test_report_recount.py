"""Every number of the report is what plain Python counts from the rows, over random histories on both databases."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from leadflow.ask.funnel import funnel
from leadflow.ask.report.collect import everything
from leadflow.ask.report.emails import email_figures
from leadflow.ask.report.flows import MOST_WEEKS, stage_flow, standing, weekly_mails
from leadflow.ask.report.odd import odd_people
from leadflow.ask.report.period import Period, read_period
from leadflow.ask.report.reached import GROUPS, Question
from leadflow.ask.report.sales import rep_figures
from tests.ask import recount
from tests.ask.recount import PARIS
from tests.ask.report_world import NOW, STAGES, all_rows, live_at_random, midnight
from tests.build import playbook
from tests.counting import counting
from tests.emptied import empty

PLAYBOOK = playbook()
PERIODS: dict[tuple[str | None, str | None], tuple[datetime | None, datetime | None]] = {
    (None, None): (None, None),
    ("2025-12", "2026-01"): (midnight(date(2025, 12, 1), PARIS), midnight(date(2026, 2, 1), PARIS)),
    ("2026-02-10", None): (midnight(date(2026, 2, 10), PARIS), None),
    (None, "2026-01-31"): (None, midnight(date(2026, 2, 1), PARIS)),
}

worlds = given(seed=st.integers(0, 2**32), asked=st.sampled_from(sorted(PERIODS, key=str)))
#: Each example fills a database and reads it whole.
few = settings(max_examples=4) if settings.get_current_profile_name() == "default" else settings()


class Lived:
    """A random history, the rows it left, and the period asked about."""

    def __init__(self, session: Session, seed: int, asked: tuple[str | None, str | None]) -> None:
        live_at_random(session, seed)
        self.session, self.rows = session, all_rows(session)
        self.since, self.until = PERIODS[asked]
        self.period: Period = read_period(*asked, PARIS)


@pytest.fixture
def lives(engine: Engine) -> Iterator[object]:
    """Makes a world and forgets it when the example is over."""

    def lives(seed: int, asked: tuple[str | None, str | None]) -> Lived:
        session.rollback()
        return Lived(session, seed, asked)

    with Session(engine) as session:
        yield lives


@few
@worlds
def test_every_line_of_the_funnel(lives, seed, asked):  # type: ignore[no-untyped-def]
    world: Lived = lives(seed, asked)
    for by, age in [(by, None) for by in GROUPS] + [("source", 30), ("month", 0)]:
        question = Question(by=by, stages=STAGES, zone=PARIS, period=world.period, age=age, now=NOW)
        found = funnel(world.session, question)
        people = recount.lives(world.rows, world.since, world.until, age)
        wanted = {
            name: recount.cohort([life for life in people if life.groups[by] == name])
            for name in {life.groups[by] for life in people}
        }
        assert {one.name: _numbers(one) for one in found.cohorts[:-1]} == _near(wanted)
        if people:
            assert found.total is not None
            assert _numbers(found.total) == _near({"": recount.cohort(people)})[""]
        everybody = [p for p in world.rows["lead"] if recount.inside(p["first_seen_at"], world.since, world.until)]
        assert found.left_out == len(everybody) - len(people)


def _numbers(cohort: object) -> dict[str, object]:
    numbers = asdict(cohort)  # type: ignore[call-overload]
    return {name: value for name, value in numbers.items() if name != "name"}


def _near(wanted: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    """Medians may differ in the last bit."""

    def near(value: object) -> object:
        if isinstance(value, float):
            return pytest.approx(value)
        return tuple(map(near, value)) if isinstance(value, tuple) else value

    return {name: {key: near(value) for key, value in numbers.items()} for name, numbers in wanted.items()}


@few
@worlds
def test_where_people_went_and_where_they_stand(lives, seed, asked):  # type: ignore[no-untyped-def]
    world: Lived = lives(seed, asked)
    question = Question(by="source", stages=STAGES, zone=PARIS, period=world.period, now=NOW)
    people = recount.lives(world.rows, world.since, world.until, None)
    stood, went = recount.moves(people)
    flow = stage_flow(world.session, question)
    assert flow is not None
    assert (flow.people, flow.moves) == (tuple(stood[place] for place in range(6)), dict(went))
    assert sum(flow.still_in(place) for place in range(6)) == len(people)
    now = standing(world.session, world.period)
    for (life, stage), n in now.items():
        mine = [p.state for p in people if p.state["lifecycle"] == life]
        assert n == (sum(state["stage"] == stage for state in mine) if stage else len(mine))
    assert sum(now.values()) == len(people)


@few
@worlds
def test_every_line_of_the_emails_and_weeks(lives, seed, asked):  # type: ignore[no-untyped-def]
    world: Lived = lives(seed, asked)
    mails = recount.mails(world.rows, world.since, world.until)
    figures = email_figures(world.session, PLAYBOOK, world.period)
    names = ("sent", "delivered", "clicked", "replied", "moved_on", "unsubscribed")
    assert {
        (one.email, one.variant): {name: getattr(one, name) for name in names} for one in figures
    } == recount.by_email(mails)
    weeks = weekly_mails(world.session, world.period, PARIS)
    assert len(weeks) <= MOST_WEEKS
    shown = [mail for mail in mails if weeks and mail.sent_at >= midnight(weeks[0].monday, PARIS)]
    assert sum(one.sent for one in weeks) == len(shown)
    assert len(weeks) == MOST_WEEKS or len(shown) == len(mails)
    for one in weeks:
        start, end = (midnight(one.monday + timedelta(days=7 * n), PARIS) for n in (0, 1))
        told = asdict(one)
        assert told.pop("monday").weekday() == 0
        assert told == recount.week([mail for mail in mails if start <= mail.sent_at < end])
        assert one.sent == one.clicked + one.unclicked + one.bounced + one.silent


@few
@worlds
def test_every_line_of_the_salespeople(lives, seed, asked):  # type: ignore[no-untyped-def]
    world: Lived = lives(seed, asked)
    mine = [e for e in world.rows["escalation"] if recount.inside(e["opened_at"], world.since, world.until)]
    groups = groupby(sorted(mine, key=lambda row: row["rep"]), key=lambda row: row["rep"])
    wanted = {name: recount.rep(list(rows)) for name, rows in groups}
    found = rep_figures(world.session, PLAYBOOK, world.period, NOW)
    assert [one.rep for one in found] == sorted(wanted)
    for one in found:
        told = asdict(one)
        name, took = told.pop("rep"), told.pop("median_answer")
        minutes = wanted[name].pop("minutes")
        assert (took is None) == (minutes is None)
        assert took is None or took / timedelta(minutes=1) == pytest.approx(minutes)
        assert told == wanted[name]
        assert one.given == one.accepted + one.rejected + one.waiting + one.late + one.lapsed
        assert one.given == sum(asdict(one.clock).values())


@few
@worlds
def test_every_oddity(lives, seed, asked):  # type: ignore[no-untyped-def]
    world: Lived = lives(seed, asked)
    known = {p["id"]: p for p in world.rows["lead"]}
    wanted = {
        (name, n)
        for name, n in recount.odd(world.rows)
        if recount.inside(known[n]["first_seen_at"], world.since, world.until)
    }
    found = odd_people(world.session, world.period, NOW)
    assert {(str(one.oddity), one.lead_id) for one in found} == wanted
    assert len(found) == len(wanted)
    assert all(one.first_seen_at == known[one.lead_id]["first_seen_at"].astimezone(UTC) for one in found)


def test_the_whole_report_asks_as_often_for_ten_people_as_for_many(engine: Engine) -> None:
    question = Question(by="source", stages=STAGES, zone=PARIS, now=NOW)
    asked = []
    for people in (10, 120):
        empty(engine)
        with Session(engine) as session:
            live_at_random(session, 1, people=people)
            with counting(engine) as texts:
                everything(session, PLAYBOOK, question, {})
        asked.append(len(texts))
    assert asked[0] == asked[1]
