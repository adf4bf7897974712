"""`choose` shows what the nightly choice does: the same winner from as many, for whoever, on both databases."""

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from leadflow.app.choosing import choose
from leadflow.ask.choose import Choosing
from leadflow.ask.choose_step import step_called
from leadflow.ask.coverage import Cell, Count, cover
from leadflow.ask.shelf import candidates
from leadflow.conditions.tree import FieldLeaf
from leadflow.email.catalog import Email
from leadflow.errors import UsageError
from leadflow.models import decision, message
from leadflow.pipeline.catalogue import has_bits
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook
from leadflow.steps.email import EmailStep
from leadflow.testing import World, open_world
from tests.pipeline.nurture_world import WAIT, email, sequence

#: A Monday, 04:15 in Paris.
NIGHT = datetime(2026, 3, 2, 3, 15, tzinfo=UTC)
STAGES = ("discovery", "evaluation", "decision")
SOMETHING = {"fr": frozenset({"lead.first_name"}), "en": frozenset({"lead.employees", "company.name"})}
FRENCH = FieldLeaf(field="country", operator="in", value=("FR",))


def _some(chance: random.Random, words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(chance.sample(words, chance.randint(1, 2))) if chance.random() < 0.4 else ()


def _email(chance: random.Random, name: str, segments: tuple[str, ...]) -> Email:
    return email(
        name,
        rank=chance.choice((50, 60)),
        stage=_some(chance, STAGES),
        segments=_some(chance, segments),
        fit=_some(chance, tuple("ABCD")),
        engagement=_some(chance, tuple("1234")),
        languages=_some(chance, ("fr", "en")),
        written_in=chance.choice((("fr",), ("en",), ("fr", "en"), ("fr", "en"))),
        needs=SOMETHING if chance.random() < 0.2 else {},
        when=FRENCH if chance.random() < 0.2 else None,
    )


@pytest.fixture(scope="module")
def rules() -> Playbook:
    """The shipped rules with emails for anybody and nobody, and two choices a stage."""
    shipped = load_playbook(Path(__file__).parents[2])
    chance = random.Random(5)
    emails = [_email(chance, f"mail-{number}", shipped.segment_order) for number in range(16)]
    stages = {name: FieldLeaf(field="stage", operator="is", value=name) for name in STAGES}
    asked = [
        sequence(
            name,
            steps=[EmailStep(name="one", best_for=name), EmailStep(name=f"two-{name}", best_for=name), WAIT],
            enter=enter,
        )
        for name, enter in stages.items()
    ]
    named = {one.name: one for one in emails}
    return replace(shipped, emails=named, sequences=tuple(sorted(asked, key=lambda one: one.name)))


def _fields(chance: random.Random) -> Mapping[str, str]:
    known = {
        "language": chance.choice(("fr", "en", "fr-be", "de", "")),
        "country": chance.choice(("FR", "BE", "GB")),
        "industry": chance.choice(("manufacturing", "retail", "professional_services", "")),
        "employees": chance.choice(("", "8", "62", "400")),
        "role": chance.choice(("decides", "recommends", "")),
        "project": chance.choice(("redesign", "new_site", "none", "")),
        "first_name": chance.choice(("Claire", "")),
        "company": chance.choice(("Vannes", "")),
    }
    return {name: value for name, value in known.items() if value}


@pytest.fixture
def world(engine: Engine, rules: Playbook) -> World:
    """People of all sorts after a night."""
    chance = random.Random(7)
    world = open_world(engine, rules, NIGHT - timedelta(hours=16))
    for number in range(24):
        world.arrive(f"p{number}", _fields(chance))
        for _visit in range(chance.randint(0, 3)):
            world.act(f"p{number}", "page_viewed", path=chance.choice(("/tarifs", "/blog")))
        if chance.random() < 0.3:
            world.act(f"p{number}", "content_downloaded", asset="guide")
    world.now = NIGHT
    world.sweep()
    return world


def _planned(world: World) -> Mapping[int, tuple[str, str | None, int]]:
    """Lead → (step, email, number it was chosen from) as the sweep now decided; no email where none was left."""
    with Session(world.app.engine) as session:
        rows = session.execute(select(message).where(message.c.planned_at == world.now)).mappings().all()
        found = {r["lead_id"]: (f"{r['sequence']}/{r['step']}", r["email"], r["chosen"]["candidates"]) for r in rows}
        skipped = select(decision.c.lead_id, decision.c.subject).where(
            decision.c.at == world.now, decision.c.kind == "skip", decision.c.reason == "no_mail_left"
        )
        return {row.lead_id: (row.subject, None, 0) for row in session.execute(skipped)} | found


def _asked(world: World, lead_id: int, step: str | None = None, **about: Any) -> Choosing:
    return choose(world.app, f"L-{lead_id:04}", step, about.get("at", world.now), now=world.now)


def _compare(world: World) -> int:
    """Every choice of the sweep now is shown; how many emails were chosen among several."""
    decided = _planned(world)
    for lead_id, (step, name, among) in decided.items():
        found = _asked(world, lead_id, step)
        assert (found.winner and found.winner.email.name, len(found.fitting)) == (name, among), (lead_id, step)
    return sum(among > 1 for _step, _name, among in decided.values())


def test_the_winner_shown_is_the_one_the_sweep_plans_night_after_night(world: World) -> None:
    assert _compare(world) > 8
    _compare_after(world)
    with world.app.engine.begin() as connection:
        connection.execute(update(message).values(state="accepted", sent_at=NIGHT + timedelta(hours=6)))
    world.now = NIGHT + timedelta(days=7)
    world.sweep()
    assert _compare(world) > 4
    _compare_coverage(world)


def _compare_coverage(world: World) -> None:
    """The grid counts the same emails, person by person, as `choose` would show right after the sweep."""
    playbook, after = world.app.playbook, world.now + timedelta(microseconds=1)
    expected: dict[Cell, Count] = {}
    for lead_id in world.people.values():
        found = _asked(world, lead_id, at=after)
        if found.blocked is None:
            reader = found.reader
            tag = str(reader.person.fields["language"] or "fr").partition("-")[0]
            cell = Cell("en" if tag == "en" else "fr", reader.main or "", reader.stage, reader.band)
            left = len(candidates(playbook, reader, reader.stage))
            expected.setdefault(cell, Count()).add(left, 1)
    with Session(world.app.engine) as session:
        grid = cover(session, playbook, after, has=has_bits(playbook)).cells
    assert {cell: replace(count, mails=0) for cell, count in grid.items() if count.people} == expected


def _compare_after(world: World) -> None:
    """Right after a sweep what it planned counts as received, and the next step is asked about."""
    lead_id, (step, name, _among) = next(item for item in _planned(world).items() if item[1][1])
    then, after = _asked(world, lead_id), _asked(world, lead_id, at=world.now + timedelta(hours=1))
    assert then.asking is not None
    assert after.asking is not None
    stage = step.partition("/")[0]
    assert (then.asking.name, after.asking.name) == (step, f"{stage}/two-{stage}")
    (mail,) = [one for one in after.candidates if one.email.name == name]
    assert [mark.key for mark in mail.marks if not mark.holds] == ["received"]
    assert mail.again_from is not None
    assert mail.again_from - (mail.had or NIGHT) == timedelta(days=365)


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("two-decisions", "no step is called two-decisions. Did you mean two-decision?"),
        ("decison/one", "no sequence is called decison. Did you mean decision?"),
        ("wait", "step wait sends no email. One of: one, two-decision, two-discovery, two-evaluation"),
        ("one", "one is a step of several sequences: write one of decision/one, discovery/one, evaluation/one"),
    ],
)
def test_a_step_nobody_knows_is_told_with_the_nearest_right_word(rules: Playbook, word: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        step_called(rules, word)
    assert str(caught.value) == told


def _one(rules: Playbook, sqlite_url: str, *emails: Email) -> Choosing:
    from leadflow.db import make_engine

    engine = make_engine(sqlite_url)
    mine = replace(rules, emails=MappingProxyType({one.name: one for one in emails}), sequences=())
    world = open_world(engine, mine, NIGHT)
    world.arrive("claire", {"language": "fr", "country": "FR"})
    found = choose(world.app, "claire@claire.example", None, NIGHT, now=NIGHT)
    engine.dispose()
    return found


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ({"rank": 60}, {}, "rank 60, before b with 50"),
        ({"fit": ("D",)}, {}, "of the same rank as b, and its for is narrower: 1 key, not 0"),
        ({"fit": ("D",)}, {"fit": ("C", "D")}, "of the same rank as b, and its for lists fewer values"),
        ({}, {}, "nothing tells it from b but the name: give one of them a higher rank"),
    ],
)
def test_what_made_the_winner_win_is_said(
    rules: Playbook, sqlite_url: str, first: dict[str, Any], second: dict[str, Any], why: str
) -> None:
    found = _one(rules, sqlite_url, email("a", **first), email("b", **second))
    assert found.winner is not None
    assert (found.winner.email.name, found.why) == ("a", why)
    assert found.asking is None
