"""Seconds, statements and memory of nights with 3 % new events, against floors measured in the same run."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from bench.floor_pass import COMPARED, run_floor
from bench.make_data import NOW
from bench.plans import explained
from bench.table import Say
from leadflow.db import make_engine
from leadflow.types import micros

SUM_SQL = (Path(__file__).parent / "floor" / "score.sql").read_text(encoding="utf-8")
REPEATS = 3

#: Opens a fresh copy of the night before, and gives its URL.
Copy = Callable[[], AbstractContextManager[str]]


@dataclass(slots=True)
class Nights:
    """The figures of some nights of one database and size, one an entry."""

    #: One decayed sum over all events (score.sql), and the whole pass by hand (pass.sql).
    sums: list[float] = field(default_factory=list)
    floors: list[float] = field(default_factory=list)
    #: Phase → seconds, and statements.
    phases: dict[str, list[float]] = field(default_factory=dict)
    statements: dict[str, int] = field(default_factory=dict)
    again: list[float] = field(default_factory=list)
    #: Megabytes.
    memory: list[float] = field(default_factory=list)
    #: Table → buckets of rows in which both passes did not leave the same.
    differences: dict[str, int] = field(default_factory=dict)
    plans: str = ""

    @property
    def passes(self) -> list[float]:
        """Seconds of each whole pass."""
        return [sum(one) for one in zip(*self.phases.values(), strict=True)]


def measure_nights(copy: Copy, say: Say, *, explain: bool = False) -> Nights:
    """Nights by hand and nights of ours in turns, each on a fresh copy of the same database."""
    nights = Nights()
    with _living() as live:
        for i in range(1, REPEATS + 1):
            say(f"night {i} of {REPEATS}: by hand")
            plans = explain and i == REPEATS
            with copy() as url:
                by_hand = _by_hand(url, nights, explain=plans)
            say(f"night {i} of {REPEATS}: the phases")
            with copy() as url:
                _of_ours(url, nights, live, explain=plans)
                if i == REPEATS:
                    left = _rows(url)
                    nights.differences = {name: _apart(by_hand[name], left[name]) for name in COMPARED}
    return nights


#: Lives a night in the database at a URL, explained or not, and gives what was found.
Live = Callable[[str, bool], dict[str, Any]]


@contextmanager
def _living() -> Iterator[Live]:
    """One process that lives all nights, as `leadflow serve` does."""
    command = [sys.executable, "-m", "bench.night"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asking, told = process.stdin, process.stdout

        def live(url: str, explain: bool) -> dict[str, Any]:
            print(json.dumps({"url": url, "explain": explain}), file=asking, flush=True)
            found: dict[str, Any] = json.loads(told.readline())
            return found

        yield live
        asking.close()


#: Table → a sum over the rows of each of many buckets: two passes that left the same rows have the same sums.
Left = dict[str, list[int]]
_BUCKETS = 1 << 16


def _by_hand(url: str, nights: Nights, *, explain: bool) -> Left:
    engine = make_engine(url)
    _measure_sums(engine, nights)
    with Session(engine) as session:

        def whole() -> None:
            run_floor(session)
            session.commit()

        with explained(engine) if explain else nullcontext(lambda: "") as plans:
            nights.floors.append(_timed(whole))
        nights.plans += plans() and f"bench/floor/pass.sql\n\n{plans()}\n\n"
    engine.dispose()
    # Looked at on the last night only.
    return _rows(url) if len(nights.floors) == REPEATS else {}


def _measure_sums(engine: Engine, nights: Nights) -> None:
    """One decayed sum, some times: also leaves the events of a fresh copy in memory, alike for either pass."""
    with Session(engine) as session:
        nights.sums += [_timed(lambda: _sum(session)) for _ in range(REPEATS)]


def _sum(session: Session) -> None:
    session.execute(text(SUM_SQL), {"now": micros(NOW)}).one()


def _timed(run: Callable[[], None]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def _of_ours(url: str, nights: Nights, live: Live, *, explain: bool) -> None:
    engine = make_engine(url)
    _measure_sums(engine, nights)
    engine.dispose()
    found = live(url, explain)
    for name, (seconds, statements) in found["night"].items():
        nights.phases.setdefault(name, []).append(seconds)
        nights.statements[name] = statements
    nights.again.append(found["again"][0])
    nights.memory.append(max(found["memory"], found["memory_again"]))
    nights.plans += found["plans"] and f"the phases\n\n{found['plans']}\n\n"


def _rows(url: str) -> Left:
    engine = make_engine(url)
    left = {name: _summed(engine, name, columns) for name, columns in COMPARED.items()}
    engine.dispose()
    return left


def _summed(engine: Engine, table: str, columns: str) -> list[int]:
    sums = [0] * _BUCKETS
    with engine.connect().execution_options(stream_results=True) as connection:
        for row in connection.exec_driver_sql(f"SELECT {columns} FROM {table}"):
            number = hash(tuple(row))
            sums[number % _BUCKETS] += number
    return sums


def _apart(ours: list[int], theirs: list[int]) -> int:
    """In how many buckets they differ: of few rows as many as there are, of many at least so many."""
    return sum(a != b for a, b in zip(ours, theirs, strict=True))
