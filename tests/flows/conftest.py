"""One local Prefect server for the tests of flows, and a small workspace whose people have telling names."""

import gc
import logging
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from prefect.logging.handlers import APILogHandler
from prefect.settings import PREFECT_API_URL, temporary_settings
from sqlalchemy import update
from sqlalchemy.orm import Session

from flows import common
from leadflow.app import App, open_app
from leadflow.models import identity, lead
from leadflow.playbook.example import copy_example
from leadflow.scheduler.server import PrefectServer, local_server
from tests.build import NIGHT, add_event, add_lead
from tests.counted import uncounted_processes

#: Must appear nowhere in what Prefect keeps.
PLANTED = ("zebulon.quinquengrogne", "Quinquengrogne", "zebulon")
PEOPLE = 12


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    """A real server of its own, as `leadflow serve` starts one."""
    folder = tmp_path_factory.mktemp("server")
    forward = APILogHandler()
    with ExitStack() as stack:
        with uncounted_processes():
            server = stack.enter_context(local_server(folder, port=0, drive=False))
        stack.enter_context(temporary_settings({PREFECT_API_URL: server.api}))
        # PREFECT_LOGGING_EXTRA_LOGGERS does it in a process that has not imported Prefect yet.
        logging.getLogger("leadflow").addHandler(forward)
        yield server
        logging.getLogger("leadflow").removeHandler(forward)


@pytest.fixture(autouse=True)
def swept() -> Iterator[None]:
    """Let what Prefect leaves open be collected in the test that opened it."""
    yield
    gc.collect()


@pytest.fixture
def api(server: PrefectServer) -> Iterator[httpx.Client]:
    """Asks the server."""
    with httpx.Client(base_url=server.api, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture(scope="package")
def peopled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, simulated, with a dozen people of whom one has a name nobody else has."""
    folder = tmp_path_factory.mktemp("peopled")
    copy_example(folder)
    (folder / ".env").write_text("LEADFLOW_SIMULATED=true\nLEADFLOW_ESP=file\n")
    app = open_app(folder)
    with Session(app.engine) as session, session.begin():
        for number in range(1, PEOPLE + 1):
            _person(session, number)
        session.execute(update(lead).where(lead.c.id == 1).values(first_name="Zebulon", last_name="Quinquengrogne"))
        address = "zebulon.quinquengrogne@vannes.example"
        session.execute(update(identity).where(identity.c.id == 1).values(value=address))
    app.engine.dispose()
    return folder


@pytest.fixture
def workspace(  # `server` first: a flow run without one starts a server of its own, every time
    server: PrefectServer,  # noqa: ARG001
    peopled: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Path]:
    """A copy of it."""
    opened: dict[str, App] = {}
    monkeypatch.setattr(common, "_opened", opened)
    shutil.copytree(peopled, tmp_path, dirs_exist_ok=True)
    yield tmp_path
    for app in opened.values():
        app.engine.dispose()


def _person(session: Session, number: int) -> None:
    add_lead(
        session,
        number,
        first_name="Claire",
        language="fr",
        country="FR",
        basis="legitimate_interest",
        source="trade fair",
        informed_on="2026-01-05",
        attributes={"industry": "manufacturing", "employees": 40},
    )
    at = NIGHT - timedelta(hours=number)
    add_event(session, number, number, "page_viewed", occurred_at=at, path="/tarifs")


@pytest.fixture
def app(workspace: Path) -> App:
    """The workspace, opened as a test would look at it."""
    return open_app(workspace)
