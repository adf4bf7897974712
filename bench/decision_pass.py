"""The decision pass: every phase of a night on both databases, against the floors of `bench/floor`."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bench.copying import copy_database
from bench.make_data import settle
from bench.night_before import DECISIONS, live_until_before
from bench.phases import FLOOR, REFOLD, REPEATS, Measures, measure_phases
from bench.table import Line, Say, at_most, seconds
from leadflow.db import make_engine
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook
from tests.postgres import running_postgres

#: At most this many times one decayed sum over all events: the incremental decision pass, and a full re-fold apart.
PASS, AGAIN = 10, 15
LEADS, EVENTS = 100_000, 1_000_000
#: As in production: durable, and with room for the tables in memory.
_SERVER = ("shared_buffers=1GB", "max_wal_size=4GB")


def lines(say: Say) -> list[Line]:
    """What a night takes on each database."""
    found = measure(LEADS, EVENTS, say)
    return [line for kind, of in found.items() for line in _lines(kind, of)]


def _lines(kind: str, of: Measures) -> Iterator[Line]:
    floor = [of[FLOOR].seconds]
    for name in DECISIONS:
        measured = of[name]
        yield Line(what=f"  {name} ({measured.statements} statements)", database=kind, figure=seconds(measured.seconds))
    whole = sum(of[name].seconds for name in DECISIONS)
    yield at_most("decision pass / score.sql", kind, [whole], floor, most=PASS)
    yield at_most("full re-fold / score.sql", kind, [of[REFOLD].seconds], floor, most=AGAIN)


def measure(leads: int, events: int, say: Say) -> dict[str, Measures]:
    """The measures of each database, all from the same rows."""
    kinds: Mapping[str, Callable[[Path, Playbook, Say], Measures]] = {"SQLite": _on_sqlite, "PostgreSQL": _on_postgres}
    playbook = load_playbook(Path())
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder, "bench.db")
        engine = make_engine(f"sqlite:///{first}")
        say("making the rows, and living until the night before")
        live_until_before(engine, playbook, leads=leads, events=events)
        engine.dispose()
        return {kind: run(first, playbook, say) for kind, run in kinds.items()}


def _on_sqlite(first: Path, playbook: Playbook, say: Say) -> Measures:
    """Measure on copies of the file."""

    def copies() -> Iterator[str]:
        for i in range(REPEATS):
            copy = first.with_name(f"copy-{i}.db")
            shutil.copyfile(first, copy)
            yield f"sqlite:///{copy}"
            copy.unlink()

    return measure_phases(copies(), playbook, lambda what: say(f"SQLite: {what}"))


def _on_postgres(first: Path, playbook: Playbook, say: Say) -> Measures:
    """Measure on a server of its own, which gets the rows of the file."""
    with running_postgres(durable=True, options=_SERVER) as server:
        server.create("bench")
        source, target = make_engine(f"sqlite:///{first}"), make_engine(server.url("bench"))
        say("PostgreSQL: copying the rows")
        copy_database(source, target)
        settle(target)
        for engine in (source, target):
            engine.dispose()

        def copies() -> Iterator[str]:
            for i in range(REPEATS):
                server.create(f"copy_{i}", template="bench")
                yield server.url(f"copy_{i}")
                server.drop(f"copy_{i}")

        return measure_phases(copies(), playbook, lambda what: say(f"PostgreSQL: {what}"))
