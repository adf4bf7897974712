"""Nights in a process of their own, which lives on as `leadflow serve` does: its memory is that of the pass.

`python -m bench.night` reads a database and whether to explain a line, `{"url": …, "explain": false}`, and prints JSON.
From its second night on the statements are compiled, as on any night but the first after a start.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import Engine, event, update
from sqlalchemy.orm import Session

from bench.make_data import NOW
from bench.night_before import DECISIONS, measured
from bench.plans import explained
from leadflow.db import make_engine
from leadflow.models import scoring_rule
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook
from leadflow.types import EVERYONE

REFOLD = "re-fold"
#: Seconds and statements by phase.
Measures = dict[str, tuple[float, int]]


def main() -> int:
    """Live each night that is asked for, then fold everything again."""
    playbook, engines = measured(load_playbook(Path())), dict[str, Engine]()
    for line in sys.stdin:
        asked = json.loads(line)
        url = asked["url"]
        engine = engines.setdefault(url, make_engine(url))
        with explained(engine) if asked["explain"] else nullcontext(lambda: "") as plans:
            night = dict(_phases(engine, playbook))
        memory = _peak()
        again = _refold(engine, playbook)
        # The database goes, and what was compiled for it stays.
        engine.dispose()
        found = {"night": night, "again": again, "memory": memory, "memory_again": _peak(), "plans": plans()}
        print(json.dumps(found), flush=True)
    return 0


def _phases(engine: Engine, playbook: Playbook) -> Iterator[tuple[str, tuple[float, int]]]:
    for name, phase in DECISIONS.items():
        with Session(engine) as session, _measured(engine) as done:
            phase(session, playbook, NOW, EVERYONE)
            session.commit()
        yield name, done()


def _refold(engine: Engine, playbook: Playbook) -> tuple[float, int]:
    """All rules changed: every sum is folded again from every event."""
    with Session(engine) as session:
        session.execute(update(scoring_rule).values(fingerprint="changed"))
        session.commit()
        with _measured(engine) as done:
            DECISIONS["score"](session, playbook, NOW, EVERYONE)
            session.commit()
    return done()


@contextmanager
def _measured(engine: Engine) -> Iterator[Callable[[], tuple[float, int]]]:
    count, started, finished = 0, time.perf_counter(), 0.0

    def add(*_args: object) -> None:
        nonlocal count
        count += 1

    event.listen(engine, "before_cursor_execute", add)
    yield lambda: (finished - started, count)
    finished = time.perf_counter()
    event.remove(engine, "before_cursor_execute", add)


def _peak() -> float:
    """Megabytes this process has held at most."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    # The other figure begins with what the process had that started this one.
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    sys.exit(main())
