"""What every test may ask for: an empty database of either kind, loopback only, few and repeatable examples."""

import gc
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, Page
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from leadflow.app.preview_camera import find_chromium
from leadflow.text import set_language
from tests.browser import running_chromium
from tests.emptied import empty
from tests.engines import Moving, share_compiled
from tests.postgres import Server, running_postgres
from tests.soak import SOAK

pytest_plugins = ["tests.counted", "tests.sampled", "tests.seconds", "tests.faults.table"]

settings.register_profile(
    "default",
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    # A database is shared by the examples of one test; a property begins each example by emptying or rolling back.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.register_profile("soak", settings.get_profile("default"), max_examples=400, derandomize=False, print_blob=True)
settings.load_profile("soak" if SOAK else "default")


class OutsideWorldError(Exception):
    """A test reached for a host that is not this machine."""


_LOOPBACK = ("127.", "localhost", "::1", "0.0.0.0", "::ffff:127.")  # noqa: S104 - compared, never bound


def _loopback_only(event: str, args: tuple[Any, ...]) -> None:
    # Thousands of others a second.
    if not event.startswith("socket."):
        return
    host: object = None
    if event in {"socket.connect", "socket.sendto"}:
        address = args[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        host = args[0]
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if isinstance(text, str) and text and not text.startswith(_LOOPBACK) and text != os.uname().nodename:
        raise OutsideWorldError(f"{event} to {text}")


# An audit hook sees every socket of the process, whatever library opened it, and cannot be undone by one.
sys.addaudithook(_loopback_only)
share_compiled()


def pytest_configure(config: pytest.Config) -> None:
    """Give Prefect a home of its own before anything imports it: no profile, server or analytics from outside."""
    home = tempfile.mkdtemp(prefix="leadflow-prefect-")
    config.add_cleanup(lambda: shutil.rmtree(home, ignore_errors=True))
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        del os.environ[name]
    os.environ |= {"PREFECT_HOME": home, "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
    # Hundreds of processes are begun: none is to compile again what another one did.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


#: Where the minutes are. Their files go first, so that no worker ends the run with one of them while the other idles.
_LONG = ("test_serving", "demo/", "scenarios/", "flows/", "test_twice", "test_prefect_server", "test_scheduler", "ask/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; what does more under `make soak` is marked, so that it finds it."""
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.property)
        elif "SOAK" in vars(getattr(item, "module", None) or item):
            item.add_marker(pytest.mark.soak)
    items.sort(key=_turn)


def pytest_collection_finish() -> None:
    """What is imported stays: the collector need not walk through it again and again, a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _turn(item: pytest.Item) -> int:
    name = item.nodeid.removeprefix("tests/")
    return next((turn for turn, long in enumerate(_LONG) if name.startswith(long)), len(_LONG))


@pytest.fixture(autouse=True)
def _no_settings_from_outside(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("LEADFLOW_") and name != "LEADFLOW_SOAK":
            monkeypatch.delenv(name)
    monkeypatch.setenv("LEADFLOW_LANG", "en")
    # A command run in this process by an earlier test may have chosen a language for good.
    set_language(None)
    # Prefect's logging, once set up by a flow of an earlier test, would stop every line written outside a flow.
    if "tests/flows" not in request.node.nodeid:
        ours = logging.getLogger("leadflow")
        ours.propagate, ours.handlers = True, []


def make_tables(url: str) -> None:
    """All tables in the empty database at `url`."""
    from leadflow.db import make_engine
    from leadflow.models.schema import create_schema

    engine = make_engine(url)
    create_schema(engine)
    engine.dispose()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The session's PostgreSQL server, one a worker, with a `template` database that has the tables."""
    with running_postgres() as server:
        server.create("template")
        make_tables(server.url("template"))
        yield server


@pytest.fixture(scope="session")
def durable_postgres() -> Iterator[Server]:
    """A server that keeps fsync on, for tests that kill processes."""
    with running_postgres(durable=True) as server:
        server.create("template")
        make_tables(server.url("template"))
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file that has the tables and no row."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    make_tables(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh SQLite database with the tables."""
    path = tmp_path / "leadflow.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


_fresh = iter(range(sys.maxsize))


@pytest.fixture
def postgres_url(postgres: Server) -> Iterator[str]:
    """A fresh PostgreSQL database with the tables, dropped after the test."""
    name = f"test_{next(_fresh)}"
    postgres.create(name, template="template")
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on; a test that asks for any of the fixtures below runs once on each."""
    return str(request.param)


@pytest.fixture(scope="session")
def shared_urls(sqlite_template: Path, request: pytest.FixtureRequest) -> Callable[[str], str]:
    """The URL of the database of a kind that tests empty before they use it."""

    @cache
    def url(database: str) -> str:
        if database == "sqlite":
            shutil.copyfile(sqlite_template, sqlite_template.with_name("shared.db"))
            return f"sqlite:///{sqlite_template.with_name('shared.db')}"
        server: Server = request.getfixturevalue("postgres")
        server.create("shared", template="template")
        return server.url("shared")

    return url


@pytest.fixture(scope="session")
def moving() -> Iterator[dict[str, Moving]]:
    """The engine of each kind of database that tests share one after the other."""
    movers: dict[str, Moving] = {}
    yield movers
    for mover in movers.values():
        mover.leave()


@pytest.fixture
def engine(database: str, shared_urls: Callable[[str], str], moving: dict[str, Moving]) -> Engine:
    """An engine on a database that has the tables and no row; what makes or drops tables asks for `own_engine`."""
    url = shared_urls(database)
    if database not in moving:
        moving[database] = Moving(url)
    engine = moving[database].to(url)
    empty(engine)
    return engine


@pytest.fixture
def database_url(database: str, engine: Engine, shared_urls: Callable[[str], str]) -> str:  # noqa: ARG001 - it empties
    """Where `engine` is, for other processes."""
    return shared_urls(database)


@pytest.fixture
def own_engine(database: str, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine on a database with the tables that no other test uses."""
    from leadflow.db import make_engine

    engine = make_engine(request.getfixturevalue(f"{database}_url"))
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session on `engine`; what the test does not commit is rolled back."""
    with Session(engine) as session:
        yield session


# Not for the session: while Playwright's synchronous interface is open, its thread cannot run another event loop.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for one file of tests; `make browser` provides it, and a run without it says what it left out."""
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium on the PATH: nobody looked at the pages (run `make browser`)")
    with running_chromium(path) as browser:
        yield browser


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A blank page in a profile of its own; only this machine answers it."""
    context = chromium.new_context(locale="en-GB", timezone_id="Europe/Paris")
    context.route(_is_outside, lambda route: route.abort())
    with context:
        yield context.new_page()


def _is_outside(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"http", "https", "ws", "wss"} and not (parts.hostname or "").startswith(_LOOPBACK)
