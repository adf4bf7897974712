"""Nights as flow runs: what people see of them adds up, is theirs to see, and no slot is lived twice."""

import asyncio
import json
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.client.schemas import State
from prefect.logging.handlers import APILogWorker
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from flows import nightly as nightly_flow
from flows.deliver import deliver
from flows.escalate import escalate
from flows.nightly import nightly
from flows.upkeep import upkeep
from leadflow.app import App
from leadflow.app.person import erase
from leadflow.app.phases import DECIDING
from leadflow.models import intake, job_run, message
from leadflow.scheduler.server import PrefectServer
from leadflow.types import Phase
from tests.build import NIGHT
from tests.flows.conftest import PEOPLE, PLANTED

pytestmark = [
    pytest.mark.slow,
    # Prefect leaves a socket to the garbage collector; the fixture `swept` calls it while this holds.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
SLOT = "2026-03-23"


def live(workspace: Path, flow: Any = nightly, **more: Any) -> State[Any]:
    given = {"workspace": str(workspace), "at": NIGHT.isoformat(), "slot": SLOT} | more
    state: State[Any] = asyncio.run(flow(**given, return_state=True))
    return state


def rows(api: httpx.Client, kind: str, **filters: Any) -> list[dict[str, Any]]:
    answer = api.post(f"/{kind}/filter", json=filters)
    answer.raise_for_status()
    found: list[dict[str, Any]] = answer.json()
    return found


def run_of(api: httpx.Client, workspace: Path) -> dict[str, Any]:
    """The newest run of this workspace."""
    runs = rows(api, "flow_runs", sort="START_TIME_DESC")
    return next(run for run in runs if run["parameters"]["workspace"] == str(workspace))


def tasks_of(api: httpx.Client, run: dict[str, Any], wanted: int) -> list[dict[str, Any]]:
    """The run's tasks, once the server has written them down: it gathers them for a second."""
    for _ in range(300):
        found = rows(api, "task_runs", flow_runs={"id": {"any_": [run["id"]]}}, sort="EXPECTED_START_TIME_ASC")
        if len(found) >= wanted and all(task["state_type"] in {"COMPLETED", "FAILED"} for task in found):
            break
        time.sleep(0.1)
    return sorted(found, key=lambda task: task["start_time"])


def planned(app: App) -> int:
    with Session(app.engine) as session:
        return session.scalar(select(func.count()).select_from(message)) or 0


def test_a_night_is_a_run_whose_tasks_are_the_phases(api: httpx.Client, workspace: Path, app: App) -> None:
    state = live(workspace)
    assert state.is_completed(), state.message
    run = run_of(api, workspace)
    assert run["name"] == f"night {SLOT} · {app.playbook.short}"
    assert {f"night:{SLOT}", "env:local"} <= set(run["tags"])
    assert run["state"]["message"].startswith(f"{planned(app)} mails, ")
    tasks = tasks_of(api, run, len(Phase) + 1)
    assert [task["name"] for task in tasks] == [*Phase, "summary"]
    assert all(task["state"]["message"].startswith("read ") for task in tasks[:-1])


def test_the_roll_up_adds_up_to_everybody(api: httpx.Client, workspace: Path, app: App) -> None:
    live(workspace)
    run = run_of(api, workspace)
    (artifact,) = rows(api, "artifacts", artifacts={"flow_run_id": {"any_": [run["id"]]}, "key": {"like_": "nightly%"}})
    mails = planned(app)
    assert artifact["key"] == "nightly-summary"
    assert mails > 0
    assert f"{PEOPLE} people" in artifact["data"]
    assert f"{mails} + {PEOPLE - mails} = {PEOPLE}" in artifact["data"]


def test_a_slot_that_was_lived_is_not_lived_again(workspace: Path, app: App) -> None:
    live(workspace)
    before = planned(app)
    again = live(workspace)
    assert again.is_completed()
    assert again.message == f"nothing to do: nightly {SLOT} has run or is running"
    assert planned(app) == before


def test_runs_by_hand_have_slots_of_their_own(workspace: Path, app: App) -> None:
    live(workspace, slot=None)
    live(workspace, slot=None)
    with Session(app.engine) as session:
        slots = session.scalars(select(job_run.c.slot)).all()
    assert len(set(slots)) == 2
    assert all(slot.startswith("by hand ") for slot in slots)


def test_a_scheduled_run_derives_its_slot_from_its_time(workspace: Path, app: App) -> None:
    live(workspace, slot="scheduled")
    with Session(app.engine) as session:
        assert session.scalars(select(job_run.c.slot)).all() == [SLOT]


@pytest.mark.parametrize("flow", [deliver, escalate, upkeep])
def test_the_smaller_jobs_are_named_tagged_and_claimed(api: httpx.Client, workspace: Path, app: App, flow: Any) -> None:
    state = live(workspace, flow, slot="scheduled")
    assert state.is_completed(), state.message
    run = run_of(api, workspace)
    assert run["name"].removesuffix(" · 0 of 0") == f"{flow.name} 2026-03-23 04:15"
    assert f"night:{SLOT}" in run["tags"]
    with Session(app.engine) as session:
        # Upkeep claims the day's retention besides.
        claimed = select(job_run.c.slot, job_run.c.state).where(job_run.c.job == flow.name)
        assert session.execute(claimed).one() == ("2026-03-23T03:15Z", "done")


def test_a_broken_rule_fails_the_run_and_says_which(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly_flow, "broken_invariants", lambda *_: ["2 messages without a reason"])
    state = live(workspace)
    assert state.is_failed()
    assert state.message == "invariant: 2 messages without a reason"


def test_a_playbook_with_faults_fails_the_run_with_its_lines(workspace: Path) -> None:
    (workspace / "config" / "journey.yaml").write_text("stages: 7\n")
    state = live(workspace)
    assert state.is_failed()
    assert "config/journey.yaml:1" in (state.message or "")


def test_only_simulated_days_may_be_chosen(workspace: Path) -> None:
    (workspace / ".env").unlink()
    state = live(workspace)
    assert state.is_failed()
    assert "only a simulated workspace" in (state.message or "")


def everything_kept(api: httpx.Client, server: PrefectServer, workspace: Path) -> str:
    """All that Prefect stored so far: what the API gives, and the bytes of its files, for what the API does not."""
    APILogWorker.drain_all(timeout=5)
    tasks_of(api, run_of(api, workspace), 1)
    told = [rows(api, kind) for kind in ("flow_runs", "task_runs", "artifacts", "logs")]
    assert any(entry["name"] == "leadflow" for entry in told[-1])
    files = [path.read_bytes() for path in server.home.rglob("*") if path.is_file() and "ui" not in path.parts]
    return json.dumps(told, ensure_ascii=False) + b"".join(files).decode("utf-8", "replace")


def asks_for_a_demo(app: App) -> None:
    """The person with the telling name fills in a form, the word in all of it."""
    word, address = PLANTED[1], f"{PLANTED[0]}@vannes.example"
    fields = {"first_name": "Zebulon", "last_name": word, "company": f"{word} SARL", "job_title": word}
    told = {"event": "demo_requested", "email": address, "fields": fields, "page": f"/{word}", "user_agent": word}
    told |= {"consent": {"nurture": True}, "at": (NIGHT - timedelta(hours=1)).isoformat(), "id": word}
    body = json.dumps(told).encode()
    with Session(app.engine) as session, session.begin():
        session.execute(insert(intake), {"kind": "form", "received_at": NIGHT - timedelta(hours=1), "body": body})


def about(workspace: Path) -> list[str]:
    """Files of the workspace, the database's included, that hold one of the words."""
    files = [path for path in workspace.rglob("*") if path.is_file()]
    texts = {path.name: path.read_bytes().decode("utf-8", "replace").casefold() for path in files}
    return [name for name, text in texts.items() if any(word.casefold() in text for word in PLANTED)]


def test_prefect_keeps_no_name_and_no_address_and_after_an_erasure_nothing_does(
    api: httpx.Client, server: PrefectServer, workspace: Path, app: App
) -> None:
    asks_for_a_demo(app)
    live(workspace)
    for flow in (deliver, upkeep):
        live(workspace, flow, at=NIGHT.replace(hour=8).isoformat(), slot=None)
    assert planned(app) > 0
    assert {"leadflow.db", "000001.json"} <= set(about(workspace))

    done = erase(app, [1], NIGHT.replace(hour=9))

    assert (done.rows > 10, done.files > 1, about(workspace)) == (True, True, [])
    live(workspace, nightly, at=(NIGHT + timedelta(days=1)).isoformat(), slot="2026-03-24")
    kept = everything_kept(api, server, workspace).casefold()
    assert SLOT in kept
    assert not [word for word in PLANTED if word.casefold() in kept]
    assert about(workspace) == []


def test_nor_when_a_phase_fails_with_a_name_in_its_error(
    api: httpx.Client, server: PrefectServer, workspace: Path, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> Any:
        raise ValueError("no such person: zebulon.quinquengrogne@vannes.example")

    monkeypatch.setitem(DECIDING, Phase.STAGE, fails)
    state = live(workspace)
    assert state.is_failed()
    assert "stage: ValueError" in (state.message or "")
    seen = everything_kept(api, server, workspace).casefold()
    assert not [word for word in PLANTED if word.casefold() in seen]
    with Session(app.engine) as session:
        kept = session.execute(select(job_run.c.state, job_run.c.result)).one()
    assert kept == ("failed", {"error": "LeadflowError"})
