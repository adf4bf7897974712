"""Seconds and statements of each phase on a night with 3 % new events, and of a full re-fold, against the floor."""

import importlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, event, text, update
from sqlalchemy.orm import Session

from bench.make_data import BEFORE, NOW, load_data, settle
from leadflow.db import make_engine
from leadflow.models import scoring_rule
from leadflow.models.schema import create_schema
from leadflow.playbook.model import Playbook
from leadflow.types import EVERYONE, micros

FLOOR = (Path(__file__).parent / "floor" / "score.sql").read_text(encoding="utf-8")
#: The decision pass: what a night does before anything is delivered.
DECISIONS = ("score", "stage", "segment", "escalate", "nurture")
REPEATS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """How long something took, and how many statements it needed."""

    seconds: float
    statements: int


#: Name of a phase, `floor` or `refold` → its measure.
Measures = dict[str, Measure]


def measure_phases(copies: Callable[[], Iterator[str]], playbook: Playbook) -> Measures:
    """The best of three nights, each on a fresh copy of the same database; `copies` yields their URLs."""
    best: Measures = {}
    for url in copies():
        engine = make_engine(url)
        for name, measure in (_one_night(engine, playbook) | _one_refold(engine, playbook)).items():
            if name not in best or measure.seconds < best[name].seconds:
                best[name] = measure
        engine.dispose()
    return best


def prepare(url: str, playbook: Playbook, *, leads: int, events: int) -> None:
    """Load a database and do the work of the night before."""
    engine = make_engine(url)
    create_schema(engine)
    load_data(engine, leads=leads, events=events)
    settle(engine)
    with Session(engine) as session:
        for name in DECISIONS:
            _run(session, name, playbook, BEFORE)
            session.commit()
    settle(engine)
    engine.dispose()


def _one_night(engine: Engine, playbook: Playbook) -> Measures:
    with Session(engine) as session:
        _floor(session)
        measures = {"floor": _floor(session)}
        session.rollback()
        for name in DECISIONS:
            with _measured(engine) as done:
                _run(session, name, playbook, NOW)
                session.commit()
            measures[name] = done()
    return measures


def _one_refold(engine: Engine, playbook: Playbook) -> Measures:
    """All rules changed: every sum is folded again from every event."""
    with Session(engine) as session:
        session.execute(update(scoring_rule).values(fingerprint="changed"))
        session.commit()
        with _measured(engine) as done:
            _run(session, "score", playbook, NOW)
            session.commit()
    return {"refold": done()}


def _floor(session: Session) -> Measure:
    started = time.perf_counter()
    session.execute(text(FLOOR), {"now": micros(NOW)}).one()
    return Measure(seconds=time.perf_counter() - started, statements=1)


def _run(session: Session, name: str, playbook: Playbook, now: object) -> None:
    phase = importlib.import_module(f"leadflow.pipeline.{name}")
    getattr(phase, f"{name}_leads")(session, playbook, now, EVERYONE)


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
