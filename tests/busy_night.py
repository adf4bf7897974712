"""A workspace in which everything happens in one night: mails, deferrals, hand-overs, exits, pauses, stage changes."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, Row, select
from sqlalchemy.orm import Session

from leadflow.models import metadata
from leadflow.playbook.model import Playbook
from leadflow.testing import World, open_world

#: Friday; the first night is the Tuesday before.
NIGHT = datetime(2026, 3, 6, 3, 15, tzinfo=UTC)
#: The same Friday, half past ten in Paris: mails planned now leave now.
MORNING = datetime(2026, 3, 6, 9, 30, tzinfo=UTC)
#: Not in any table that a second run may change.
LOG = {"sweep"}

_SHOP = {"language": "fr", "country": "FR", "industry": "retail", "cms": "shopify", "employees": "40"}
_MAKER = {"language": "fr", "country": "FR", "industry": "manufacturing", "employees": "80", "role": "decides"}
_PROJECT = _MAKER | {"project": "redesign"}
_ABROAD = {"language": "en", "country": "IE"}

#: Group → how many, and who they are.
_PEOPLE = {
    "reader": (12, _SHOP),
    "mover": (12, _SHOP),
    "deal": (4, _SHOP),
    "back": (3, _PROJECT),
    "hot": (3, _PROJECT),
    "hand": (3, _ABROAD),
    "gone": (3, _ABROAD),
}


def live_up_to_the_night(engine: Engine, playbook: Playbook) -> World:
    """Three nights and days on `engine`; the clock then stands on the eve of `NIGHT`."""
    world = open_world(engine, playbook, datetime(2026, 3, 2, 12, tzinfo=UTC))
    world.delivers_every = timedelta(hours=3)
    for group, (n, fields) in _PEOPLE.items():
        for i in range(n):
            world.arrive(f"{group}{i}", fields)
    world.live_until(datetime(2026, 3, 3, 13, tzinfo=UTC))
    for name in _each("back"):
        _turn_hot(world, name)
    for name in _each("mover"):
        world.change(name, {"project": "seo"})
    for name in _each("reader"):
        world.provider_says(name, "delivered")
    world.live_until(datetime(2026, 3, 5, 13, tzinfo=UTC))
    _eve(world)
    return world


def _eve(world: World) -> None:
    """Thursday: what the next night has to deal with."""
    for name in _each("mover"):
        world.change(name, {"deadline": "2026-04-20"})
    for name in _each("back"):
        world.answer(name, "reject", reason="no_budget")
    for name in _each("deal"):
        world.deal(name, "won")
    for name in _each("hot"):
        _turn_hot(world, name)
    for name in _each("hand"):
        world.act(name, "quote_requested")
    for name in _each("gone"):
        world.unsubscribe(name)
    world.provider_says("reader0", "bounce")
    for name in _each("reader"):
        world.click(name)
    for i in range(130):
        world.arrive(f"new{i}", (_SHOP, _MAKER, _ABROAD)[i % 3])


def _each(group: str) -> list[str]:
    return [f"{group}{i}" for i in range(_PEOPLE[group][0])]


def _turn_hot(world: World, name: str) -> None:
    at = world.now - timedelta(hours=1)
    world.act(name, "content_downloaded", at=at, asset="guide")
    world.act(name, "webinar_attended", at=at, topic="seo")
    for minutes in range(2):
        world.act(name, "page_viewed", at=at + timedelta(minutes=minutes), path="/tarifs")


def rows_of(engine: Engine) -> dict[str, list[Row[tuple[object, ...]]]]:
    """Every row of every table but the log of sweeps, in the order of the keys."""
    with Session(engine) as session:
        return {
            table.name: list(session.execute(select(table).order_by(*table.primary_key)))
            for table in metadata.sorted_tables
            if table.name not in LOG
        }
