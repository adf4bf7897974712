"""A local Prefect server of one workspace: on loopback, its files in var/prefect, ended by who started it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from leadflow.errors import LeadflowError
from leadflow.text import _

HOST = "127.0.0.1"
#: Prefect's own; any free one when it is taken.
PORT = 4200
#: On a slow machine a first start also makes the server's tables.
START_WITHIN = 120.0
STOP_WITHIN = 15.0

#: Told how many seconds the start has taken so far.
Progress = Callable[[float], None]

# A killed parent must not leave a server behind: this asks the kernel for SIGTERM at its death, then becomes Prefect.
_LAUNCH = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
    if os.getppid() != int(sys.argv[1]):
        sys.exit(1)
os.execv(sys.executable, [sys.executable, "-m", "prefect", *sys.argv[2:]])
"""


class ServerError(LeadflowError):
    """The local Prefect server did not start, or answers no longer; var/prefect/server.log says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefectServer:
    """Where runs are recorded: the API that flows speak to, and the pages people look at."""

    url: str
    #: None for a server somebody else started.
    pid: int | None = None
    home: Path = Path()

    @property
    def api(self) -> str:
        """PREFECT_API_URL."""
        return f"{self.url}/api"


def home(workspace: Path) -> Path:
    """Everything Prefect writes for this workspace."""
    return (workspace / "var" / "prefect").resolve()


def client_environment(workspace: Path) -> Mapping[str, str]:
    """The variables of a process that drives flows; they count only if set before `prefect` is imported."""
    return {
        "PREFECT_HOME": str(home(workspace)),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_EXTRA_LOGGERS": "leadflow",
        # What the clock and the doors say belongs to no run.
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        # Ten lines a run belong on the run's page; the terminal gets what went wrong.
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "WARNING",
    }


def server_environment(workspace: Path, url: str) -> Mapping[str, str]:
    """The variables of the server: nothing leaves the machine, writes are gathered, old runs are swept out."""
    return {
        **client_environment(workspace),
        "PREFECT_API_URL": f"{url}/api",
        # Any page in a browser could otherwise read the API of this machine.
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": url,
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        # The newer pages call an analytics host from the browser whatever the settings say.
        "PREFECT_SERVER_UI_V2_ENABLED": "false",
        "PREFECT_UI_STATIC_DIRECTORY": str(home(workspace) / "ui"),
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
        "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "200",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    }


@contextmanager
def local_server(
    workspace: Path, *, port: int = PORT, progress: Progress = lambda _seconds: None, drive: bool = True
) -> Iterator[PrefectServer]:
    """The server that this workspace's runs go to: PREFECT_API_URL's, one already running here, else one of our own.

    With `drive` the variables that flows need are set in this process: enter before anything imports `prefect`.
    Only a server of our own is ended on leaving.
    """
    given = os.environ.get("PREFECT_API_URL")
    found = PrefectServer(url=given.removesuffix("/api")) if given else running_server(workspace)
    if found is not None:
        if drive:
            os.environ.update(_driving(workspace, found, given is not None))
        with _answering(found):
            yield found
        return
    process, server = _start(workspace, _free_port(port))
    try:
        _wait_healthy(workspace, process, server, progress)
        _record(workspace).write_text(json.dumps({"pid": process.pid, "url": server.url}))
        if drive:
            os.environ.update(_driving(workspace, server, named=False))
        with _answering(server, home(workspace) / "server.log"):
            yield server
    finally:
        # However it was left, by SIGTERM too, unless there is nobody to send to.
        if process.poll() is None:
            _send_rest()
        _stop(process)
        _record(workspace).unlink(missing_ok=True)


@contextmanager
def _answering(server: PrefectServer, log: Path | None = None) -> Iterator[None]:
    """Say in words that the server was asked in vain."""
    try:
        yield
    except Exception as error:
        if not _asked_in_vain(error, server):
            raise
        words = _("the Prefect server at {url} answers no longer, and what it records cannot go on")
        told = words.format(url=server.url)
        raise ServerError(told if log is None else _("{told}; {log} says why").format(told=told, log=log)) from None


def _asked_in_vain(error: BaseException | None, server: PrefectServer) -> bool:
    """Whether a question to `server` without an answer is behind an error: Prefect wraps some of them."""
    while error is not None and not isinstance(error, httpx.TransportError):
        error = error.__cause__ or error.__context__
    with suppress(RuntimeError):
        return error is not None and str(error.request.url).startswith(server.url)
    return False


def running_server(workspace: Path) -> PrefectServer | None:
    """The server another process started for this workspace and keeps running, if there is one."""
    try:
        noted = json.loads(_record(workspace).read_text())
        server = PrefectServer(url=str(noted["url"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return server if healthy(server) else None


def healthy(server: PrefectServer) -> bool:
    """Whether it answers."""
    try:
        return httpx.get(f"{server.api}/health", timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def _driving(workspace: Path, server: PrefectServer, named: bool) -> Mapping[str, str]:
    own = client_environment(workspace)
    # Who names a server by PREFECT_API_URL may have a PREFECT_HOME with its profile, too.
    kept = {name: os.environ[name] for name in own if named and name in os.environ}
    return {**own, **kept, "PREFECT_API_URL": server.api}


def _record(workspace: Path) -> Path:
    return home(workspace) / "server.json"


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ServerError(_("no free port on {host} for the local Prefect server").format(host=HOST))


def _start(workspace: Path, port: int) -> tuple[subprocess.Popen[bytes], PrefectServer]:
    folder = home(workspace)
    folder.mkdir(parents=True, exist_ok=True)
    url = f"http://{HOST}:{port}"
    command = [sys.executable, "-c", _LAUNCH, str(os.getpid()), "server", "start", "--host", HOST, "--port", str(port)]
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and words
            command,
            env={**_without_prefect(os.environ), **server_environment(workspace, url)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            # Ctrl-C in a terminal reaches the whole group; the server ends after the runs that need it, by our hand.
            start_new_session=True,
        )
    return process, PrefectServer(url=url, pid=process.pid, home=folder)


def _without_prefect(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith("PREFECT_")}


def _wait_healthy(workspace: Path, process: subprocess.Popen[bytes], server: PrefectServer, progress: Progress) -> None:
    started = time.monotonic()
    while (passed := time.monotonic() - started) < START_WITHIN:
        progress(passed)
        if process.poll() is not None:
            break
        if healthy(server):
            return
        time.sleep(0.2)
    raise ServerError(
        _("the local Prefect server did not start; {log} says why").format(log=home(workspace) / "server.log")
    )


def _send_rest() -> None:
    # Prefect sends logs and events from threads of its own, and at exit would find the server gone.
    for module, worker in (("prefect.logging.handlers", "APILogWorker"), ("prefect.events.worker", "EventsWorker")):
        if module in sys.modules:
            getattr(sys.modules[module], worker).drain_all(timeout=10)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
