"""The processes of a fire, held from the test: the outside world, the zygote that forks workers, what they did."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.faults.manners import Manners

ROOT = Path(__file__).parents[2]


def _environment() -> dict[str, str]:
    # What is killed leaves no coverage behind, and counting lines would make a fork slow.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    return plain | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


def _start(module: str, *words: str, log: Path) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    """A module of these tests as a process; the line of JSON it begins with."""
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *words],
            cwd=ROOT,
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    assert process.stdout is not None
    first = process.stdout.readline()
    if not first:
        _end(process)
        raise RuntimeError(f"{module} did not start:\n{log.read_text()}")
    return process, json.loads(first)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


class OutsideWorld:
    """The stand-in SendGrid and mail server, as told last."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        self.http, self.smtp = ports["http"], ports["smtp"]

    def begin(self, manners: Manners) -> None:
        """A new record and a new seed."""
        self._control(asdict(manners))

    def change(self, **told: Any) -> None:
        """Other manners from here on; record and tally go on."""
        self._control({"change": told})

    @property
    def state(self) -> dict[str, Any]:
        """Where its record lies, what it counted, its public key."""
        return self._control(None)

    def _control(self, told: Mapping[str, Any] | None) -> dict[str, Any]:
        body = None if told is None else json.dumps(told).encode()
        asked = urllib.request.Request(f"http://127.0.0.1:{self.http}/control", data=body)
        with urllib.request.urlopen(asked, timeout=60) as said:  # noqa: S310 - our own process on this machine
            found: dict[str, Any] = json.loads(said.read())
        return found


@contextmanager
def running_outside(folder: Path) -> Iterator[OutsideWorld]:
    """Both servers in a process of their own."""
    process, ports = _start("tests.faults.outside", str(folder), log=folder / "outside.log")
    try:
        yield OutsideWorld(ports)
    finally:
        _end(process)


class Zygote:
    """Forks workers, and knows how they were begun and ended."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self.log = log
        self._alive: set[int] = set()

    def warm(self, url: str) -> None:
        """Let it compile, on an empty database that is nobody's, what every worker will need."""
        assert self._ask({"warm": url})["threads"] == 1

    def load(self, module: str) -> None:
        """Let it import what only some workers need."""
        assert self._ask({"load": module})["threads"] == 1

    def spawn(self, told: Mapping[str, Any]) -> int:
        """A new worker that does as told; its process."""
        pid = self._ask(told)["pid"]
        self._alive.add(pid)
        return pid

    def _ask(self, told: Mapping[str, Any]) -> dict[str, int]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(told).encode() + b"\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline()
        if not said:
            raise RuntimeError(f"the zygote died:\n{self.log.read_text()[-2000:]}")
        found: dict[str, int] = json.loads(said)
        return found

    def end_all(self) -> None:
        """Kill whatever still lives, stopped or not."""
        for pid in self._alive:
            kill(pid)
        wait_for(lambda: not any(lives(pid) for pid in self._alive))
        self._alive.clear()


@contextmanager
def running_zygote(folder: Path) -> Iterator[Zygote]:
    """A zygote; what its workers complain of lies in its log."""
    log = folder / "workers.log"
    process, _ready = _start("tests.faults.zygote", log=log)
    zygote = Zygote(process, log)
    try:
        yield zygote
    finally:
        zygote.end_all()
        _end(process)


def kill(pid: int, blow: int = signal.SIGKILL) -> bool:
    """Strike a process; False when it was gone."""
    with suppress(ProcessLookupError):
        os.kill(pid, blow)
        return True
    return False


def lives(pid: int) -> bool:
    """Whether a process is there and not dead."""
    return _state(pid) not in ("", "Z", "X")


def stands_still(pid: int) -> bool:
    """Whether a process has been stopped."""
    return _state(pid) == "T"


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def wait_for(what: Any, seconds: float = 60.0) -> bool:
    """Whether `what()` came true in time."""
    until = time.monotonic() + seconds
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True
