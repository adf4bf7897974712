"""What operators see in Prefect of a night that went well, of one that is held, and of one that failed."""

import asyncio
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import httpx
import pytest
from prefect.client.schemas import State
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from flows.deliver import deliver
from flows.nightly import nightly
from leadflow.app import App
from leadflow.models import account, enrolment, lead, message
from leadflow.scheduler.answered import tell_prefect
from leadflow.scheduler.server import PrefectServer
from tests.build import NIGHT
from tests.flows.conftest import PEOPLE, PLANTED
from tests.flows.test_flows import everything_kept, rows, run_of

pytestmark = [
    pytest.mark.slow,
    # Prefect leaves a socket to the garbage collector; the fixture `swept` calls it while this holds.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


def live(workspace: Path, flow: Any = nightly, **more: Any) -> State[Any]:
    given = {"workspace": str(workspace), "at": NIGHT.isoformat(), "slot": None} | more
    state: State[Any] = asyncio.run(flow(**given, return_state=True))
    return state


def brake(workspace: Path, sends_over: int) -> None:
    """Another limit in the workspace's file."""
    path = workspace / "config" / "leadflow.yaml"
    path.write_text(re.sub(r"sends_over: \d+", f"sends_over: {sends_over}", path.read_text()))


@pytest.mark.usefixtures("app")
def test_a_held_night_ends_paused_with_its_numbers(api: httpx.Client, workspace: Path) -> None:
    brake(workspace, 3)
    state = live(workspace)
    assert state.is_paused()
    expected = f"brake: {PEOPLE} mails planned — leadflow approve 2026-03-23"
    assert state.message == expected
    run = run_of(api, workspace)
    assert (run["state"]["type"], run["state"]["message"]) == ("PAUSED", expected)


def test_an_approved_night_is_paused_no_longer(
    api: httpx.Client, server: PrefectServer, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brake(workspace, 3)
    live(workspace, at=(NIGHT + timedelta(days=7)).isoformat())
    monkeypatch.setenv("PREFECT_API_URL", server.api)
    assert tell_prefect(workspace, "2026-03-30", "approved: it leaves at its hours")
    run = run_of(api, workspace)
    assert (run["state"]["type"], run["state"]["message"]) == ("COMPLETED", "approved: it leaves at its hours")
    assert not tell_prefect(workspace, "2026-03-30", "approved: it leaves at its hours")


def artifact_of(api: httpx.Client, run: dict[str, Any]) -> str:
    only = {"flow_run_id": {"any_": [run["id"]]}, "key": {"any_": ["nightly-summary"]}}
    (artifact,) = rows(api, "artifacts", artifacts=only)
    return str(artifact["data"])


def column(markdown: str, first_head: str, place: int) -> dict[str, int]:
    """One column of numbers of a table, by the first cell of the row."""
    block = next(block for block in markdown.split("\n\n") if block.startswith(f"| {first_head} |"))
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()[2:]]
    return {row[0]: int(row[place]) for row in cells}


def test_the_sums_of_the_artifact_hold_when_read_back(api: httpx.Client, workspace: Path, app: App) -> None:
    with Session(app.engine) as session, session.begin():
        session.execute(update(lead).where(lead.c.id <= 5).values(no_mail=True))
    live(workspace)
    run = run_of(api, workspace)
    told = artifact_of(api, run)
    mailed, without, people = map(int, re.findall(r"(\d+) \+ (\d+) = (\d+) ✓", told)[0])
    assert (mailed, without, people) == (PEOPLE - 5, 5, PEOPLE)
    reasons = column(told, "why no mail", 1)
    assert reasons.pop("total") == sum(reasons.values()) == without
    assert sum(column(told, "email", 2).values()) == mailed == sum(column(told, "sequence", 2).values())
    with Session(app.engine) as session:
        assert mailed == session.scalar(select(func.count()).select_from(message))
    assert run["state"]["message"].startswith(f"{mailed} mails, ")


def test_a_day_of_delivery_is_told_by_the_names_of_its_runs(api: httpx.Client, workspace: Path) -> None:
    live(workspace)
    live(workspace, deliver, at=NIGHT.replace(hour=11).isoformat())
    run = run_of(api, workspace)
    assert run["name"] == f"deliver 2026-03-23 12:15 · {PEOPLE} of {PEOPLE}"
    assert "night:2026-03-23" in run["tags"]


def test_stranded_people_fail_the_run(api: httpx.Client, workspace: Path, app: App) -> None:
    strand(app)
    state = live(workspace)
    assert state.is_failed()
    assert state.message == "invariant: 1 people stranded: handed on to a sequence they never came to"
    assert artifact_of(api, run_of(api, workspace)).startswith("**❌ Night of Mon 23 March 2026")


def strand(app: App) -> None:
    """Somebody was handed on, and is nowhere."""
    gone = {"lead_id": 1, "sequence": "old", "track": "old", "entry": 1, "state": "ended", "end_reason": "handed_on"}
    times = {"entered_at": NIGHT, "completed_at": NIGHT, "ended_at": NIGHT}
    with Session(app.engine) as session, session.begin():
        session.execute(insert(enrolment), gone | times)


def test_no_company_and_nobody_is_named_of_held_failed_and_delivered_runs(
    api: httpx.Client, server: PrefectServer, workspace: Path, app: App
) -> None:
    company = {"key": "zorglub.example", "name": "Zorglub Fonderies", "domain": "zorglub.example", "created_at": NIGHT}
    with Session(app.engine) as session, session.begin():
        account_id = session.scalar(insert(account).values(company).returning(account.c.id))
        session.execute(update(lead).values(account_id=account_id))
    live(workspace)
    live(workspace, deliver, at=NIGHT.replace(hour=11).isoformat())
    brake(workspace, 0)
    strand(app)
    live(workspace, at=(NIGHT + timedelta(days=3)).isoformat())
    kept = everything_kept(api, server, workspace).casefold()
    assert not [word for word in (*PLANTED, "zorglub", "@vannes") if word.casefold() in kept]


class Sink(BaseHTTPRequestHandler):
    """Keeps what is posted."""

    posted: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        """One notification."""
        self.posted.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@pytest.fixture
def sink() -> Iterator[str]:
    """The Apprise address of somebody who listens."""
    with HTTPServer(("127.0.0.1", 0), Sink) as listening:
        Thread(target=listening.serve_forever, daemon=True).start()
        yield f"json://127.0.0.1:{listening.server_port}/"
        listening.shutdown()


def turns(api: httpx.Client) -> dict[str, int]:
    """The queues of the pool → their priorities."""
    queues = api.post("/work_pools/leadflow/queues/filter", json={}).json()
    return {queue["name"]: queue["priority"] for queue in queues}


def test_what_others_wait_for_comes_first_whatever_was_deployed_before(api: httpx.Client) -> None:
    from leadflow.scheduler.night_alert import make_pool

    make_pool()
    assert turns(api) == {"shares": 1, "jobs": 2, "default": 3}
    # As a deployment leaves them that brings them itself.
    for name in ("shares", "jobs"):
        api.delete(f"/work_pools/leadflow/queues/{name}").raise_for_status()
    for name in ("jobs", "shares"):
        api.post("/work_pools/leadflow/queues", json={"name": name}).raise_for_status()
    assert turns(api)["shares"] > turns(api)["jobs"]
    assert not make_pool()
    assert turns(api) == {"shares": 1, "jobs": 2, "default": 3}


def test_operators_hear_of_a_night_that_failed(api: httpx.Client, workspace: Path, app: App, sink: str) -> None:
    from leadflow.scheduler.night_alert import GONE, NAME, alert_operators, end_silent_runs, make_pool

    assert (alert_operators("json://127.0.0.1:9/"), end_silent_runs()) == (True, True)
    make_pool()
    assert (alert_operators(sink), end_silent_runs(), make_pool()) == (False, False, False)
    made = {found["name"]: found for found in rows(api, "automations")}
    automation = made[NAME]
    # A paused night, or one that left mails waiting, is silent from then on and has not crashed.
    assert set(made[GONE]["trigger"]["expect"]) >= {f"prefect.flow-run.{s}" for s in ("Paused", "Unfinished")}
    assert set(automation["trigger"]["expect"]) >= {f"prefect.flow-run.{s}" for s in ("Failed", "Crashed", "Late")}
    live(workspace)
    strand(app)
    live(workspace, at=(NIGHT + timedelta(days=1)).isoformat())
    give_up = time.monotonic() + 30
    while not Sink.posted and time.monotonic() < give_up:
        time.sleep(0.2)
    (heard,) = Sink.posted
    assert "night 2026-03-24" in heard
    assert "Failed: invariant: 1 people stranded" in heard
