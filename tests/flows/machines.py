"""The machines of docs/how-to/scale-out.md on this one: a Prefect server on PostgreSQL, workers, a slow mail server."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from leadflow.scheduler.server import PrefectServer, healthy, server_environment

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: Callable[[], Any], seconds: float) -> Any:
    """What `what()` returns, as soon as it is true; an AssertionError when it never is."""
    until = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < until, f"nothing came of it within {seconds:.0f} seconds"
        time.sleep(0.1)
    return found


def environment(home: Path, **more: str) -> dict[str, str]:
    """The variables of a process that has nothing of this user's."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "LEADFLOW_", "COV"))}
    quiet = {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "PREFECT_SERVER_UI_V2_ENABLED": "false"}
    own = {"PREFECT_HOME": str(home), "HOME": str(home), "PYTHONPATH": str(ROOT)}
    return plain | quiet | own | {"PREFECT_LOGGING_EXTRA_LOGGERS": "leadflow"} | more


@contextmanager
def running(words: Sequence[str], folder: Path, told: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m` with these words, in a session of its own; ended with all its children."""
    with log.open("ab") as out:
        command = [sys.executable, "-m", *words]
        process = subprocess.Popen(command, cwd=folder, env=told, stdout=out, stderr=out, start_new_session=True)
    try:
        yield process
    finally:
        kill_family(process.pid)
        process.wait()


@contextmanager
def prefect_on(database: str, folder: Path) -> Iterator[PrefectServer]:
    """A Prefect server whose tables are in `database`, an asyncpg URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    told = {**environment(folder), **server_environment(folder, url), "PREFECT_HOME": str(folder)}
    # A machine with much else to do is slow, not broken.
    patience = {"PREFECT_API_DATABASE_TIMEOUT": "60", "PREFECT_API_DATABASE_CONNECTION_TIMEOUT": "60"}
    told |= {"PREFECT_API_DATABASE_CONNECTION_URL": database, **patience}
    words = ("prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port))
    server = PrefectServer(url=url, home=folder)
    with running(words, folder, told, folder / "server.log"):
        wait_for(lambda: healthy(server), 240)
        yield server


def prefect(server: PrefectServer, folder: Path, *words: str) -> None:
    """The Prefect command in `folder`, against the server."""
    told = environment(server.home, PREFECT_API_URL=server.api)
    command = [sys.executable, "-m", "prefect", "--no-prompt", *words]
    done = subprocess.run(command, cwd=folder, env=told, capture_output=True, text=True, check=False, timeout=170)
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def worker(server: PrefectServer, workspace: Path, name: str, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of the pool, started in the workspace as on any machine, that looks for work every second."""
    told = environment(server.home, PREFECT_API_URL=server.api, PREFECT_WORKER_QUERY_SECONDS="1")
    start = ("prefect", "worker", "start", "--pool", "leadflow", "--name", name, *words)
    with running(start, workspace, told, server.home / f"{name}.log") as process:
        yield process


def family(pid: int) -> list[int]:
    """A process and all that descends from it."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        found = [
            int(child) for task in children.parents[1].iterdir() for child in (task / "children").read_text().split()
        ]
    except OSError:
        found = []
    return [pid, *(one for child in found for one in family(child))]


def kill_family(pid: int) -> int:
    """-9 to a process and its children, so that none of them can say a word; how many there were."""
    struck = family(pid)
    for one in struck:
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
    return len(struck)


@dataclass
class Mailbox:
    """What a mail server took: the addresses, in their order."""

    url: str = ""
    took: list[str] = field(default_factory=list)


@contextmanager
def slow_mail_server(per_second: int) -> Iterator[Mailbox]:
    """A mail server that takes no more mails in a second, however many ask."""
    box, door = Mailbox(), asyncio.Lock()

    class Slow:
        async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802
            async with door:
                await asyncio.sleep(1 / per_second)
                box.took.extend(envelope.rcpt_tos)
            return "250 2.0.0 queued"

    listening = Controller(Slow(), hostname="127.0.0.1", port=free_port())
    listening.start()
    box.url = f"smtp://127.0.0.1:{listening.port}"
    try:
        yield box
    finally:
        listening.stop()


def rows(server: PrefectServer, kind: str, **filters: Any) -> list[dict[str, Any]]:
    """What the server answers to a filter."""
    answer = httpx.post(f"{server.api}/{kind}/filter", json=filters, trust_env=False, timeout=30)
    answer.raise_for_status()
    found: list[dict[str, Any]] = answer.json()
    return found
