"""docs/how-to/scale-out.md as it is written: two workers drain one outbox, and one of them is killed half-way."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from leadflow.app import App, deliver_due, open_app
from leadflow.models import job_run, message
from leadflow.scheduler.server import PrefectServer
from tests.flows.busy import make_busy, plan_mails
from tests.flows.machines import (
    Mailbox,
    family,
    kill_family,
    prefect,
    prefect_on,
    rows,
    slow_mail_server,
    wait_for,
    worker,
)
from tests.postgres import running_postgres
from tests.soak import SOAK

pytestmark = [
    pytest.mark.slow,
    pytest.mark.soak,
    pytest.mark.skipif(not SOAK, reason="a server, its deployments and two workers take a minute: make soak"),
]
T = TypeVar("T")

PEOPLE = 1_500
#: A run holds two claims at most.
BATCH = 100
#: Seconds between SIGTERM and SIGKILL, as every supervisor has them: Prefect's worker misses the first now and then.
PATIENCE = 5
WORKERS = f"workers: {{at_once: 2, mails_each: {PEOPLE // 2}}}\n"


@dataclass
class Plant:
    """A Prefect server on PostgreSQL, a workspace on PostgreSQL with mails due, and where they go."""

    server: PrefectServer
    workspace: Path
    app: App
    box: Mailbox


@contextmanager
def running_plant(folder: Path) -> Iterator[Plant]:
    """Everything but the workers."""
    with ExitStack() as stack:
        postgres = stack.enter_context(running_postgres(durable=True))
        box = stack.enter_context(slow_mail_server(per_second=120))
        for name in ("prefect", "leadflow"):
            postgres.create(name)
        settings = f"LEADFLOW_DATABASE_URL={postgres.url('leadflow')}\nLEADFLOW_ESP=smtp\nLEADFLOW_SMTP_URL={box.url}\n"
        workspace = folder / "workspace"
        make_busy(workspace, WORKERS, settings)
        app = open_app(workspace)
        stack.callback(app.engine.dispose)
        plan_mails(app, PEOPLE)
        home = folder / "prefect"
        home.mkdir()
        server = stack.enter_context(prefect_on(postgres.url("prefect").replace("psycopg", "asyncpg"), home))
        yield Plant(server=server, workspace=workspace, app=app, box=box)


def states(app: App) -> Counter[str]:
    with Session(app.engine) as session:
        told = session.execute(select(message.c.state, func.count()).group_by(message.c.state))
        return Counter(dict(told.tuples().all()))


def runs_of(plant: Plant, flow: str) -> list[dict[str, Any]]:
    return rows(plant.server, "flow_runs", flows={"name": {"any_": [flow]}}, sort="EXPECTED_START_TIME_ASC")


def ask_for_delivery(plant: Plant) -> None:
    """What the schedule does every five minutes."""
    with httpx.Client(base_url=plant.server.api, trust_env=False, timeout=30) as client:
        of = client.get("/deployments/name/deliver/deliver").raise_for_status().json()["id"]
        # The schedule itself would come between.
        client.post(f"/deployments/{of}/pause_deployment").raise_for_status()
        client.post(f"/deployments/{of}/create_flow_run", json={"parameters": {"slot": "2026-W48"}}).raise_for_status()


def drain_and_strike(plant: Plant, strike: Callable[[int], T]) -> T:
    """Deliver on two workers; `strike` the second once both are at it."""
    prefect(plant.server, plant.workspace, "work-pool", "create", "leadflow", "--type", "process")
    prefect(plant.server, plant.workspace, "deploy", "--name", "deliver", "--name", "drain")
    both = ("--work-queue", "jobs", "--work-queue", "shares", "--limit", "2")
    with (
        worker(plant.server, plant.workspace, "first", *both),
        worker(plant.server, plant.workspace, "second", "--work-queue", "shares", "--limit", "1") as second,
    ):
        ask_for_delivery(plant)
        wait_for(lambda: at_it(plant.app) == 2, 240)
        begun = len(plant.box.took)
        wait_for(lambda: len(plant.box.took) > begun + PEOPLE // 5, 240)
        came = strike(second.pid)
        wait_for(lambda: runs_of(plant, "deliver")[0]["state_type"] == "COMPLETED", 240)
    return came


def stop_in_order(pid: int) -> float:
    """The worker's runs are told first, and then the worker. Seconds until the runs have ended."""
    runs = family(pid)[1:]
    assert runs, "a flow run is a process of its own"
    began = time.monotonic()
    for run in runs:
        os.kill(run, signal.SIGTERM)
    wait_for(lambda: not any(alive(run) for run in runs), 60)
    took = time.monotonic() - began
    os.kill(pid, signal.SIGTERM)
    return took


def tell_the_worker_alone(pid: int) -> int:
    """SIGTERM, at which Prefect's worker kills its runs, and what is left is killed; how many processes have ended."""
    ending = family(pid)
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + PATIENCE
    while any(alive(one) for one in ending) and time.monotonic() < until:
        time.sleep(0.1)
    kill_family(pid)
    wait_for(lambda: not any(alive(one) for one in ending), 60)
    return len(ending)


def alive(pid: int) -> bool:
    """Whether it runs: one whose parent has not heard of its end does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def at_it(app: App) -> int:
    """How many shares have begun."""
    begun = select(func.count()).where(job_run.c.job == "drain")
    with Session(app.engine) as session:
        return session.scalar(begun) or 0


@pytest.mark.parametrize("strike", [kill_family, tell_the_worker_alone])
def test_killing_one_of_two_workers_loses_and_repeats_nothing(strike: Callable[[int], int], tmp_path: Path) -> None:
    with running_plant(tmp_path) as plant:
        assert drain_and_strike(plant, strike) >= 2
        seen = states(plant.app)
        in_hand = seen["claimed"] + seen["sending"]
        assert seen["planned"] == 0
        # Two claims with intents, and one on its way to them.
        assert seen["sending"] <= 2 * BATCH
        assert 0 < in_hand <= 3 * BATCH
        (parent,) = runs_of(plant, "deliver")
        assert parent["state_name"] == "Unfinished"
        assert parent["state"]["message"].endswith(f"{in_hand} wait")
        assert sorted(run["state_type"] == "COMPLETED" for run in runs_of(plant, "drain")) == [False, True]
        outlive_leases(plant.app)
        after = states(plant.app)
        assert after["accepted"] + after["sending"] == PEOPLE
    took = Counter(plant.box.took)
    assert max(took.values()) == 1
    assert after["accepted"] <= len(took) <= after["accepted"] + after["sending"]


def test_a_worker_that_is_stopped_in_order_leaves_nothing_behind(tmp_path: Path) -> None:
    with running_plant(tmp_path) as plant:
        assert drain_and_strike(plant, stop_in_order) < 30
        assert states(plant.app) == Counter(accepted=PEOPLE)
        assert [run["state_name"] for run in runs_of(plant, "deliver")] == ["Completed"]
        told = [run["state"]["message"] for run in runs_of(plant, "drain") if run["state_name"] == "Completed"]
        assert any(words.startswith("stopped · ") for words in told)
    assert (len(plant.box.took), len(set(plant.box.took))) == (PEOPLE, PEOPLE)


def outlive_leases(app: App) -> None:
    """Ten minutes later: what the dead worker had claimed is anybody's."""
    with Session(app.engine) as session, session.begin():
        session.execute(update(message).where(message.c.state == "claimed").values(lease_until=1))
    deliver_due(app, datetime.now(UTC))
