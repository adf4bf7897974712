"""Delivery end to end: 100,000 mails of 24 KB with 24 links, to a server on this machine, against the floor."""

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import Engine, text

from bench.copying import copy_database
from bench.delivery_rows import EMAIL, NOW, fill, fill_again, make_workspace
from bench.table import Line, Say, at_most, seconds, show
from leadflow.db import make_engine
from tests.postgres import running_postgres

MAILS, REPEATS = 100_000, 3
#: How often the floor may fit into a run; seconds until the first mail; bytes by which the memory may grow.
TIMES, FIRST, GROWTH = 1.3, 5.0, 32_000_000
_SERVER = ("shared_buffers=1GB", "max_wal_size=4GB", "statement_timeout=0", "autovacuum=on")


@dataclass(slots=True)
class _Seen:
    """What the runs on one database took."""

    seconds: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    growth: list[float] = field(default_factory=list)


def lines(say: Say, mails: int = MAILS) -> list[Line]:
    """What sending takes on each database, and what it would take without one."""
    with tempfile.TemporaryDirectory() as folder, _sink() as url:
        place = Path(folder)
        version = make_workspace(place)
        say("delivery: filling the outboxes")
        fill(f"sqlite:///{place / 'SQLite.db'}", mails, version)
        with _databases(place) as databases:
            return _measure(place, databases, url, mails, say)


def _measure(place: Path, databases: dict[str, str], url: str, mails: int, say: Say) -> list[Line]:
    floors: list[float] = []
    seen = {kind: _Seen() for kind in databases}
    for number in range(1, REPEATS + 1):
        floors.append(_floor(place, url, mails))
        say(f"delivery: floor {number} of {REPEATS}: {seconds(floors[-1])}")
        for kind, database in databases.items():
            _run(place, database, url, mails, seen[kind])
            say(f"delivery: {kind} {number} of {REPEATS}: {seconds(seen[kind].seconds[-1])}")
            fill_again(database)
    return [line for kind in databases for line in _lines(kind, seen[kind], floors, mails)]


def _lines(kind: str, seen: _Seen, floors: list[float], mails: int) -> Iterator[Line]:
    yield at_most(f"{mails:,} mails of 24 KB with 24 links", kind, seen.seconds, floors, most=TIMES)
    first, growth = median(seen.first), median(seen.growth)
    within, flat = f"≤ {FIRST:g} s", f"≤ {GROWTH / 1e6:g} MB"
    yield Line(
        what="  until the first has left", database=kind, figure=seconds(first), promise=within, kept=first <= FIRST
    )
    grown = f"{growth / 1e6:.0f} MB"
    yield Line(what="  growth of the memory", database=kind, figure=grown, promise=flat, kept=growth <= GROWTH)


@contextmanager
def _databases(place: Path) -> Iterator[dict[str, str]]:
    """URLs of both, with the same rows."""
    with running_postgres(durable=True, options=_SERVER) as server:
        server.create("bench")
        urls = {"SQLite": f"sqlite:///{place / 'SQLite.db'}", "PostgreSQL": server.url("bench")}
        source, target = (make_engine(url) for url in urls.values())
        copy_database(source, target)
        _say_migrated(source, target)
        for engine in (source, target):
            engine.dispose()
        yield urls


def _say_migrated(source: Engine, target: Engine) -> None:
    with source.connect() as reading, target.begin() as writing:
        version = reading.scalar(text("SELECT version_num FROM alembic_version"))
        writing.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)"))
        writing.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": version})


@contextmanager
def _sink() -> Iterator[str]:
    with subprocess.Popen([sys.executable, "-m", "bench.delivery_sink"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


def _asked(url: str, mails: int) -> float:
    """When the first of `mails` came to the server, which has had all of them."""
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - our own server
        told = json.load(answer)
    assert told["posts"] == mails, told
    return float(told["first"])


def _floor(place: Path, url: str, mails: int) -> float:
    """Seconds of two processes that render and post, and know of no database."""
    half = mails // 2
    shares = [(0, half), (half, mails)]
    command = [sys.executable, "-m", "bench.delivery_floor", str(place), EMAIL, f"{url}/v3/mail/send"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    started = [subprocess.Popen([*command, str(first), str(end)], **pipes) for first, end in shares]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    took = [float(told) for told, _err in _finished(started)]
    _asked(url, mails)
    return max(took)


def _finished(started: list["subprocess.Popen[str]"]) -> list[tuple[str, str]]:
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return [process.communicate() for process in started]


def _run(place: Path, database: str, url: str, mails: int, seen: _Seen) -> None:
    """One delivery in a process of its own."""
    settings = {"ESP": "sendgrid", "SENDGRID_URL": url, "SENDGRID_API_KEY": "SG.bench", "DATABASE_URL": database}
    told = "".join(f"LEADFLOW_{name}={value}\n" for name, value in settings.items())
    (place / ".env").write_text(told, encoding="utf-8")
    began = time.time()
    command = [sys.executable, "-m", "bench.delivery_run", str(place), NOW.isoformat()]
    said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert said["counts"]["accepted"] == mails, said
    assert said["counts"]["waiting"] == 0, said
    seen.seconds.append(said["seconds"])
    seen.first.append(_asked(url, mails) - began)
    seen.growth.append(said["peak"] - said["settled"])


if __name__ == "__main__":
    print(show(lines(lambda what: print(what, file=sys.stderr), int(sys.argv[1]) if sys.argv[1:] else MAILS)))
