"""What all scenarios share: the shipped playbook, and a database of each kind that is emptied before each of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook
from tests.conftest import make_tables
from tests.emptied import empty
from tests.engines import Moving
from tests.postgres import Server

WORKSPACE = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def shipped() -> Playbook:
    """The playbook at the repository's root."""
    return load_playbook(WORKSPACE)


@pytest.fixture(scope="session")
def sqlite_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A SQLite file with the tables."""
    url = f"sqlite:///{tmp_path_factory.mktemp('scenarios')}/leadflow.db"
    make_tables(url)
    mover = Moving(url)
    yield mover.to(url)
    mover.leave()


@pytest.fixture(scope="session")
def postgres_world(postgres: Server) -> Iterator[Engine]:
    """A PostgreSQL database with the tables."""
    postgres.create("scenarios", template="template")
    mover = Moving(postgres.url("scenarios"))
    yield mover.to(postgres.url("scenarios"))
    mover.leave()
    postgres.drop("scenarios")


@pytest.fixture
def engine(database: str, request: pytest.FixtureRequest) -> Engine:
    """An engine on a database that has the tables and no row."""
    engine: Engine = request.getfixturevalue(f"{database}_world")
    empty(engine)
    return engine
