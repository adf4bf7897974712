"""Writes answers down as they come, a few dozen at a time, whatever becomes of the run meanwhile."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from math import inf
from typing import ParamSpec, TypeVar

from sqlalchemy import Dialect, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from leadflow.freshness import seconds
from leadflow.pipeline.deliver_answers import Result
from leadflow.pipeline.deliver_gate import Gate
from leadflow.pipeline.deliver_results import record_results

P = ParamSpec("P")
T = TypeVar("T")

#: Answers are written down when there are so many, or after so many seconds.
_ENOUGH = 50
_LINGER = 0.1
#: A database that is being restarted is asked again after these seconds: an answer that is lost is a mail in doubt.
_PATIENCE = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)


class Recorder:
    """Keeps answers until they are written down; `write` is given them by owner of their claim."""

    def __init__(self, write: Callable[[Sequence[Result]], Awaitable[None]]) -> None:
        self._write = write
        self._pending: list[Result] = []
        self._some, self._enough, self._closing = asyncio.Event(), asyncio.Event(), False

    def add(self, result: Result) -> None:
        """One more answer."""
        self._pending.append(result)
        self._some.set()
        if len(self._pending) >= _ENOUGH:
            self._enough.set()

    def hurry(self) -> None:
        """Nothing more is to come for now."""
        self._enough.set()

    def close(self) -> None:
        """Write down what there is, then end."""
        self._closing = True
        self._some.set()
        self._enough.set()

    async def keep(self) -> None:
        """Write answers down until closed."""
        while not (self._closing and not self._pending):
            await self._some.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LINGER):
                    await self._enough.wait()
            ready, self._pending = self._pending, []
            if not self._closing:
                self._some.clear()
                self._enough.clear()
            if ready:
                await self._write(ready)


def write_answers(engine: Engine, gate: Gate, results: Mapping[str, Sequence[Result]]) -> None:
    """Commit answers by the owner of their claim."""
    with Session(engine) as session, session.begin():
        record_results(session, results)
        gate.tell(session)
        gate.unused(session, sum(result.is_free for answered in results.values() for result in answered))


def patiently(act: Callable[[], None], until: Callable[[], float]) -> None:
    """Do `act`, a transaction that may be done twice; a database that went away is waited for, never past `until()`."""
    for patience in _PATIENCE:
        try:
            return act()
        except DBAPIError:
            left = until() - seconds()
            if left <= 0:
                raise
            time.sleep(min(patience, left))
    return act()


class Aside:
    """Threads in which the transactions of a run wait, so that its loop need not."""

    def __init__(self, dialect: Dialect) -> None:
        # One takes a claim, one commits intents, one writes answers down. SQLite lets one write at a time, and the
        # others of a process wait better for each other than they ask it, again and again, whether it is their turn.
        self._threads = ThreadPoolExecutor(1 if dialect.name == "sqlite" else 3, thread_name_prefix="deliver")
        #: When a database that went away is waited for no more.
        self.until = inf

    async def do(self, act: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """What `act` returns."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(act, *args, **named))

    async def patiently(self, act: Callable[[], None]) -> None:
        """Do `act`, a transaction that may be done twice, however long the database takes until `until`."""
        # Asked anew before each wait: the wish to stop may come while one lasts.
        await self.do(patiently, act, lambda: self.until)

    def close(self) -> None:
        """Nothing more is to be done."""
        self._threads.shutdown(wait=False)
