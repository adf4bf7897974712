"""What the fires share: one outside world and one zygote a test run, a durable database of either kind a test."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Protocol

import pytest

from tests.faults.fire import Fire
from tests.faults.world import OutsideWorld, Zygote, running_outside, running_zygote
from tests.postgres import Server
from tests.soak import SOAK


def on_one_database(*cases: object) -> list[tuple[object, str]]:
    """Each case with a database, in turn; with both where there is time."""
    both = ("sqlite", "postgres")
    return [(case, on) for turn, case in enumerate(cases) for on in (both if SOAK else (both[turn % 2],))]


class Light(Protocol):
    """Lights a fire on `sqlite` or `postgres`: on a fresh database, or on the one at `url`."""

    def __call__(self, database: str, *, url: str = "") -> AbstractContextManager[Fire]: ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of it burns in `make soak` too, for the table."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.soak)


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


@pytest.fixture(scope="session")
def warm() -> set[str]:
    """The kinds of database that the zygote has lived through a delivery on."""
    return set()


_fresh = iter(range(sys.maxsize))


@contextmanager
def _outbox(request: pytest.FixtureRequest, database: str, folder: Path) -> Iterator[str]:
    """The URL of a database with the tables; on PostgreSQL fsync is on: what is killed must find what it committed."""
    name = f"fire_{next(_fresh)}"
    if database == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), folder / name)
        yield f"sqlite:///{folder / name}"
        return
    server: Server = request.getfixturevalue("durable_postgres")
    server.create(name, template="template")
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def light(
    request: pytest.FixtureRequest, outside: OutsideWorld, zygote: Zygote, warm: set[str], tmp_path: Path
) -> Light:
    """Lights a fire on a kind of database: an empty outbox, nobody at work; at its end whoever is left is ended."""
    suite = request.node.path.stem.removeprefix("test_").replace("_", " ")

    @contextmanager
    def lit(database: str, *, url: str = "") -> Iterator[Fire]:
        if database not in warm:
            warm.add(database)
            with _outbox(request, database, tmp_path) as nobodys:
                zygote.warm(nobodys)
        with nullcontext(url) if url else _outbox(request, database, tmp_path) as place:
            fire = Fire(suite=suite, database=database, url=place, outside=outside, zygote=zygote)
            yield fire
            fire.stop()

    return lit


@pytest.fixture
def fire(database: str, light: Light) -> Iterator[Fire]:
    """A fire on each kind of database."""
    with light(database) as fire:
        yield fire
