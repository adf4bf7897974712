"""Delivery shared out among runs: how many, what each shows, and who finishes what another leaves."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from prefect.client.schemas import State
from sqlalchemy import update
from sqlalchemy.orm import Session

from flows import batches, fan_out
from flows.deliver import deliver
from flows.nightly import nightly
from leadflow.app import App, shares_at
from leadflow.models import message
from leadflow.playbook.model import Workers
from tests.build import NIGHT
from tests.flows.conftest import PEOPLE
from tests.flows.test_flows import run_of, tasks_of

pytestmark = [
    pytest.mark.slow,
    # Prefect leaves a socket to the garbage collector; the fixture `swept` calls it while this holds.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
LATER = NIGHT + timedelta(hours=8)


def live(workspace: Path, flow: Any, at: Any = LATER) -> State[Any]:
    state: State[Any] = asyncio.run(flow(workspace=str(workspace), at=at.isoformat(), slot=None, return_state=True))
    return state


def share_out(workspace: Path, at_once: int, mails_each: int) -> None:
    """Another number of workers in the workspace's file."""
    path = workspace / "config" / "schedule.yaml"
    text = path.read_text().replace("scheduler: embedded", "scheduler: prefect")
    path.write_text(f"{text}workers: {{at_once: {at_once}, mails_each: {mails_each}}}\n")


def test_there_is_a_run_for_each_share_and_no_more_than_workers(workspace: Path, app: App) -> None:
    live(workspace, nightly, NIGHT)

    def shares(at_once: int, mails_each: int) -> int:
        workers = Workers(at_once=at_once, mails_each=mails_each)
        schedule = replace(app.playbook.schedule, workers=workers)
        return shares_at(replace(app, playbook=replace(app.playbook, schedule=schedule)), LATER)

    assert (shares(1, 1), shares(4, 5000), shares(4, PEOPLE)) == (1, 1, 1)
    assert (shares(4, PEOPLE - 1), shares(4, 3), shares(4, 1)) == (2, 4, 4)


def test_each_batch_is_a_task_that_says_what_became_of_its_mails(
    api: httpx.Client, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(workspace, nightly, NIGHT)
    monkeypatch.setattr(batches, "BATCH", PEOPLE)
    live(workspace, deliver)
    (task,) = tasks_of(api, run_of(api, workspace), 1)
    assert task["name"] == "batch 1"
    assert task["state"]["message"].startswith(f"{PEOPLE} mails · accepted {PEOPLE} · ")


def test_without_the_deployment_the_run_sends_by_itself(api: httpx.Client, workspace: Path) -> None:
    share_out(workspace, 2, 1)
    live(workspace, nightly, NIGHT)
    assert live(workspace, deliver).name == "Completed"
    assert run_of(api, workspace)["name"].endswith(f"{PEOPLE} of {PEOPLE}")


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A server that takes requests for runs, and no worker; the requests."""
    asked: list[dict[str, Any]] = []

    async def ask(name: str, **words: Any) -> Any:
        asked.append({"name": name, **words})
        return SimpleNamespace(parent_task_run_id=None)

    monkeypatch.setattr(fan_out, "arun_deployment", ask)
    monkeypatch.setattr(fan_out, "LOOK", 0.05)
    monkeypatch.setattr(fan_out, "QUIET", 0.5)
    return asked


def test_while_no_worker_comes_the_run_sends_by_itself(
    api: httpx.Client, workspace: Path, nobody: list[dict[str, Any]]
) -> None:
    share_out(workspace, 2, 1)
    live(workspace, nightly, NIGHT)
    assert live(workspace, deliver).name == "Completed"
    assert [(one["name"], one["parameters"]["share"]) for one in nobody] == [
        ("drain/drain", "1 of 2"),
        ("drain/drain", "2 of 2"),
    ]
    assert len({one["idempotency_key"] for one in nobody}) == 2
    assert run_of(api, workspace)["name"].endswith(f"{PEOPLE} of {PEOPLE}")


def test_mails_in_the_hands_of_a_dead_run_leave_a_delivery_unfinished(
    api: httpx.Client, workspace: Path, app: App, nobody: list[dict[str, Any]]
) -> None:
    share_out(workspace, 2, 1)
    live(workspace, nightly, NIGHT)
    with Session(app.engine) as session, session.begin():
        held = {"state": "claimed", "owner": "gone", "lease_until": NIGHT + timedelta(days=4000)}
        session.execute(update(message).where(message.c.id <= 3).values(held))
    state = live(workspace, deliver)
    assert len(nobody) == 2
    assert (state.type, state.name) == ("COMPLETED", "Unfinished")
    assert (state.message or "").endswith("· 3 wait")
    assert run_of(api, workspace)["name"].endswith(f"{PEOPLE - 3} of {PEOPLE}")


def test_a_night_shares_out_what_is_due_already(workspace: Path, nobody: list[dict[str, Any]]) -> None:
    live(workspace, nightly, NIGHT)
    share_out(workspace, 2, 1)
    state = live(workspace, nightly)
    assert state.is_completed(), state.message
    assert [one["parameters"]["of"].split()[0] for one in nobody] == ["nightly", "nightly"]
