"""The local Prefect server: up when we say so, gone when we go, and nowhere but in the workspace."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from leadflow.scheduler.server import (
    PrefectServer,
    ServerError,
    _answering,
    healthy,
    local_server,
    running_server,
    server_environment,
)
from tests.counted import uncounted_processes

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _servers_count_nothing() -> Iterator[None]:
    with uncounted_processes():
        yield


def gone(pid: int) -> bool:
    """Whether a process has ended, within a few seconds."""
    for _ in range(150):
        try:
            status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if status == "Z":
            return True
        time.sleep(0.1)
    return False


def test_a_server_is_found_by_others_ends_with_its_owner_and_leaves_nothing_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, workspace = tmp_path / "home", tmp_path / "workspace"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    waited: list[float] = []
    with local_server(workspace, port=0, drive=False, progress=waited.append) as server:
        assert httpx.get(f"{server.url}/runs", headers={"Accept": "text/html"}, trust_env=False).status_code == 200
        with local_server(workspace, port=0, drive=False) as same:
            assert (same.url, same.pid) == (server.url, None)
        assert healthy(server), "whoever found it must not end it"
        from_elsewhere = {"Origin": "http://elsewhere.example"}
        answer = httpx.get(f"{server.api}/health", headers=from_elsewhere, trust_env=False)
        assert "access-control-allow-origin" not in answer.headers
    assert waited
    assert server.pid is not None
    assert gone(server.pid)
    assert running_server(workspace) is None
    assert list(home.iterdir()) == []
    assert [path.name for path in workspace.iterdir()] == ["var"]


def test_a_server_does_not_outlive_an_owner_that_was_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from leadflow.scheduler.server import local_server\n"
        "with local_server(Path(sys.argv[1]), port=0, drive=False) as server:\n"
        "    print(server.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        owner.send_signal(signal.SIGKILL)
    assert gone(pid)


def test_a_server_that_is_named_is_used_and_none_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    with local_server(tmp_path) as server:
        assert server == PrefectServer(url="http://127.0.0.1:9")
        assert os.environ["PREFECT_API_URL"] == "http://127.0.0.1:9/api"
    assert list(tmp_path.iterdir()) == []


def test_a_note_of_a_server_that_is_gone_is_not_believed(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "prefect"
    folder.mkdir(parents=True)
    (folder / "server.json").write_text('{"pid": 1, "url": "http://127.0.0.1:9"}')
    assert running_server(tmp_path) is None


def test_nothing_the_server_does_leaves_the_machine(tmp_path: Path) -> None:
    told = server_environment(tmp_path, "http://127.0.0.1:4200")
    assert told["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert told["PREFECT_SERVER_UI_V2_ENABLED"] == "false"
    assert told["DO_NOT_TRACK"] == "1"
    assert told["PREFECT_HOME"].startswith(str(tmp_path))


def killed_and_asked(server: PrefectServer) -> None:
    """As Prefect says it."""
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    assert gone(server.pid)
    try:
        httpx.get(f"{server.api}/health", trust_env=False)
    except httpx.HTTPError as error:
        raise RuntimeError("Failed to reach API") from error


def test_one_that_answers_no_longer_is_told_in_words(tmp_path: Path) -> None:
    told = pytest.raises(ServerError, match=r"answers no longer.*server\.log says why")
    with told, local_server(tmp_path, port=0, drive=False) as server:
        killed_and_asked(server)
    assert running_server(tmp_path) is None


def test_what_others_do_not_answer_is_no_fault_of_the_server() -> None:
    with pytest.raises(httpx.ConnectError), _answering(PrefectServer(url="http://127.0.0.1:4200")):
        httpx.get("http://127.0.0.1:1/", trust_env=False)
