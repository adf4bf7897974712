"""Forms as visitors send them, 200 a second whether answered or not: from the POST to its row in `intake`."""

import asyncio
import gc
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import aiohttp

from bench.intake_door import free_port, serving
from bench.table import Line, Say
from leadflow.links import sign_form
from leadflow.types import micros
from tests.postgres import running_postgres

_HERE = Path(__file__).parents[1]
_FORM = "white-paper"
#: Each second, for so many of them, so many times: a disk that pauses once is no property of ours.
_RATE, _SECONDS, REPEATS = 200, 5, 3
_MOST = 0.050


def lines(say: Say) -> list[Line]:
    """The slowest of a hundred answers on both databases, beside that of `/healthz`, which asks them one question."""
    found = []
    # A search for our own garbage, 60 ms long, would be charged to the door.
    gc.freeze()
    for database, url in databases():
        say(f"{database}: {_RATE} forms a second for {REPEATS * _SECONDS} seconds")
        with serving(url, _HERE, free_port()) as door:
            asyncio.run(_send(door, forms=True, seconds=1))
            runs = [
                [asyncio.run(_send(door, forms=forms, seconds=_SECONDS)) for forms in (False, True)]
                for _run in range(REPEATS)
            ]
        floor, figure = (median(each) for each in zip(*runs, strict=True))
        found.append(
            Line(
                what="form: POST to commit, p99 at 200/s",
                database=database,
                figure=f"{figure * 1000:.1f} ms",
                floor=f"{floor * 1000:.1f} ms",
                ratio=figure / floor,
                promise=f"≤ {_MOST * 1000:.0f} ms",
                kept=figure <= _MOST,
            )
        )
    return found


def databases() -> Iterator[tuple[str, str]]:
    """Each database by name, empty: its URL."""
    with running_postgres(durable=True) as server:
        server.create("forms")
        yield "PostgreSQL", server.url("forms")
    with TemporaryDirectory(prefix="leadflow-bench-") as folder:
        yield "SQLite", f"sqlite:///{folder}/forms.db"


async def _send(door: str, *, forms: bool, seconds: int) -> float:
    """The 99th percentile in seconds, counted from when each was due: a door that falls behind is charged for it."""
    waited: list[float] = []
    shown = micros(datetime.now(UTC) - timedelta(minutes=1))
    stamp = sign_form("b" * 32, _FORM, shown)

    async def one(session: aiohttp.ClientSession, n: int, due: float) -> None:
        if forms:
            post = session.post(f"{door}/forms/{_FORM}", data=_answers(n, stamp), allow_redirects=False)
        else:
            post = session.get(f"{door}/healthz")
        async with post as answer:
            assert answer.status in (200, 303), await answer.text()
        waited.append(time.perf_counter() - due)

    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as under_way:
        begun = time.perf_counter()
        for n in range(_RATE * seconds):
            due = begun + n / _RATE
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            under_way.create_task(one(session, n, due))
    return sorted(waited)[len(waited) * 99 // 100]


def _answers(n: int, stamp: str) -> Mapping[str, str]:
    # Nobody comes twice: each is a new lead, and waits for the mail that asks to confirm.
    told = {"email": f"visitor-{n}-{stamp[-6:].lower()}@company-{n % 50}.example", "first_name": "Ana"}
    return {**told, "project": "seo", "lang": "en", "consent.newsletter": "yes", "_at": stamp}
