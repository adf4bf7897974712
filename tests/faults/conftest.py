"""What the fires share: one outside world and one zygote a test run, a durable database of either kind a test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.fire import Fire
from tests.faults.world import OutsideWorld, Zygote, running_outside, running_zygote
from tests.postgres import Server


@pytest.fixture(scope="session")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OutsideWorld]:
    """The stand-in SendGrid and mail server."""
    with running_outside(tmp_path_factory.mktemp("outside")) as world:
        yield world


@pytest.fixture(scope="session")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    """Forks workers."""
    with running_zygote(tmp_path_factory.mktemp("zygote")) as zygote:
        yield zygote


@pytest.fixture
def postgres_url(durable_postgres: Server, tmp_path: Path) -> Iterator[str]:
    """A fresh database of the server that keeps fsync on: what is killed here must find what it committed."""
    name = f"fire_{abs(hash(tmp_path))}"
    durable_postgres.create(name, template="template")
    yield durable_postgres.url(name)
    durable_postgres.drop(name)


@pytest.fixture(scope="session")
def warm() -> set[str]:
    """The kinds of database that the zygote has lived through a delivery on."""
    return set()


@pytest.fixture
def warmed(request: pytest.FixtureRequest, database: str, zygote: Zygote, warm: set[str], tmp_path: Path) -> Zygote:
    """The zygote, ready for workers on this kind of database."""
    if database not in warm:
        warm.add(database)
        zygote.warm(_nobodys(request, database, tmp_path))
    return zygote


def _nobodys(request: pytest.FixtureRequest, database: str, folder: Path) -> str:
    if database == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), folder / "warm.db")
        return f"sqlite:///{folder}/warm.db"
    server: Server = request.getfixturevalue("durable_postgres")
    server.create("warm", template="template")
    return server.url("warm")


@pytest.fixture
def fire(
    request: pytest.FixtureRequest, database: str, database_url: str, outside: OutsideWorld, warmed: Zygote
) -> Iterator[Fire]:
    """An empty outbox and nobody at work; whoever is left at the end is ended."""
    suite = request.node.path.stem.removeprefix("test_").replace("_", " ")
    fire = Fire(suite=suite, database=database, url=database_url, outside=outside, zygote=warmed)
    yield fire
    fire.stop()
