"""Ten salespeople of mixed habits: nobody waits too long, no limit is passed, turns are fair, calls are few.

Eight days in every run; `make soak` lives the whole quarter.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Row, select
from sqlalchemy.orm import Session

from leadflow.db import make_engine
from leadflow.models import assignment, escalation, event, event_key, lead, message, stage_change
from leadflow.playbook.load import load_playbook
from leadflow.types import COUNTS_AS_RECEIVED, DAY, micros
from tests.conftest import make_tables
from tests.quarter import TRIO, Season, live_season
from tests.soak import SOAK

#: Whole days of a team: tests/pipeline counts their lines.
pytestmark = pytest.mark.no_cover
QUARTER = 90
SIZES = [
    pytest.param((8, 30, 0.15), id="eight days"),
    pytest.param(
        (QUARTER, 220, 0.03),
        id="ninety days",
        marks=[
            pytest.mark.soak,
            pytest.mark.skipif(not SOAK, reason="a quarter takes minutes: make soak"),
        ],
    ),
]


@pytest.fixture(scope="module", params=SIZES)
def season(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Season]:
    """A season lived once for all the questions below."""
    url = f"sqlite:///{tmp_path_factory.mktemp('season') / 'season.db'}"
    make_tables(url)
    engine = make_engine(url)
    days, people, pace = request.param
    yield live_season(engine, load_playbook(Path(__file__).parents[1]), days=days, people=people, pace=pace)
    engine.dispose()


def rows(engine: Engine, query: Any) -> list[Row[Any]]:
    with Session(engine) as session:
        return list(session.execute(query))


def handovers(season: Season) -> list[Row[Any]]:
    return rows(season.world.app.engine, select(escalation).order_by(escalation.c.opened_at, escalation.c.id))


def given(season: Season) -> list[Row[Any]]:
    """Every time somebody was given one, in order."""
    columns = [assignment.c[name] for name in ("escalation_id", "at", "rep", "route", "taken_from", "turn")]
    order = (assignment.c.at, assignment.c.turn, assignment.c.escalation_id)
    return rows(season.world.app.engine, select(*columns).order_by(*order))


def business_days(start: datetime, end: datetime) -> int:
    """Working days that begin between the two."""
    span = range((end.date() - start.date()).days)
    return sum((start.date() + timedelta(days=n + 1)).weekday() < 5 for n in span)


def test_every_habit_was_lived(season: Season) -> None:
    team = {rep.name for rep in season.world.app.playbook.sales.team}
    states = Counter(row.state for row in handovers(season))

    assert {"accepted", "rejected"} <= set(states), states
    assert any(row.taken_from for row in given(season))
    if season.days == QUARTER:
        assert {row.rep for row in given(season)} >= team
        assert {"won", "lost", "lapsed"} <= set(states), states
        assert season.mornings


def test_no_night_breaks_an_invariant_and_nobody_is_stranded(season: Season) -> None:
    assert season.faults == []


def test_nobody_is_with_sales_for_long_without_an_answer(season: Season) -> None:
    after = timedelta(microseconds=season.world.app.playbook.sales.no_answer.after)
    for row in handovers(season):
        answers = season.answers.get(row.id, [])
        for asked in (row.opened_at, *mornings(season, row.id)):
            ends = [at for at in (*answers, row.closed_at, season.world.now) if at and at >= asked]
            waited = min(ends, default=asked) - asked
            # A clock that runs out on a Saturday is looked at on Monday.
            assert waited <= after + timedelta(days=3), row
            assert business_days(asked, asked + waited) <= 14, row


def mornings(season: Season, number: int) -> Iterator[datetime]:
    """When a hand-over came back as it was put off; not where a raised hand and an answer came before that."""
    answers = season.answers.get(number, [])
    for said, morning in season.mornings.get(number, []):
        if not any(said < at < morning for at in answers):
            yield morning


def test_no_limit_is_passed(season: Season) -> None:
    office, sales = season.world.office, season.world.app.playbook.sales
    limits = {rep.name: rep for rep in sales.team}
    a_day = Counter((row.rep, row.at.astimezone(office).date()) for row in given(season))
    for (name, day), n in a_day.items():
        most_a_day = limits[name].per_day if name in limits else None
        assert most_a_day is None or n <= most_a_day, (name, day, n)
    for name, most in most_open(season).items():
        most_at_once = limits[name].open if name in limits else None
        assert most_at_once is None or most <= most_at_once, (name, most)


def most_open(season: Season) -> Counter[str]:
    """How many each had open at once, at most."""
    changes: list[tuple[datetime, int, str]] = []
    holder: dict[int, str] = {}
    for row in given(season):
        changes.append((row.at, 1, row.rep))
        if row.escalation_id in holder:
            changes.append((row.at, -1, holder[row.escalation_id]))
        holder[row.escalation_id] = row.rep
    changes += [(row.closed_at, -1, row.rep) for row in handovers(season) if row.closed_at]
    now, most = Counter[str](), Counter[str]()
    for _at, step, name in sorted(changes):
        now[name] += step
        most[name] = max(most[name], now[name])
    return most


def test_whoever_is_away_is_given_nothing(season: Season) -> None:
    office = season.world.office
    away = {
        (rep.name, absence.start, absence.end) for rep in season.world.app.playbook.sales.team for absence in rep.away
    }
    for row in given(season):
        day = f"{row.at.astimezone(office):%Y-%m-%d}"
        assert not any(name == row.rep and start <= day <= end for name, start, end in away), row


def test_three_whom_nothing_tells_apart_are_never_two_apart(season: Season) -> None:
    turns = Counter(dict.fromkeys(TRIO, 0))
    for row in given(season):
        if row.rep in TRIO and row.taken_from is None and row.route != "known-company":
            turns[row.rep] += 1
            assert max(turns.values()) - min(turns.values()) <= 1, turns
    assert sum(turns.values()) > len(TRIO)


def test_no_company_is_called_twice_in_a_week_but_by_a_raised_hand(season: Season) -> None:
    sales = season.world.app.playbook.sales
    calls: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in handovers(season):
        if row.account_id is not None:
            calls[row.account_id].append(row)
    for company in calls.values():
        for before, after in pairwise(company):
            soon = micros(after.opened_at) - micros(before.opened_at) < 7 * DAY
            assert not soon or after.rule in sales.again_unless, (before.rule, after.rule)
    assert season.days < QUARTER or any(len(company) > 1 for company in calls.values())


def test_nobody_gets_an_email_twice(season: Season) -> None:
    received = select(message.c.lead_id, message.c.email).where(message.c.state.in_(COUNTS_AS_RECEIVED))
    counted = Counter((row.lead_id, row.email) for row in rows(season.world.app.engine, received))

    assert counted
    assert [key for key, n in counted.items() if n > 1] == []


def test_a_sale_is_won_once_whoever_told_it(season: Season) -> None:
    told = select(event.c.lead_id, event_key.c.source).join(event_key, event_key.c.event_id == event.c.id)
    won = Counter(row.lead_id for row in rows(season.world.app.engine, told.where(event.c.kind == "deal_won")))

    assert [lead_id for lead_id, n in won.items() if n > 1] == []


def test_back_and_forward_again_strands_nobody_and_repeats_nothing(season: Season) -> None:
    if season.days < QUARTER:
        pytest.skip("a month must pass before anybody goes back")
    changes = rows(season.world.app.engine, select(stage_change).order_by(stage_change.c.lead_id, stage_change.c.at))
    ways: dict[int, list[str]] = defaultdict(list)
    for row in changes:
        ways[row.lead_id].append(row.after)
    again = [lead_id for lead_id, way in ways.items() if "discovery" in way and way[-1] != "discovery"]
    people = rows(season.world.app.engine, select(lead.c.id))

    # Every night's invariants and everybody's emails are looked at above; here, that there was something to see.
    assert len(again) >= 5, Counter(tuple(way) for way in ways.values())
    assert len(people) == len(season.world.people)


def test_the_season_was_as_long_as_it_says(season: Season) -> None:
    last: date = season.world.now.date()
    assert (last - min(row.opened_at for row in handovers(season)).date()).days >= season.days - 8
