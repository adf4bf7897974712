"""A share of a delivery whose process is killed: the other share finishes, and nobody is mailed twice.

The same with real workers, deployments and a Prefect server on PostgreSQL is in test_workers.py, for `make soak`.
"""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flows import common, fan_out
from flows.deliver import deliver
from leadflow.app import App, open_app
from leadflow.models import job_run, message
from leadflow.scheduler.server import PrefectServer
from tests.flows.busy import make_busy, plan_mails
from tests.flows.machines import Mailbox, environment, kill_family, slow_mail_server, wait_for
from tests.postgres import Server

pytestmark = [
    pytest.mark.slow,
    # Prefect leaves a socket to the garbage collector; the fixture `swept` calls it while this holds.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
PEOPLE = 600
WORKERS = f"workers: {{at_once: 2, mails_each: {PEOPLE // 2}}}\n"
_SHARE = """
import asyncio, json, sys
from flows.drain import drain
asyncio.run(drain(**json.loads(sys.argv[1]), return_state=True))
"""


@pytest.fixture
def box() -> Iterator[Mailbox]:
    """Where the mails go, slowly."""
    with slow_mail_server(per_second=150) as box:
        yield box


@pytest.fixture
def app(box: Mailbox, postgres: Server, tmp_path: Path) -> Iterator[App]:
    """A workspace on PostgreSQL whose people all have a mail due."""
    postgres.create("killed")
    url = postgres.url("killed")
    settings = f"LEADFLOW_DATABASE_URL={url}\nLEADFLOW_ESP=smtp\nLEADFLOW_SMTP_URL={box.url}\n"
    make_busy(tmp_path / "workspace", WORKERS, settings)
    app = open_app(tmp_path / "workspace")
    plan_mails(app, PEOPLE)
    yield app
    app.engine.dispose()
    for opened in common._opened.values():
        opened.engine.dispose()
    postgres.drop("killed")


@pytest.fixture
def begun(
    server: PrefectServer, app: App, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The processes of the shares, begun here instead of by workers."""
    shares: list[subprocess.Popen[bytes]] = []
    home = tmp_path / "home"
    home.mkdir()

    def begin(parameters: dict[str, Any]) -> None:
        command = [sys.executable, "-c", _SHARE, json.dumps(parameters)]
        told = environment(home, PREFECT_API_URL=server.api)
        shares.append(subprocess.Popen(command, env=told, cwd=app.settings.workspace, stderr=subprocess.DEVNULL))

    async def asked(_name: str, *, parameters: dict[str, Any], **_words: Any) -> Any:
        begin(parameters)
        return SimpleNamespace(parent_task_run_id=None)

    monkeypatch.setattr(common, "_opened", {})
    monkeypatch.setattr(fan_out, "arun_deployment", asked)
    monkeypatch.setattr(fan_out, "LOOK", 0.2)
    yield shares
    for share in shares:
        kill_family(share.pid)
        share.wait()


def count(app: App, column: Any, *where: Any) -> Counter[str]:
    with Session(app.engine) as session:
        told = session.execute(select(column, func.count()).where(*where).group_by(column))
        return Counter(dict(told.tuples().all()))


def kill_one(app: App, box: Mailbox, shares: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Once both are at it."""
    wait_for(lambda: count(app, job_run.c.job, job_run.c.job == "drain")["drain"] == 2, 60)
    begun = len(box.took)
    wait_for(lambda: len(box.took) > begun + PEOPLE // 5, 60)
    kill_family(shares[1].pid)
    # While they begin, a machine that lags must not be taken for one that has gone.
    monkeypatch.setattr(fan_out, "QUIET", 4.0)


def test_the_other_share_finishes_and_nobody_is_mailed_twice(
    app: App, box: Mailbox, begun: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    killer = Thread(target=kill_one, args=(app, box, begun, monkeypatch))
    killer.start()
    flow: Any = deliver
    state = asyncio.run(flow(workspace=str(app.settings.workspace), slot="x", return_state=True))
    killer.join()
    after = count(app, message.c.state)
    in_hand = after["claimed"] + after["sending"]
    assert len(begun) == 2
    assert 0 < in_hand <= 300, "a run holds three claims of a hundred at most"
    assert after["sending"] <= 200, "and two with intents"
    assert after == Counter(accepted=PEOPLE - in_hand) + Counter(claimed=after["claimed"], sending=after["sending"])
    assert (state.name, (state.message or "").split(" · ")[-1]) == ("Unfinished", f"{in_hand} wait")
    assert max(Counter(box.took).values()) == 1
    assert after["accepted"] <= len(box.took) <= after["accepted"] + after["sending"]
