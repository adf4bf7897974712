"""The night's roll-up: every number in it is found again by counting rows."""

import re
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from leadflow.ask.summary import nightly_summary
from leadflow.ask.words import reason_words
from leadflow.models import enrolment, escalation, identity, lead, message
from leadflow.types import Outcome, Phase, Reason
from tests.build import NIGHT
from tests.pipeline.nurture_world import World, book


@pytest.fixture
def world(session: Session) -> World:
    """Ten people after two nights: some mailed before, one without basis, one with sales, one late answer."""
    world = World(session, book())
    for number in range(1, 8):
        world.lead(number, language="en" if number % 2 else "fr")
    world.sweep()
    world.lead(8, basis=None)
    world.lead(9, state={"with_sales": True})
    world.lead(10)
    waits = {"number": 1, "rule": "hot", "route": "r", "playbook": "p", "due_at": NIGHT + timedelta(hours=9)}
    rows = [{"lead_id": 9, "rep": "Marc", "opened_at": NIGHT}, {"lead_id": 8, "rep": "Inès", "opened_at": NIGHT}]
    session.execute(insert(escalation), [waits | row for row in rows])
    session.execute(update(escalation).where(escalation.c.rep == "Inès").values(closed_at=NIGHT, state="rejected"))
    world.night()
    return world


def summary(world: World, *outcomes: Outcome, broken: tuple[str, ...] = ()) -> str:
    return nightly_summary(world.session, world.playbook, world.now, outcomes, broken)


def rows_of(markdown: str, first_head: str) -> list[list[str]]:
    """The cells of the table whose first heading is `first_head`."""
    block = next(block for block in markdown.split("\n\n") if block.startswith(f"| {first_head} |"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()[2:]]


def test_the_first_line_adds_up_to_everybody(world: World) -> None:
    people = world.session.query(lead.c.id).count()
    planned = world.session.query(message.c.id).filter(message.c.planned_at == world.now).count()
    first = f"{people} people · {planned} mails planned · {people - planned} without, all with a reason"
    assert (people, planned) == (10, 1)
    assert first in summary(world)
    assert f"{planned} + {people - planned} = {people}" in summary(world)


def test_the_reasons_add_up_to_those_without(world: World) -> None:
    rows = {words: int(n) for words, n in rows_of(summary(world), "why no mail")}
    assert 9 == rows.pop("total") == sum(rows.values())
    assert {"no legal basis": 1, "with sales": 1, reason_words(Reason.NOT_DUE): 7} == rows


def test_emails_are_those_planned_tonight_by_language(world: World) -> None:
    planned = Counter(
        (row.email, row.language)
        for row in world.session.execute(
            select(message.c.email, message.c.language).where(message.c.planned_at == world.now)
        )
    )
    assert {key: str(n) for key, n in planned.items()} == {
        (email, language): n for email, language, n in rows_of(summary(world), "email")
    }


def test_sequences_tell_who_is_in_them_and_how_many_mails_they_sent(world: World) -> None:
    live = world.session.query(enrolment.c.id).filter(enrolment.c.state == "active").count()
    sent = world.session.query(message.c.id).filter(message.c.state == "accepted").count()
    paused = world.session.query(enrolment.c.id).filter(enrolment.c.state == "paused").count()
    assert [["discovery", str(live), str(paused), "0", str(sent)]] == rows_of(summary(world), "sequence")
    assert sent == 7


def test_salespeople_are_told_by_what_waits_and_what_is_late(world: World) -> None:
    assert sorted(rows_of(summary(world), "salesperson")) == [["Inès", "0", "0", "0"], ["Marc", "0", "1", "1"]]


def test_phases_are_told_in_their_order(world: World) -> None:
    outcomes = (Outcome(phase=Phase.SCORE, read=10, changed=3, counts={"folded": 5, "dirty": 0}),)
    assert rows_of(summary(world, *outcomes), "phase") == [["score", "10", "3", "folded 5"]]


def test_a_broken_rule_stands_at_the_top(world: World) -> None:
    told = summary(world, broken=("2 messages without a reason",))
    assert told.startswith("**❌ Night of")
    assert "- ❌ 2 messages without a reason" in told
    assert "1 invariants broken" in told


def test_no_address_and_no_name_is_in_it(world: World) -> None:
    world.session.execute(update(lead).values(first_name="Clotilde", last_name="Quinquaud"))
    told = summary(world)
    assert not [word for word in world.session.scalars(select(identity.c.value)) if word in told]
    assert not re.search("Clotilde|Quinquaud|@", told)
