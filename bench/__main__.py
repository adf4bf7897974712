"""`make bench`: one table of what is promised about speed, both databases; 1 when a promise does not hold."""

import argparse
import sys
import time
from importlib import import_module, util

from bench.decision_pass import Asked
from bench.table import Line, show

#: What `--only` may name → the module whose `lines(say)` measures it.
BENCHMARKS = {
    "pass": "bench.decision_pass",
    "rendering": "bench.rendering",
    "delivery": "bench.delivery",
    "intake": "bench.intake",
    "forms": "bench.forms",
    "prefect": "bench.prefect_overhead",
    "fast-lane": "bench.fast_lane",
    "start-up": "bench.start_up",
}

_started = time.monotonic()


def say(what: str) -> None:
    """Progress, apart from the table."""
    print(f"{time.monotonic() - _started:5.0f} s  {what}", file=sys.stderr, flush=True)


def measure(only: list[str], asked: argparse.Namespace) -> list[Line]:
    """The lines of each benchmark asked for, one after the other: they share the machine."""
    found: list[Line] = []
    for name in only or BENCHMARKS:
        if util.find_spec(BENCHMARKS[name]) is None:
            say(f"{name}: not there yet")
            continue
        more: dict[str, object] = {}
        if name == "pass":
            databases = tuple(asked.database or ("SQLite", "PostgreSQL"))
            more["asked"] = Asked(size=asked.size, databases=databases, explain=asked.explain)
        found += import_module(BENCHMARKS[name]).lines(say, **more)
    return found


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=[*BENCHMARKS], help="this benchmark; may be repeated")
    parser.add_argument("--size", choices=("small", "big"), default="small", help="pass: big measures 1M/10M as well")
    parser.add_argument("--database", action="append", choices=("SQLite", "PostgreSQL"), help="pass: this one alone")
    parser.add_argument("--explain", action="store_true", help="pass: print the plans of pass.sql and of the phases")
    asked = parser.parse_args()
    found = measure(asked.only or [], asked)
    print(show(found))
    missed = [line for line in found if line.kept is False]
    print(f"\n{len(missed)} of the promises do not hold" if missed else "\nevery promise holds")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
