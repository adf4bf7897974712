"""What `why` says about hand-overs, mails, the record and what comes next."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from leadflow.app import plan
from leadflow.ask.next_mail import would_get
from leadflow.ask.why import Answer, why
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook
from leadflow.testing import World, open_world
from leadflow.types import Leads

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
    with Session(world.app.engine) as session:
        return why(session, world.app.playbook, world.address("claire"), at, now=world.now)


def section(answer: Answer, title: str) -> str:
    return "\n".join(line for one in answer.sections if one.title == title for line in one.lines)


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
    assert "on 2026-03-03 04:15, A2 then:" in told
    assert "✓ viewed a page [path /tarifs*, /en/pricing*]: 2 times in 7 days" in told
    assert "not answered yet" in told
    assert "first block: with sales" in section(asked(world), "NEXT MAIL")


def test_later_acts_do_not_change_the_evidence_and_answers_do_not_go_back_in_time(world: World) -> None:
    world.live_until(FIRST + timedelta(hours=12))
    turn_hot(world)
    world.live_until(FIRST + timedelta(days=1, hours=6))
    world.answer("claire", "reject", reason="no_budget")
    world.live_until(FIRST + timedelta(days=3))
    before, after = asked(world, FIRST + timedelta(days=1)), asked(world)
    assert "not answered yet" in section(before, "WHY SALES")
    assert "rejected 2026-03-03 10:15 (no_budget)" in section(after, "WHY SALES")
    assert "2 times in 7 days" in section(after, "WHY SALES")
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
    assert "accepted, delivered, clicked (human) 2026-03-02" in now
    assert section(asked(world, FIRST), "MAILS") == planned


def test_of_a_past_night_its_decisions_are_told_and_no_next_mail(world: World) -> None:
    world.live_until(FIRST + timedelta(days=4))
    told = asked(world, FIRST)
    assert "decided at that sweep:" in section(told, "THAT NIGHT")
    assert "evaluation/proof-1: faq-budget planned in fr for 2026-03-02" in section(told, "THAT NIGHT")
    assert section(told, "NEXT MAIL") == ""
    assert told.lifts is None


def test_when_a_wait_is_over_the_mail_tried_in_advance_is_the_one_that_comes(world: World) -> None:
    world.live_until(FIRST + timedelta(days=1))
    answer = asked(world)
    assert answer.lifts is not None
    night = answer.lifts.astimezone(PARIS).replace(hour=4, minute=15)
    said = plan(
        world.app,
        night,
        lambda session, _done: would_get(session, world.app.playbook, answer.lead_id, night),
        Leads((answer.lead_id,)),
    )
    world.live_until(night)
    email = said.split(": ")[1].split(" ")[0]
    assert f"→ {email} leaves on {said.rpartition(' on ')[2]}" in section(asked(world), "NEXT MAIL")


def test_whoever_unsubscribed_is_told_since_when(world: World) -> None:
    world.live_until(FIRST + timedelta(hours=12))
    world.unsubscribe("claire")
    world.live_until(FIRST + timedelta(days=1))
    told = section(asked(world), "NEXT MAIL")
    assert "✗ first block: unsubscribed" in told
    assert "never lifts by itself; so since 2026-03-02" in told
    assert "✓ subscribed" not in told


def test_acts_that_no_sweep_has_seen_are_announced_not_counted(world: World) -> None:
    turn_hot(world)
    world.live_until(FIRST + timedelta(hours=1))
    told = asked(world)
    assert "WHY ENGAGEMENT 0 → 4" in told.scores[1].title
    world.sweep()
    assert asked(world).scores[1].title != told.scores[1].title
