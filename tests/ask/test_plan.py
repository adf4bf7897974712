"""The rehearsal of a night: it writes nothing, and the night that follows does what it said."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from leadflow.app import foresight, plan
from leadflow.ask.plan import Plan, PlannedEmail, planned_mails
from leadflow.models import message, metadata
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook
from leadflow.testing import World, open_world

BEGIN = datetime(2026, 3, 2, 3, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def example() -> Playbook:
    """The shipped rules."""
    return load_playbook(Path(__file__).parents[2])


@pytest.fixture
def world(engine: Engine, example: Playbook) -> World:
    """Twelve people after a night, one of them with news that no sweep has seen."""
    world = open_world(engine, example, BEGIN)
    for number in range(12):
        world.arrive(f"p{number}", {"language": "fr" if number % 3 else "en", "country": "FR"})
    world.arrive("unlawful", {"basis": ""})
    world.live_until(BEGIN + timedelta(hours=12))
    world.arrive("late", {"language": "en"})
    world.act("late", "page_viewed", path="/tarifs")
    world.now += timedelta(hours=1)
    return world


def rows(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with engine.connect() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


def rehearsed(world: World, now: datetime) -> Plan:
    return plan(world.app, now, lambda session, _outcomes: planned_mails(session, world.app.playbook, now))


def test_a_plan_changes_no_row_of_any_table(world: World, engine: Engine) -> None:
    before = rows(engine)
    assert rehearsed(world, world.now).tonight.mailed
    assert rehearsed(world, world.now + timedelta(days=6)).tonight.people == 14
    assert rows(engine) == before


def test_the_night_plans_what_its_rehearsal_said(world: World) -> None:
    said = rehearsed(world, world.now)
    world.sweep()
    with Session(world.app.engine) as session:
        lived = planned_mails(session, world.app.playbook, world.now)
        query = select(message.c.email, message.c.language).where(message.c.planned_at == world.now)
        counted = Counter((row.email, row.language) for row in session.execute(query))
    assert said == lived
    assert counted == {(line.email, language): n for line in said.lines for language, n in line.by_language.items()}


def test_totals_add_up_by_language_and_in_all(world: World) -> None:
    said = rehearsed(world, world.now)
    assert sum(said.totals) == sum(line.total for line in said.lines) == said.tonight.mailed
    assert said.tonight.mailed + sum(said.tonight.skipped.values()) == said.tonight.people == 14


def test_hours_name_the_day_only_where_a_plan_spans_two() -> None:
    nine = datetime(2026, 3, 24, 9, tzinfo=UTC)
    line = {"email": "welcome", "by_language": {"fr": 2}, "first": nine}
    assert PlannedEmail(**line, last=nine.replace(hour=12)).hours == "Tue 09:00–12:00"  # type: ignore[arg-type]
    assert PlannedEmail(**line, last=nine + timedelta(days=1)).hours == "Tue 09:00–Wed 09:00"  # type: ignore[arg-type]


def test_a_plan_says_what_stands_beside_the_mails(world: World) -> None:
    world.act("late", "quote_requested")
    world.now += timedelta(minutes=1)
    found = foresight(world.app, world.now)
    assert sum(found.by_stage.values()) == sum(found.plan.totals)
    assert found.usual is None
    (share,) = found.sales
    assert (share.given, share.today, share.limit) == (1, 1, {"Inès": 5, "Sofia": 6}[share.rep])


def test_a_night_to_come_is_seen_after_the_ones_before_it(world: World, engine: Engine) -> None:
    world.sweep()
    before = rows(engine)
    friday = BEGIN + timedelta(days=4)
    at_once, lived = (foresight(world.app, friday, ahead=ahead).plan for ahead in (False, True))
    # The first mails leave meanwhile, and the second ones are due.
    assert (at_once.tonight.mailed, lived.tonight.mailed > 0) == (0, True)
    assert "welcome" not in {line.email for line in lived.lines}
    assert rows(engine) == before
