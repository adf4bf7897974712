"""Seconds and statements of each phase on a night with 3 % new events, and of a full re-fold, against the floor."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, event, text, update
from sqlalchemy.orm import Session

from bench.make_data import NOW
from bench.night_before import DECISIONS
from leadflow.db import make_engine
from leadflow.models import scoring_rule
from leadflow.playbook.model import Playbook
from leadflow.types import EVERYONE, micros

FLOOR_SQL = (Path(__file__).parent / "floor" / "score.sql").read_text(encoding="utf-8")
REPEATS = 3
FLOOR, REFOLD = "floor", "re-fold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """How long something took, and how many statements it needed."""

    seconds: float
    statements: int


#: Name of a phase, FLOOR or REFOLD → its measure.
Measures = dict[str, Measure]


def measure_phases(copies: Iterator[str], playbook: Playbook, say: Callable[[str], None]) -> Measures:
    """The best of several nights, each on a fresh copy of the same database; `copies` yields their URLs."""
    best: Measures = {}
    for i, url in enumerate(copies, start=1):
        say(f"night {i} of {REPEATS}")
        engine = make_engine(url)
        for name, measure in (_one_night(engine, playbook) | _one_refold(engine, playbook)).items():
            if name not in best or measure.seconds < best[name].seconds:
                best[name] = measure
        engine.dispose()
    return best


def _one_night(engine: Engine, playbook: Playbook) -> Measures:
    with Session(engine) as session:
        floors = [_floor(session) for _ in range(REPEATS)]
        session.rollback()
        measures = {FLOOR: min(floors, key=lambda measure: measure.seconds)}
        for name, phase in DECISIONS.items():
            with _measured(engine) as done:
                phase(session, playbook, NOW, EVERYONE)
                session.commit()
            measures[name] = done()
    return measures


def _one_refold(engine: Engine, playbook: Playbook) -> Measures:
    """All rules changed: every sum is folded again from every event."""
    with Session(engine) as session:
        session.execute(update(scoring_rule).values(fingerprint="changed"))
        session.commit()
        with _measured(engine) as done:
            DECISIONS["score"](session, playbook, NOW, EVERYONE)
            session.commit()
    return {REFOLD: done()}


def _floor(session: Session) -> Measure:
    started = time.perf_counter()
    session.execute(text(FLOOR_SQL), {"now": micros(NOW)}).one()
    return Measure(seconds=time.perf_counter() - started, statements=1)


@contextmanager
def _measured(engine: Engine) -> Iterator[Callable[[], Measure]]:
    count, started, finished = 0, time.perf_counter(), 0.0

    def add(*_args: object) -> None:
        nonlocal count
        count += 1

    event.listen(engine, "before_cursor_execute", add)
    yield lambda: Measure(seconds=finished - started, statements=count)
    finished = time.perf_counter()
    event.remove(engine, "before_cursor_execute", add)
