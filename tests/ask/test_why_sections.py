"""What `why` says about hand-overs, mails, the record and what comes next."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from leadflow.app import why
from leadflow.ask.why import Answer
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook
from leadflow.testing import World, open_world

PARIS = ZoneInfo("Europe/Paris")
#: A Monday.
FIRST = datetime(2026, 3, 2, 4, 15, tzinfo=PARIS)
MAKER = {
    "first_name": "Claire",
    "language": "fr",
    "country": "FR",
    "industry": "manufacturing",
    "employees": "62",
    "role": "decides",
    "project": "redesign",
}


@pytest.fixture(scope="module")
def example() -> Playbook:
    """The shipped rules."""
    return load_playbook(Path(__file__).parents[2])


@pytest.fixture
def world(sqlite_url: str, example: Playbook) -> World:
    """Claire, known since Sunday noon; nights and deliveries run by themselves."""
    from leadflow.db import make_engine

    engine: Engine = make_engine(sqlite_url)
    world = open_world(engine, example, FIRST - timedelta(hours=16))
    world.arrive("claire", MAKER)
    world.live_until(FIRST)
    return world


def asked(world: World, at: datetime | None = None) -> Answer:
    return why(world.app, world.address("claire"), at, now=world.now)


def section(answer: Answer, title: str) -> str:
    return "\n".join(
        line for one in (*answer.sections, answer.next_section) if one.title == title for line in one.lines
    )


def turn_hot(world: World) -> None:
    world.act("claire", "content_downloaded", asset="guide")
    world.act("claire", "webinar_attended", topic="seo")
    for minutes in (30, 10):
        world.act("claire", "page_viewed", at=world.now - timedelta(minutes=minutes), path="/tarifs")


def test_a_hand_over_is_told_with_the_evidence_of_its_night(world: World) -> None:
    world.live_until(FIRST + timedelta(hours=12))
    turn_hot(world)
    world.live_until(FIRST + timedelta(days=1))
    told = section(asked(world), "WHY SALES")
    assert "hot-profile, 3 March 04:15, A2 then:" in told
    assert "✓ 2 visits to /tarifs, /en/pricing in 7 days" in told
    assert "not answered yet" in told
    assert "✗ with sales: since 3 March, " in section(asked(world), "NEXT MAIL")


def test_later_acts_do_not_change_the_evidence_and_answers_do_not_go_back_in_time(world: World) -> None:
    world.live_until(FIRST + timedelta(hours=12))
    turn_hot(world)
    world.live_until(FIRST + timedelta(days=1, hours=6))
    world.answer("claire", "reject", reason="no_budget")
    world.live_until(FIRST + timedelta(days=3))
    before, after = asked(world, FIRST + timedelta(days=1)), asked(world)
    assert "not answered yet" in section(before, "WHY SALES")
    assert "rejected 3 March 10:15 (no_budget)" in section(after, "WHY SALES")
    assert "2 visits to /tarifs, /en/pricing in 7 days" in section(after, "WHY SALES")
    assert "handed over to" in section(before, "DECISIONS")


def test_a_mail_is_told_with_what_was_known_of_it_then(world: World) -> None:
    planned = section(asked(world), "MAILS")
    world.live_until(FIRST + timedelta(hours=12))
    world.provider_says("claire", "delivered")
    world.now += timedelta(minutes=1)
    world.click("claire")
    world.live_until(FIRST + timedelta(days=1))
    now = section(asked(world), "MAILS")
    assert "planned" in planned
    assert "accepted, delivered, clicked (human) on 2 March" in now
    assert section(asked(world, FIRST), "MAILS") == planned


def test_of_a_past_night_its_decisions_are_told_and_no_next_mail(world: World) -> None:
    world.live_until(FIRST + timedelta(days=4))
    told = asked(world, FIRST)
    assert "decided at that sweep:" in section(told, "THAT NIGHT")
    assert "evaluation/proof-1: faq-budget planned in fr for 2 March" in section(told, "THAT NIGHT")
    assert section(told, "NEXT MAIL") == ""
    assert told.block is None


def test_when_a_wait_is_over_the_mail_tried_in_advance_is_the_one_that_comes(world: World) -> None:
    world.live_until(FIRST + timedelta(days=1))
    answer = asked(world)
    assert answer.block is not None
    assert answer.block.lifts_at is not None
    assert answer.then is not None
    email, when = answer.then.removeprefix("would then get ").split(" ", 1)
    world.live_until(answer.block.lifts_at.astimezone(PARIS).replace(hour=4, minute=15))
    assert f"→ {email} leaves {when}" in section(asked(world), "NEXT MAIL")


def test_whoever_unsubscribed_is_told_since_when(world: World) -> None:
    world.live_until(FIRST + timedelta(hours=12))
    world.unsubscribe("claire")
    world.live_until(FIRST + timedelta(days=1))
    told = section(asked(world), "NEXT MAIL")
    assert "✗ unsubscribed: since 2 March" in told
    assert "never lifts by itself; nothing leaves any more" in told
    assert "✓ subscribed" not in told


def test_acts_that_no_sweep_has_seen_are_announced_not_counted(world: World) -> None:
    turn_hot(world)
    world.live_until(FIRST + timedelta(hours=1))
    told = asked(world)
    assert "WHY ENGAGEMENT 0 → 4" in told.scores[1].title
    world.sweep()
    assert asked(world).scores[1].title != told.scores[1].title
