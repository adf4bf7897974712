"""What `why` says about hand-overs, mails, the record and what comes next."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, insert

from leadflow.app import pause, why
from leadflow.ask.why import Answer
from leadflow.models import hold
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
    assert "evaluation/proof-1: manufacturers-engineers-time planned in fr for 2 March" in section(told, "THAT NIGHT")
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


def test_what_somebody_paused_is_named_with_who_and_since_when_and_what_leaves_once_it_is_resumed(world: World) -> None:
    pause(world.app, world.now, kind="all", by="Camille")
    world.live_until(FIRST + timedelta(hours=12))
    lines = asked(world).nothing.lines
    assert "✗ paused: leadflow pause --all, since Mon 2 March at 04:15, Camille" in lines
    assert any("→ lifts with leadflow resume --all; would then get manufacturers-" in line for line in lines)


def test_a_night_that_the_brake_holds_is_said_to_wait_for_somebody(world: World) -> None:
    row = {"at": FIRST, "night": "2026-03-02", "rule": "sends_over", "what": "mails", "mails": 1, "handovers": 0}
    with world.app.engine.begin() as connection:
        connection.execute(insert(hold), row)
    told = asked(world).nothing.lines[-1]
    assert told.endswith("was planned on Mon 2 March; the brake holds that night until leadflow approve")


def test_of_what_did_not_leave_all_is_told_when_and_why(world: World) -> None:
    world.live_until(FIRST + timedelta(hours=1))
    turn_hot(world)
    world.live_until(FIRST + timedelta(hours=2))
    world.sweep()
    told = section(asked(world), "MAILS")
    assert "NOT SENT: planned on 2 March for " in told
    assert ", cancelled 2 March 06:15, reason: with sales" in told


def test_what_was_chosen_is_told_with_its_marks_and_what_was_left_aside(world: World) -> None:
    world.arrive("luc", {"first_name": "Luc", "language": "fr", "country": "FR"})
    world.live_until(FIRST + timedelta(days=5))
    told = section(why(world.app, world.address("luc"), None, now=world.now), "MAILS")
    assert "chosen from 2: for discovery ✓ engagement 4 ✓ fr ✓, rank 60; then what-buyers-search 50" in told


def test_of_a_stage_that_was_reached_the_evidence_of_its_night_stays(world: World) -> None:
    told = section(asked(world), "WHY EVALUATION")
    assert "since 2 March, from discovery: A4 then, fit 90, engagement 0" in told
    assert "✓ project is redesign" in told
    assert "it takes: 1 × “asked for a quote / asked for a demo / booked a meeting”" in told


def test_answers_are_told_with_their_source_and_date_and_the_others_as_questions(world: World) -> None:
    told = section(asked(world), "QUALIFIED 3/5")
    assert "profile ✓ 90   project ✓ redesign (import, 1 March)   budget ? not asked yet" in told


def test_what_a_hand_over_lacks_is_told_of_each_rule(world: World) -> None:
    told = section(asked(world), "WHY NOT SALES")
    assert "✗ hot-profile: band: A4 is none of A1, A2, B1; velocity: 0 is less than 15; it takes: " in told
    assert "2 more visits to /tarifs, /en/pricing" in told


def test_somebody_whom_no_night_has_seen_is_told_so_and_what_the_next_one_plans(world: World) -> None:
    world.live_until(FIRST + timedelta(hours=12))
    world.arrive("luc", {"first_name": "Luc", "language": "fr", "country": "FR"})
    lines = why(world.app, world.address("luc"), None, now=world.now).nothing.lines
    assert lines[-2] == "✗ in no sequence: no night has looked at them yet"
    assert lines[-1].startswith("→ the next sweep goes on; would then get welcome Tue 3 March at ")
