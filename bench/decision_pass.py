"""The decision pass: every phase of a night on both databases, against the floors of `bench/floor`."""

import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from statistics import median

from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from bench.copying import copy_database
from bench.make_data import settle
from bench.night_before import live_until_before, measured
from bench.phases import Copy, Nights, measure_nights
from bench.table import Line, Say, at_most, seconds
from leadflow.db import make_engine
from leadflow.models import metadata
from leadflow.playbook.load import load_playbook
from tests.postgres import running_postgres

#: At most this many times the same pass written by hand; and, as long promised, one decayed sum over all events:
#: the pass, and a full re-fold apart.
BY_HAND, PASS, AGAIN = 2.5, 10, 15
#: At most so many megabytes, and no faster growth than leads to this power.
MEMORY, GROWTH = 500, 1.15
#: Leads, with ten events each.
SIZES = {"small": 100_000, "big": 1_000_000}
#: As in production: durable, with room for the tables in memory, and nothing that stops a long statement.
_SERVER = ("shared_buffers=1GB", "max_wal_size=4GB", "statement_timeout=0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to measure: by default both databases at the small size, without plans."""

    #: `big` measures both sizes, and how fast the one grows into the other.
    size: str = "small"
    databases: tuple[str, ...] = ("SQLite", "PostgreSQL")
    explain: bool = False


def lines(say: Say, asked: Asked | None = None) -> list[Line]:
    """What a night takes on each database, at each size asked for."""
    asked = asked or Asked()
    sizes = [name for name in SIZES if name in ("small", asked.size)]
    found = {(name, kind): nights for name in sizes for kind, nights in _measure(name, asked, say)}
    made = [line for (name, kind), nights in found.items() for line in _lines(_words(SIZES[name]), kind, nights)]
    if len(sizes) > 1:
        made += [_growth(kind, found["small", kind], found["big", kind]) for kind in asked.databases]
    if asked.explain:
        print("\n".join(f"{kind}, {name}\n\n{nights.plans}" for (name, kind), nights in found.items()))
    return made


def _words(leads: int) -> str:
    return (
        f"{leads // 1_000_000}M/{leads // 100_000}M" if leads >= 1_000_000 else f"{leads // 1000}k/{leads // 100_000}M"
    )


def _lines(size: str, kind: str, nights: Nights) -> Iterator[Line]:
    for name, figures in nights.phases.items():
        what = f"  {name} {size} ({nights.statements[name]} statements)"
        yield Line(what=what, database=kind, figure=seconds(median(figures)))
    apart = sum(nights.differences.values())
    yield at_most(f"decision pass {size} / pass.sql", kind, nights.passes, nights.floors, most=BY_HAND)
    where = ", ".join(f"{name} {n}" for name, n in nights.differences.items() if n)
    yield Line(
        what=f"  rows unlike those of pass.sql, {size}" + (f": {where}" if where else ""),
        database=kind,
        figure=f"{apart:,}",
        promise="0",
        kept=apart == 0,
    )
    best = min(nights.sums)
    yield at_most(f"decision pass {size} / score.sql, best", kind, [min(nights.passes)], [best], most=PASS)
    yield at_most(f"full re-fold {size} / score.sql, best", kind, [min(nights.again)], [best], most=AGAIN)
    peak = max(nights.memory)
    promise = f"≤ {MEMORY} MB"
    yield Line(
        what=f"  peak memory {size}", database=kind, figure=f"{peak:.0f} MB", promise=promise, kept=peak <= MEMORY
    )


def _growth(kind: str, small: Nights, big: Nights) -> Line:
    """How the pass grows with the number of leads, as a power of it."""
    before, after = median(small.passes), median(big.passes)
    power = math.log(after / before) / math.log(SIZES["big"] / SIZES["small"])
    return Line(
        what="  growth of the pass between the sizes",
        database=kind,
        figure=f"N^{power:.2f}",
        promise=f"≤ N^{GROWTH}",
        kept=power <= GROWTH,
    )


def _measure(size: str, asked: Asked, say: Say) -> Iterator[tuple[str, Nights]]:
    """The nights of each database, all from the same rows."""
    first = night_before(SIZES[size], say)
    for kind, copies in (("SQLite", _on_sqlite), ("PostgreSQL", _on_postgres)):
        if kind in asked.databases:
            with copies(first, say) as copy:
                yield kind, measure_nights(copy, partial(_say, say, f"{kind}, {size}"), explain=asked.explain)


def _say(say: Say, where: str, what: str) -> None:
    say(f"{where}: {what}")


def night_before(leads: int, say: Say) -> Path:
    """The SQLite file of the night before, made once for these tables, this playbook and this way of making it."""
    playbook, here = measured(load_playbook(Path())), Path(__file__).parent
    made_by = [*(here / name for name in ("make_data.py", "night_before.py"))]
    mark = sha256("".join([playbook.version, *_shape(), *(file.read_text("utf-8") for file in made_by)]).encode())
    folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "leadflow-bench")
    kept = folder / f"{leads}-{mark.hexdigest()[:16]}.db"
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob(f"{leads}-*"):
            old.unlink()
        say(f"making {leads:,} leads with {leads * 10:,} events, and living until the night before")
        making = kept.with_suffix(".making")
        making.unlink(missing_ok=True)
        engine = make_engine(f"sqlite:///{making}")
        live_until_before(engine, playbook, leads=leads, events=leads * 10)
        engine.dispose()
        making.rename(kept)
    return kept


def _shape() -> list[str]:
    """The tables and their indexes as SQLite is told of them: the same text in every process."""
    made: list[ExecutableDDLElement] = []
    for table in metadata.sorted_tables:
        made += [CreateTable(table), *map(CreateIndex, sorted(table.indexes, key=lambda index: str(index.name)))]
    return [str(one.compile(dialect=sqlite.dialect())) for one in made]


@contextmanager
def _on_sqlite(first: Path, say: Say) -> Iterator[Copy]:  # noqa: ARG001
    """Copies of the file."""
    with tempfile.TemporaryDirectory(dir=first.parent) as folder:

        @contextmanager
        def copy() -> Iterator[str]:
            file = Path(folder, "copy.db")
            shutil.copyfile(first, file)
            yield f"sqlite:///{file}"
            for part in Path(folder).iterdir():
                part.unlink()

        yield copy


@contextmanager
def _on_postgres(first: Path, say: Say) -> Iterator[Copy]:
    """Copies of a database on a server of its own, which gets the rows of the file."""
    with running_postgres(durable=True, options=_SERVER) as server:
        server.create("bench")
        source, target = make_engine(f"sqlite:///{first}"), make_engine(server.url("bench"))
        say("PostgreSQL: copying the rows")
        copy_database(source, target)
        settle(target)
        for engine in (source, target):
            engine.dispose()

        @contextmanager
        def copy() -> Iterator[str]:
            server.create("copy", template="bench")
            yield server.url("copy")
            server.drop("copy")

        yield copy
