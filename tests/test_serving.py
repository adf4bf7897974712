"""`leadflow serve` as a process: doors open, runs recorded, everything ended by one signal."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, func, insert, select
from sqlalchemy.orm import Session

from leadflow.app import open_app
from leadflow.models import job_run
from leadflow.models import sweep as sweep_log
from leadflow.playbook.example import copy_example

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(workspace: Path, port: int, *words: str, wait: bool = True) -> Iterator[subprocess.Popen[str]]:
    """`leadflow serve` on `port`; with `wait` its door is open."""
    command = [
        str(Path(sys.executable).with_name("leadflow")),
        "serve",
        "--port",
        str(port),
        "-w",
        str(workspace),
        *words,
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        if wait:
            wait_for_door(port, process)
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def wait_for_door(port: int, process: subprocess.Popen[str]) -> None:
    """Until somebody answers, or it has ended."""
    give_up = time.monotonic() + 90
    while time.monotonic() < give_up and process.poll() is None:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code == 200:
                break
        except httpx.HTTPError:
            time.sleep(0.1)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """The example."""
    copy_example(tmp_path)
    return tmp_path


@pytest.fixture
def overdue(workspace: Path) -> Iterator[Engine]:
    """The database of a workspace whose machine was off for three days: a night waits for whoever serves first."""
    engine = open_app(workspace).engine
    began = datetime.now(UTC) - timedelta(days=3)
    first = {"job": "scheduler", "slot": "first start", "state": "done", "owner": "x", "result": {}}
    with Session(engine) as session, session.begin():
        session.execute(insert(job_run), first | {"started_at": began, "lease_until": began, "attempt": 1})
    yield engine
    engine.dispose()


def wait_for_night(engine: Engine) -> None:
    """Until a night has been lived."""
    give_up = time.monotonic() + 80
    lived = select(job_run.c.slot).where(job_run.c.job == "nightly", job_run.c.state == "done")
    while time.monotonic() < give_up:
        with Session(engine) as session:
            if session.scalar(lived) is not None:
                return
        time.sleep(0.2)
    raise AssertionError("no night was lived")


@pytest.mark.parametrize("word", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.no_cover)])
def test_one_signal_ends_it_in_order(workspace: Path, word: signal.Signals) -> None:
    port = free_port()
    with serving(workspace, port, "--no-prefect") as process:
        assert process.poll() is None
        process.send_signal(word)
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert "schedule  nightly" in said
    assert "Traceback" not in said


def test_a_second_one_on_the_same_door_says_so(workspace: Path) -> None:
    port = free_port()
    with serving(workspace, port, "--no-prefect"), serving(workspace, port, "--no-prefect") as second:
        said, _ = second.communicate(timeout=60)
    assert second.returncode == 2
    assert "is taken" in said
    assert "Traceback" not in said


@pytest.mark.no_cover  # tests/test_scheduler.py counts the lines of a night
def test_started_twice_it_lives_each_night_once(workspace: Path, overdue: Engine) -> None:
    ports = free_port(), free_port()
    with ExitStack() as stack:
        both = [stack.enter_context(serving(workspace, port, "--no-prefect", wait=False)) for port in ports]
        for port, process in zip(ports, both, strict=True):
            wait_for_door(port, process)
        wait_for_night(overdue)
        said = [end(process) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    with Session(overdue) as session:
        nights = session.execute(select(job_run.c.attempt).where(job_run.c.job == "nightly")).all()
        sweeps = session.scalar(select(func.count()).select_from(sweep_log))
    assert ([tuple(night) for night in nights], sweeps) == ([(1,)], 1)


def end(process: subprocess.Popen[str]) -> str:
    """Ask it to end; what it said."""
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    return said


@pytest.mark.no_cover  # so do tests/flows and tests/test_prefect_server.py those of the server
def test_its_prefect_server_records_runs_and_ends_with_it(workspace: Path, overdue: Engine) -> None:
    prefect_port = free_port()
    with serving(workspace, free_port(), "--prefect-port", str(prefect_port)) as process:
        api = f"http://127.0.0.1:{prefect_port}/api"
        wait_for_night(overdue)
        found = httpx.post(f"{api}/flow_runs/filter", json={}, trust_env=False).json()
        said = end(process)
    assert process.returncode == 0, said
    assert found[0]["name"].startswith("night ")
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"{api}/health", trust_env=False)
