"""prefect.yaml: says what config/schedule.yaml says, and a real server schedules runs from it."""

import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from apscheduler.triggers.cron import CronTrigger
from ruamel.yaml import YAML

from leadflow.app.slots import slots_between
from leadflow.playbook.load import load_playbook
from leadflow.scheduler.server import PrefectServer

ROOT = Path(__file__).parents[2]
FILE: dict[str, Any] = YAML(typ="safe").load(ROOT / "prefect.yaml")
BY_NAME = {deployment["name"]: deployment for deployment in FILE["deployments"]}


def fired(deployment: dict[str, Any], since: datetime, until: datetime) -> set[datetime]:
    """When the cron lines of a deployment fire."""
    found = set()
    for schedule in deployment["schedules"]:
        assert not any(sign.isdigit() for sign in schedule["cron"].split()[4]), "weekdays are named: numbers differ"
        trigger = CronTrigger.from_crontab(schedule["cron"], timezone=ZoneInfo(schedule["timezone"]))
        now = since
        while (at := trigger.get_next_fire_time(None, now)) <= until:
            found.add(at.astimezone(UTC))
            now = at + timedelta(seconds=1)
    return found


SCHEDULED = ["nightly", "deliver", "escalate", "upkeep"]


@pytest.mark.parametrize("name", SCHEDULED)
def test_a_deployment_fires_when_the_schedule_says(name: str) -> None:
    playbook = load_playbook(ROOT)
    job = next(job for job in playbook.schedule.jobs if job.name == name)
    since = datetime(2026, 3, 26, 12, 1, tzinfo=UTC)
    until = since + timedelta(days=5)
    slots = {slot.at for slot in slots_between(job, ZoneInfo(playbook.office.zone), since, until)}
    assert fired(BY_NAME[name], since, until) == slots


@pytest.mark.parametrize("name", SCHEDULED)
def test_a_late_run_waits_its_turn_and_claims_its_slot(name: str) -> None:
    assert BY_NAME[name]["concurrency_limit"] == {"limit": 1, "collision_strategy": "ENQUEUE"}
    assert BY_NAME[name]["parameters"] == {"workspace": ".", "slot": "scheduled"}


def test_runs_that_ask_for_others_never_take_the_places_of_those() -> None:
    queues = {name: deployment["work_pool"]["work_queue_name"] for name, deployment in BY_NAME.items()}
    assert queues == {**dict.fromkeys(SCHEDULED, "jobs"), "drain": "shares"}


def prefect(server: PrefectServer, folder: Path, *words: str) -> None:
    """The Prefect command in `folder`, against the server, with nothing of this user's."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment |= {
        "PREFECT_API_URL": server.api,
        "PREFECT_HOME": str(folder / "prefect-home"),
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
    command = [sys.executable, "-m", "prefect", *words]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_a_server_schedules_the_deployed_night(server: PrefectServer, api: httpx.Client, tmp_path: Path) -> None:
    shutil.copy(ROOT / "prefect.yaml", tmp_path)
    shutil.copytree(ROOT / "flows", tmp_path / "flows")
    prefect(server, tmp_path, "--no-prompt", "work-pool", "create", "leadflow", "--type", "process")
    prefect(server, tmp_path, "--no-prompt", "deploy", "--name", "nightly")
    runs: list[dict[str, Any]] = []
    give_up = time.monotonic() + 60
    while not runs and time.monotonic() < give_up:
        time.sleep(0.5)
        answer = api.post("/flow_runs/filter", json={"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}})
        runs = answer.json()
    assert runs, "the server schedules nothing: is its SQLAlchemy one it works with?"
    assert runs[0]["parameters"] == {"workspace": ".", "slot": "scheduled"}
    due = datetime.fromisoformat(runs[0]["expected_start_time"]).astimezone(ZoneInfo("Europe/Paris"))
    assert (due.hour, due.minute) == (4, 15)
