"""What comes in, measured: POSTs of a provider at the door and in the tables, and people from a file, in rows a second.

The door's figure is the promise about webhooks: over HTTP, signature checked on the raw bytes, the POST stored with
the refusals in it, answered after the commit. The line after it adds the sweep that turns every event into its rows.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.intake_files import import_file, write_rows_again
from bench.intake_news import store_only, take_posts, write_events_again
from bench.intake_rows import write_people, write_posts
from bench.table import Line, Say
from tests.postgres import Server, running_postgres

REPEATS = 3
#: As in production: durable, and with room for the tables in memory.
_SERVER = ("shared_buffers=1GB", "max_wal_size=4GB")
_LEADS = 100_000
_POSTS, _EVENTS, _MESSAGES = 200, 1_000, 50_000

#: Gives the URL of a database that has nothing in it.
Fresh = Callable[[], str]


def lines(say: Say) -> list[Line]:
    """Both kinds on both databases."""
    found: list[Line] = []
    with TemporaryDirectory(prefix="leadflow-bench-") as folder:
        people = Path(folder, "people.csv")
        write_people(people, _LEADS)
        for database, fresh in _databases(Path(folder)):
            found += _webhooks(database, fresh, say)
            found.append(_import(database, fresh, people, say))
    return found


def _databases(folder: Path) -> Iterator[tuple[str, Fresh]]:
    numbers = iter(range(1_000))
    with running_postgres(durable=True, options=_SERVER) as server:
        yield "PostgreSQL", lambda: _created(server, f"intake_{next(numbers)}")
    yield "SQLite", lambda: f"sqlite:///{folder / f'intake-{next(numbers)}.db'}"


def _created(server: Server, name: str) -> str:
    server.create(name)
    return server.url(name)


def _webhooks(database: str, fresh: Fresh, say: Say) -> list[Line]:
    posts = write_posts(_POSTS, events=_EVENTS, messages=_MESSAGES)
    events, runs = _POSTS * _EVENTS, []
    for i in range(REPEATS):
        say(f"{database}: {_POSTS} POSTs of {_EVENTS:,} events, {i + 1} of {REPEATS}")
        floor, url = store_only(fresh(), posts), fresh()
        door, sweep = take_posts(url, posts, messages=_MESSAGES)
        runs.append((floor, door, door + sweep, floor + write_events_again(url, fresh())))
    floors, doors, both, loads = zip(*runs, strict=True)
    most = 50_000 if database == "PostgreSQL" else None
    return [
        rate("webhook: signed POST to commit, HTTP", database, "events", events, doors, floors, least=most),
        rate("… and every event in its rows", database, "events", events, both, loads),
    ]


def _import(database: str, fresh: Fresh, people: Path, say: Say) -> Line:
    figures, floors = [], []
    for i in range(REPEATS):
        say(f"{database}: import of {_LEADS:,} people, {i + 1} of {REPEATS}")
        url = fresh()
        figures.append(import_file(url, people))
        floors.append(write_rows_again(url, fresh(), people))
    least = 30_000 if database == "PostgreSQL" else None
    return rate("import, validated, to commit", database, "leads", _LEADS, figures, floors, least=least)


def rate(
    what: str,
    database: str,
    unit: str,
    n: int,
    times: Sequence[float],
    floors: Sequence[float],
    *,
    least: int | None = None,
) -> Line:
    """The line of `n` rows in so many seconds, held against a promise in rows a second."""
    figure, floor = n / median(times), n / median(floors)
    return Line(
        what=what,
        database=database,
        figure=f"{figure:,.0f} {unit}/s",
        floor=f"{floor:,.0f} {unit}/s",
        ratio=floor / figure,
        promise="" if least is None else f"≥ {least:,} {unit}/s",
        kept=None if least is None else figure >= least,
    )
