"""`make bench`: prints what each phase takes on both databases; 1 when a promise does not hold."""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bench.copying import copy_database
from bench.make_data import settle
from bench.night_before import DECISIONS, live_until_before
from bench.phases import FLOOR, REFOLD, REPEATS, Measures, measure_phases
from bench.start_up import start_up
from leadflow.db import make_engine
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook
from tests.postgres import running_postgres

#: At most this many times the floor: the incremental decision pass, and a full re-fold apart.
PASS, AGAIN = 10, 15
#: As in production: durable, and with room for the tables in memory.
_SERVER = ("shared_buffers=1GB", "max_wal_size=4GB")

_started = time.monotonic()


def say(what: str) -> None:
    """Progress, apart from the table."""
    print(f"{time.monotonic() - _started:5.0f} s  {what}", file=sys.stderr, flush=True)


def on_sqlite(first: Path, playbook: Playbook) -> Measures:
    """Measure on copies of the file."""

    def copies() -> Iterator[str]:
        for i in range(REPEATS):
            copy = first.with_name(f"copy-{i}.db")
            shutil.copyfile(first, copy)
            yield f"sqlite:///{copy}"
            copy.unlink()

    return measure_phases(copies(), playbook, lambda what: say(f"SQLite: {what}"))


def on_postgres(first: Path, playbook: Playbook) -> Measures:
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


def measure(leads: int, events: int, only: str | None) -> dict[str, Measures]:
    """The measures of each database asked for, all from the same rows."""
    kinds: Mapping[str, Callable[[Path, Playbook], Measures]] = {"SQLite": on_sqlite, "PostgreSQL": on_postgres}
    playbook = load_playbook(Path())
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder, "bench.db")
        engine = make_engine(f"sqlite:///{first}")
        say("making the rows, and living until the night before")
        live_until_before(engine, playbook, leads=leads, events=events)
        engine.dispose()
        return {kind: run(first, playbook) for kind, run in kinds.items() if only in (None, kind.lower())}


def ratio(found: Measures, *names: str) -> float:
    """How often the floor fits into these measures together."""
    return sum(found[name].seconds for name in names) / found[FLOOR].seconds


def show(found: Mapping[str, Measures]) -> None:
    """Print one table: seconds, times the floor and statements of each phase, the databases side by side."""
    print(f"{'':<16}" + "".join(f"{kind:>34}" for kind in found))
    print(f"{'':<16}" + f"{'seconds':>13}{'× floor':>9}{'statements':>12}" * len(found))
    for name in (FLOOR, *DECISIONS, REFOLD):
        cells = [(of[name].seconds, ratio(of, name), of[name].statements) for of in found.values()]
        print(f"{name:<16}" + "".join(f"{s:>13.3f}{r:>9.1f}{n:>12}" for s, r, n in cells))
    for title, names, most in (("decision pass", [*DECISIONS], PASS), ("full re-fold", [REFOLD], AGAIN)):
        seconds = [(sum(of[name].seconds for name in names), ratio(of, *names)) for of in found.values()]
        print(f"{title:<16}" + "".join(f"{s:>13.3f}{r:>9.1f}{f'of {most}':>12}" for s, r in seconds))


def broken(found: Mapping[str, Measures]) -> list[str]:
    """A sentence for each promise that does not hold."""
    promises = (("the decision pass", [*DECISIONS], PASS), ("a full re-fold", [REFOLD], AGAIN))
    return [
        f"{kind}: {what} took {ratio(of, *names):.1f} times the floor; promised is under {most}."
        for kind, of in found.items()
        for what, names, most in promises
        if ratio(of, *names) >= most
    ]


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    asked = parser.parse_args()
    found = measure(asked.leads, asked.events, asked.only)
    say("start-up")
    ours, floor = start_up()
    print(f"{asked.leads:,} leads, {asked.events:,} events, 3 % of them new; best of {REPEATS}")
    print("floor: one decayed float8 sum by lead over all events (bench/floor/score.sql)\n")
    show(found)
    print(f'\nleadflow --help: {ours:.2f} s, {ours / floor:.1f} × python -c "import typer, rich" ({floor:.2f} s)')
    missed = broken(found)
    print("\n".join(missed) or "every promise holds")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
