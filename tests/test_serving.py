"""`leadflow serve` as a process: doors open, runs recorded, everything ended by one signal."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from leadflow.playbook.example import copy_example

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(workspace: Path, port: int, *words: str) -> Iterator[subprocess.Popen[str]]:
    """`leadflow serve` on `port`, its door open."""
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
        give_up = time.monotonic() + 90
        while time.monotonic() < give_up and process.poll() is None:
            try:
                if httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.2)
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """The example, whose upkeep runs every minute."""
    copy_example(tmp_path)
    schedule = tmp_path / "config" / "schedule.yaml"
    schedule.write_text(schedule.read_text().replace("upkeep: {every: 5 minutes}", "upkeep: {every: 1 minutes}"))
    return tmp_path


@pytest.mark.parametrize("word", [signal.SIGTERM, signal.SIGINT])
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


def test_its_prefect_server_records_runs_and_ends_with_it(workspace: Path) -> None:
    port, prefect_port = free_port(), free_port()
    with serving(workspace, port, "--prefect-port", str(prefect_port)) as process:
        api = f"http://127.0.0.1:{prefect_port}/api"
        runs: list[dict[str, str]] = []
        give_up = time.monotonic() + 80
        while not runs and time.monotonic() < give_up:
            time.sleep(0.5)
            found = httpx.post(f"{api}/flow_runs/filter", json={}, trust_env=False).json()
            runs = [run for run in found if run["state_type"] == "COMPLETED"]
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert runs
    assert runs[0]["name"].startswith("upkeep ")
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"{api}/health", trust_env=False)
