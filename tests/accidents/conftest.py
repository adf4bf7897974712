"""A workspace like any other, a few days after it went live: what an accident happens to."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from leadflow.app.workspace import SOURCES
from leadflow.db import make_engine
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook
from leadflow.testing import World, open_world
from tests.conftest import make_tables
from tests.postgres import Server
from tests.soak import SOAK

ROOT = Path(__file__).parents[2]
#: Sunday evening; three nights later it is Wednesday evening.
BEGIN = datetime(2026, 3, 1, 18, tzinfo=UTC)
EVE = BEGIN + timedelta(days=3)
DAY = timedelta(days=1)
#: Thursday, after the night and after the mails of the day.
AFTER = EVE + DAY
FRIDAY = EVE + 2 * DAY

SHOP = {"language": "fr", "country": "FR", "industry": "retail", "cms": "shopify", "employees": "40"}
MAKER = {"language": "fr", "country": "FR", "industry": "manufacturing", "employees": "70", "role": "decides"}
ABROAD = {"language": "en", "country": "IE"}
PEOPLE = {"shop": (8, SHOP), "maker": (8, MAKER), "abroad": (4, ABROAD)}


@pytest.fixture(scope="session")
def shipped() -> Playbook:
    """The playbook at the repository's root."""
    return load_playbook(ROOT)


def live(engine: Engine, playbook: Playbook) -> World:
    """Twenty people who have had their first mail, and are due the second; one has unsubscribed."""
    world = open_world(engine, playbook, BEGIN)
    world.delivers_every = timedelta(hours=3)
    for group, (n, fields) in PEOPLE.items():
        for i in range(n):
            world.arrive(f"{group}{i}", fields)
    world.live_until(BEGIN + timedelta(days=1))
    world.unsubscribe("shop7")
    world.live_until(EVE)
    return world


def on_the_eve(engine: Engine, playbook: Playbook, people: dict[str, int]) -> World:
    """The world that `people` have lived in until then; it has sent nothing yet."""
    world = open_world(engine, playbook, EVE)
    world.people, world._told = dict(people), 1_000
    world.delivers_every = timedelta(hours=3)
    return world


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory, shipped: Playbook) -> tuple[Path, dict[str, int]]:
    """A SQLite file with that world in it, and who is who."""
    path = tmp_path_factory.mktemp("lived") / "leadflow.db"
    make_tables(f"sqlite:///{path}")
    engine = make_engine(f"sqlite:///{path}")
    people = live(engine, shipped).people
    engine.dispose()
    return path, people


@pytest.fixture(scope="session")
def machine(lived: tuple[Path, dict[str, int]]) -> Iterator[Engine]:
    """One engine for all accidents on SQLite: what it has compiled once, it need not compile again."""
    path = lived[0].with_name("spoilt.db")
    engine = make_engine(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgres"] if SOAK else ["sqlite"])
def world(
    request: pytest.FixtureRequest, lived: tuple[Path, dict[str, int]], shipped: Playbook, machine: Engine
) -> Iterator[World]:
    """That world on the eve of Thursday, to spoil; on PostgreSQL too in the long run."""
    if request.param == "postgres":
        server: Server = request.getfixturevalue("postgres")
        server.create("accident", template="template")
        engine = make_engine(server.url("accident"))
        yield on_the_eve(engine, shipped, live(engine, shipped).people)
        engine.dispose()
        server.drop("accident")
        return
    machine.dispose()
    for path in lived[0].parent.glob("spoilt.db*"):
        path.unlink()
    shutil.copyfile(lived[0], lived[0].with_name("spoilt.db"))
    yield on_the_eve(machine, shipped, lived[1])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of the workspace, to spoil."""
    place = tmp_path / "workspace"
    for source in SOURCES:
        shutil.copytree(ROOT / source, place / source)
    return place


def edit(folder: Path, path: str, before: str, after: str) -> None:
    """Put `after` where `before` stands; it must stand there."""
    text = (folder / path).read_text(encoding="utf-8")
    assert before in text
    (folder / path).write_text(text.replace(before, after), encoding="utf-8")


def merge(world: World, folder: Path) -> None:
    """From now on the world reads the files of `folder`."""
    world.app = replace(world.app, playbook=load_playbook(folder))
