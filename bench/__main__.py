"""`make bench`: prints what each phase takes on both databases; 1 when a promise does not hold."""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.phases import DECISIONS, REPEATS, Measures, measure_phases, prepare
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook
from tests.postgres import running_postgres

#: At most this many times the floor: the incremental decision pass, and a full re-fold apart.
PASS, REFOLD = 10, 15


def on_sqlite(playbook: Playbook, leads: int, events: int) -> Measures:
    """Measure on files in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder, "bench.db")
        prepare(f"sqlite:///{first}", playbook, leads=leads, events=events)

        def copies() -> Iterator[str]:
            for i in range(REPEATS):
                copy = Path(folder, f"copy-{i}.db")
                shutil.copyfile(first, copy)
                yield f"sqlite:///{copy}"
                copy.unlink()

        return measure_phases(copies, playbook)


def on_postgres(playbook: Playbook, leads: int, events: int) -> Measures:
    """Measure on a server of its own."""
    with running_postgres() as server:
        server.create("bench")
        prepare(server.url("bench"), playbook, leads=leads, events=events)

        def copies() -> Iterator[str]:
            for i in range(REPEATS):
                server.create(f"copy_{i}", template="bench")
                yield server.url(f"copy_{i}")
                server.drop(f"copy_{i}")

        return measure_phases(copies, playbook)


def show(title: str, measures: Measures) -> bool:
    """Print the table of one database; whether both promises hold."""
    floor = measures["floor"].seconds
    print(f"\n{title}: floor {floor:.3f} s (one decayed float8 sum by lead, best of {REPEATS})")
    for name in (*DECISIONS, "refold"):
        if name in measures:
            done = measures[name]
            print(f"  {name:<10}{done.seconds:8.3f} s{done.seconds / floor:8.1f} × floor{done.statements:6} statements")
    total = sum(measures[name].seconds for name in DECISIONS if name in measures) / floor
    refold = measures["refold"].seconds / floor
    print(f"  decision pass, 3 % new events: {total:.1f} × floor (promised: under {PASS})")
    print(f"  full re-fold:                  {refold:.1f} × floor (promised: under {REFOLD})")
    return total < PASS and refold < REFOLD


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--only", choices=("sqlite", "postgres"))
    asked = parser.parse_args()
    playbook = load_playbook(Path())
    print(f"{asked.leads:,} leads, {asked.events:,} events, 3 % of them new since the night before")
    kinds = {"SQLite": on_sqlite, "PostgreSQL": on_postgres}
    wanted = {k: f for k, f in kinds.items() if asked.only is None or k.lower().startswith(asked.only)}
    held = [show(kind, run(playbook, asked.leads, asked.events)) for kind, run in wanted.items()]
    return int(not all(held))


if __name__ == "__main__":
    sys.exit(main())
