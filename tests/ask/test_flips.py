"""What `why` says it takes is enough: done through the real doors, the next sweep decides the other way."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from leadflow.ask.flips import Flip, smallest
from leadflow.ask.person import subject_at, unspent
from leadflow.ask.scores import score_person
from leadflow.ask.why import view_of, why
from leadflow.conditions.flip import Acts, Points, Value
from leadflow.conditions.tree import Condition, FieldLeaf
from leadflow.models import escalation, lead_score, lead_state, membership
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook
from leadflow.testing import World, open_world
from tests.soak import ON_ONE_DATABASE

PARIS = ZoneInfo("Europe/Paris")
NIGHT = datetime(2026, 3, 3, 4, 15, tzinfo=PARIS)


@pytest.fixture(scope="module")
def example() -> Playbook:
    """The shipped rules."""
    return load_playbook(Path(__file__).parents[2])


@pytest.fixture
def world(engine: Engine, example: Playbook) -> World:
    """Five people, each one step short of something; one night has looked at them."""
    world = open_world(engine, example, NIGHT - timedelta(hours=16))
    world.arrive("warm", {"language": "fr", "country": "FR"})
    world.arrive("maker", {"language": "fr", "country": "FR", "employees": "62"})
    world.arrive("hot", {"country": "FR", "employees": "62", "industry": "manufacturing", "role": "decides"})
    world.arrive(
        "asks", {"country": "FR", "employees": "62", "industry": "retail", "project": "seo", "role": "decides"}
    )
    world.arrive("fits", {"country": "FR", "employees": "62", "role": "decides"})
    for who, kind, times, details in (
        ("warm", "page_viewed", 2, {"path": "/tarifs"}),
        ("warm", "content_downloaded", 1, {"asset": "guide"}),
        ("hot", "page_viewed", 1, {"path": "/tarifs"}),
        ("hot", "content_downloaded", 3, {"asset": "guide"}),
        ("hot", "email_replied", 1, {}),
    ):
        for n in range(times):
            world.act(who, kind, at=world.now - timedelta(minutes=n + 1), **details)
    world.live_until(NIGHT + timedelta(hours=1))
    return world


def found(world: World, who: str, condition: Condition) -> list[Flip]:
    playbook = world.app.playbook
    with Session(world.app.engine) as session:
        assert world.swept is not None
        subject = subject_at(session, playbook, world.people[who], world.swept)
        view = view_of(playbook, subject.at)
        scored = score_person(session, playbook, subject, view)
        return smallest(playbook, unspent(scored.person, subject), condition, view)


def do(world: World, who: str, flip: Flip) -> None:
    """What the flip says, as people do it and forms tell it; points as papers worth ten each."""
    for change in flip.way:
        match change:
            case Acts():
                for _again in range(change.times):
                    details = dict(change.act.properties) | ({"path": change.act.path} if change.act.path else {})
                    world.act(who, change.act.kind, at=world.now - timedelta(minutes=1), **details)
            case Value():
                world.change(who, {change.leaf.field: str(change.value)})
            case Points(field="engagement"):
                for _again in range(-(-change.by // 1_000)):
                    world.act(who, "content_downloaded", at=world.now - timedelta(minutes=1), asset="more")
            case other:
                raise AssertionError(other)
    world.now += timedelta(minutes=1)
    world.sweep()


def state(world: World, who: str) -> dict[str, object]:
    with Session(world.app.engine) as session:
        mine = lead_state.c.lead_id == world.people[who]
        row = session.execute(select(lead_state).where(mine)).mappings().one()
        inside = select(membership.c.segment).where(membership.c.lead_id == world.people[who])
        rule = select(escalation.c.rule).where(escalation.c.lead_id == world.people[who])
        band = select(lead_score.c.band).where(lead_score.c.lead_id == world.people[who])
        return {
            "stage": row["stage"],
            "lifecycle": row["lifecycle"],
            "segments": list(session.scalars(inside.where(membership.c.left_at.is_(None)))),
            "rule": session.scalar(rule),
            "band": session.scalar(band),
        }


Ask = Callable[[Playbook], Condition]
CASES: dict[str, tuple[str, Ask, str, object]] = {
    "a stage": ("warm", lambda book: book.journey.stages[1].when, "stage", "evaluation"),  # type: ignore[dict-item, return-value]
    "a segment": ("maker", lambda book: book.segments["manufacturers"].when, "segments", ["manufacturers"]),
    "a hot rule": ("hot", lambda book: book.sales.hot[1].when, "rule", "hot-profile"),
    "a prospect": ("asks", lambda book: book.journey.lifecycle.prospect_when, "lifecycle", "prospect"),  # type: ignore[dict-item, return-value]
    "a band": ("fits", lambda _book: FieldLeaf(field="band", operator="in", value=("A3", "B3")), "band", "B3"),
}


def test_each_is_turned_over_by_the_least_that_is_named(world: World) -> None:
    for name, (who, ask, column, wanted) in CASES.items():
        before = state(world, who)[column]
        flips = found(world, who, ask(world.app.playbook))
        assert flips, name
        assert before != wanted, name
        do(world, who, flips[0])
        assert state(world, who)[column] == wanted, (name, flips[0].words)


@ON_ONE_DATABASE
def test_points_are_said_with_the_act_that_brings_them(world: World) -> None:
    when = world.app.playbook.journey.stages[1].when
    assert when is not None
    points, act = (flip.words for flip in found(world, "warm", when))
    assert points.endswith("points of engagement")
    assert act == "1 more visit to /tarifs, /en/pricing"


@ON_ONE_DATABASE
def test_the_act_alone_is_enough_as_well(world: World) -> None:
    when = world.app.playbook.journey.stages[1].when
    assert when is not None
    do(world, "warm", found(world, "warm", when)[1])
    assert state(world, "warm")["stage"] == "evaluation"


@ON_ONE_DATABASE
def test_the_next_band_is_said_to_take_points_or_an_answer_that_brings_them(world: World) -> None:
    with Session(world.app.engine) as session:
        told = why(session, world.app.playbook, world.address("maker"), None, now=world.now).scores[0].lines[-1]
    assert told == "band B takes: 15 points of fit, or role is decides"
    # Another fifteen points for the company would stop at its group's 45.
    world.change("maker", {"role": "decides"})
    world.now += timedelta(minutes=1)
    world.sweep()
    assert state(world, "maker")["band"] == "B4"
