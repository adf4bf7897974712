"""What Prefect costs: a delivery as a flow run on a local server, in which to send is to wait as long as it takes.

Two deliveries differ by 5 % where nothing differs, and 2 % is what is looked for. So the delivery itself is measured
without Prefect, and the flow with nothing in it but the wait: what it takes beyond that is Prefect's own, and so is the
processor time of the flow's process and of the server.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bench.delivery import _asked, _databases, _sink
from bench.delivery_rows import NOW, fill, fill_again, make_workspace
from bench.table import Line, Say, seconds, show
from leadflow.scheduler.server import PrefectServer, client_environment, local_server

MAILS, REPEATS = 100_000, 3
#: Of the delivery's own time.
SHARE = 0.02


@dataclass(slots=True)
class _Seen:
    """Seconds of deliveries without Prefect; of flow runs beyond their wait, and those their cores were at work."""

    plain: list[float] = field(default_factory=list)
    beyond: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)


def lines(say: Say, mails: int = MAILS) -> list[Line]:
    """What Prefect takes on each database; the server, its browser pages and its own database run here."""
    with tempfile.TemporaryDirectory() as folder, _sink() as url:
        place = Path(folder)
        version = make_workspace(place)
        say("prefect: filling the outboxes")
        fill(f"sqlite:///{place / 'SQLite.db'}", mails, version)
        with local_server(place, port=0, drive=False) as server, _databases(place) as databases:
            found: list[Line] = []
            for kind, database in databases.items():
                _settle(place, url, database)
                seen = _measure(place, database, url, mails, server, partial(_say, say, kind))
                found += _lines(kind, seen, mails)
            return found


def _say(say: Say, kind: str, what: str) -> None:
    say(f"prefect: {kind} {what}")


def _settle(place: Path, url: str, database: str) -> None:
    settings = {"ESP": "sendgrid", "SENDGRID_URL": url, "SENDGRID_API_KEY": "SG.bench", "DATABASE_URL": database}
    text = "".join(f"LEADFLOW_{name}={value}\n" for name, value in settings.items())
    (place / ".env").write_text(text, encoding="utf-8")


def _measure(place: Path, database: str, url: str, mails: int, server: PrefectServer, say: Say) -> _Seen:
    seen = _Seen()
    for number in range(1, REPEATS + 1):
        told = _run(place, mails, 0, {})
        assert told["waiting"] == 0, told
        _asked(url, mails)
        fill_again(database)
        seen.plain.append(told["seconds"])
        say(f"by itself, {number} of {REPEATS}: {seconds(seen.plain[-1])}")
    wait = median(seen.plain)
    idle = _worked(server, wait)
    for number in range(1, REPEATS + 1):
        before = _processor(server)
        told = _run(place, mails, wait, {**client_environment(place), "PREFECT_API_URL": server.api})
        assert (told["state"], told["told"]) == ("Completed", f"{mails} mails"), told
        # What the server puts off is its work as well.
        time.sleep(2)
        seen.beyond.append(told["seconds"] - wait)
        seen.worked.append(told["worked"] + _processor(server) - before - idle)
        say(f"as a flow run, {number} of {REPEATS}: {seconds(seen.beyond[-1])} more")
    return seen


def _lines(kind: str, seen: _Seen, mails: int) -> Iterator[Line]:
    plain, cores = median(seen.plain), len(os.sched_getaffinity(0))
    for what, own in (
        (f"{mails:,} mails as a flow run", median(seen.beyond)),
        ("  if all cores were at work: Prefect's processor time", median(seen.worked) / cores),
    ):
        yield Line(
            what=what,
            database=kind,
            figure=seconds(plain + own),
            floor=seconds(plain),
            ratio=(plain + own) / plain,
            promise=f"≤ {1 + SHARE:g} ×",
            kept=own <= plain * SHARE,
        )


def _worked(server: PrefectServer, wait: float) -> float:
    """Processor seconds that a server with nothing to do takes in `wait` seconds."""
    before = _processor(server)
    time.sleep(wait)
    return _processor(server) - before


def _processor(server: PrefectServer) -> float:
    """Processor seconds that the server's processes have had."""
    assert server.pid is not None
    return sum(map(_ticks, _family(server.pid))) / os.sysconf("SC_CLK_TCK")


def _family(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _family(int(child))


def _ticks(pid: int) -> int:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return int(user) + int(system)


def _run(place: Path, mails: int, wait: float, more: Mapping[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.prefect_run", str(place), NOW.isoformat(), str(mails), str(wait)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **more})
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


if __name__ == "__main__":
    print(show(lines(lambda what: print(what, file=sys.stderr), int(sys.argv[1]) if sys.argv[1:] else MAILS)))
