"""`why` adds up: over random histories the shown terms, their sum and the stored score are one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from leadflow.app import run_phase
from leadflow.ask.section import Section
from leadflow.ask.why import Answer, why
from leadflow.models import lead_score, lead_state, membership
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook
from leadflow.testing import World, open_world
from leadflow.types import Leads, Phase

BEGIN = datetime(2026, 2, 2, 3, 15, tzinfo=UTC)
DECIDING = (Phase.CAPTURE, Phase.SCORE, Phase.STAGE, Phase.SEGMENT)
_names = count()

ANSWERS = (
    {"country": "FR"},
    {"country": "DE"},
    {"country": ""},
    {"employees": "2"},
    {"employees": "120"},
    {"industry": "manufacturing"},
    {"industry": "retail"},
    {"industry": ""},
    {"job_title": "directeur général"},
    {"job_title": "étudiante"},
    {"project": "redesign"},
    {"budget": "15k_40k"},
    {"company": "Vannes de la Loire"},
)
KINDS: Sequence[tuple[str, dict[str, str]]] = (
    *(("page_viewed", {"path": path}) for path in ("/", "/tarifs", "/realisations/a", "/recrutement/x")),
    ("content_downloaded", {"asset": "guide"}),
    ("webinar_attended", {"topic": "seo"}),
    ("newsletter_joined", {}),
    ("email_replied", {}),
    ("quote_requested", {}),
)
ACTS = st.tuples(st.just("act"), st.sampled_from(KINDS), st.sampled_from((0, 0, 1, 30, 400)))
CHANGES = st.tuples(st.just("change"), st.sampled_from(ANSWERS), st.just(0))
SWEEPS = st.tuples(st.just("sweep"), st.none(), st.just(0))
#: What happens, and how many hours after what was before.
MOMENTS = st.lists(st.tuples(st.integers(1, 200), st.one_of(ACTS, ACTS, ACTS, CHANGES, SWEEPS)), max_size=16)


@dataclass(frozen=True, slots=True)
class Stored:
    """What a sweep wrote about somebody."""

    at: datetime
    fit: int
    engagement: int
    band: str
    stage: str
    qualification: int
    segments: frozenset[str]


@pytest.fixture(scope="module")
def example() -> Playbook:
    """The shipped rules."""
    return load_playbook(Path(__file__).parents[2])


def sweep(world: World, lead_id: int) -> Stored:
    """Score, stage and segment one person now, and keep what was written."""
    for phase in DECIDING:
        run_phase(world.app, phase, world.now, Leads((lead_id,)))
    with Session(world.app.engine) as session:
        mine = lead_score.join(lead_state, lead_state.c.lead_id == lead_score.c.lead_id)
        row = session.execute(select(lead_score, lead_state).select_from(mine).where(lead_score.c.lead_id == lead_id))
        found: Any = row.mappings().one()
        live = (membership.c.lead_id == lead_id, membership.c.left_at.is_(None))
        inside = frozenset(session.scalars(select(membership.c.segment).where(*live)))
    return Stored(
        world.now,
        found["fit"],
        found["engagement"],
        found["band"],
        found["stage"],
        found["qualification"],
        inside,
    )


def shown(section: Section) -> tuple[list[Decimal], Decimal]:
    """The printed figures of the terms, and the printed sum."""
    figures = [line.split()[0].replace("−", "-") for line in section.lines]
    rule = next(i for i, figure in enumerate(figures) if figure.startswith("─"))
    return [Decimal(figure) for figure in figures[:rule]], Decimal(figures[rule + 1])


def check(answer: Answer, stored: Stored) -> None:
    for section, value in zip(answer.scores, (stored.fit, stored.engagement), strict=True):
        terms, total = shown(section)
        assert sum(terms) == total == Decimal(value) / 100
    sections = {section.title.split()[0]: section for section in answer.sections}
    words = answer.heading.lines[0].split(" · ")
    assert [words[1].split(" ")[0], words[2]] == [stored.stage, stored.band]
    assert f"QUALIFIED {stored.qualification}/5" in [section.title for section in answer.sections]
    named = {
        line.split("(")[1].split(")")[0]
        for line in sections["SEGMENTS"].lines
        if line[:6] not in ("none", "not in") and line[0] != " "
    }
    assert named == stored.segments


@given(moments=MOMENTS)
def test_shown_terms_are_their_sum_and_what_each_sweep_stored(
    engine: Engine, example: Playbook, moments: list[tuple[int, tuple[str, Any, int]]]
) -> None:
    world = open_world(engine, example, BEGIN)
    number = next(_names)
    # Names and ids of acts must differ between the examples that share a database.
    name, world._told = f"person{number}", number * 1000
    lead_id = world.arrive(name, {"language": "fr"})
    kept = []
    for hours, (what, detail, delay) in [*moments, (1, ("sweep", None, 0))]:
        world.now += timedelta(hours=hours)
        match what:
            case "act":
                kind, details = detail
                world.act(name, kind, at=world.now - timedelta(hours=delay), **details)
            case "change":
                world.change(name, detail)
            case _:
                kept.append(sweep(world, lead_id))
    with Session(engine) as session:
        for stored in kept:
            check(why(session, example, world.address(name), stored.at, now=world.now), stored)


def test_what_the_last_sweep_stored_is_marked_as_such(engine: Engine, example: Playbook) -> None:
    world = open_world(engine, example, BEGIN)
    world.arrive("claire", {"language": "fr", "country": "FR", "employees": "62"})
    world.act("claire", "page_viewed", at=BEGIN - timedelta(days=3), path="/tarifs")
    world.now += timedelta(days=1)
    world.sweep()
    with Session(engine) as session:
        answer = why(session, example, world.address("claire"), None, now=world.now + timedelta(days=5))
    stored = [line.split("  ")[-1] for section in answer.scores for line in section.lines if "stored" in line]
    assert stored == ["stored 35 ✓", f"stored {answer.scores[1].title.split()[2]} ✓"]
