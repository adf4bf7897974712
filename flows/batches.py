"""A delivery in this process as Prefect shows it: one task for each few thousand mails, never a task a lead."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from itertools import count

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas import State
from prefect.states import Completed

from flows.aside import Aside
from flows.common import in_words, logger, words
from leadflow.app import App, Tally, deliver_due, messages
from leadflow.types import EVERYONE, Outcome, Scope

#: A task costs 50 ms here and 30 at the server. Where mails leave by the thousand a second, they are counted by the
#: seconds: a task for each 5,000 took 6 % of a delivery whose cores are all at work.
BATCH, SECONDS = 5_000, 10.0

Progress = Callable[[int], None]


class Watched:
    """A delivery under way: how many of its mails have ended, and how."""

    def __init__(self, app: App, now: datetime, scope: Scope, progress: Progress | None) -> None:
        self._progress = progress
        self._changed = threading.Condition()
        self._tally = Tally()
        self.ended = 0
        self._lap = time.monotonic()
        self._running = Aside(lambda: deliver_due(app, now, scope, self._add, self._tally))

    def reach(self, number: int, seconds: float = 0.0) -> int:
        """Wait until `number` mails have ended and `seconds` are over, or all have ended; how many then have."""
        until = time.monotonic() + seconds
        with self._changed:
            while (self.ended < number or time.monotonic() < until) and self._running.going:
                self._changed.wait(0.05)
            return self.ended

    def lap(self) -> float:
        """Seconds since it was last asked, at first since the beginning."""
        before, self._lap = self._lap, time.monotonic()
        return self._lap - before

    @property
    def counts(self) -> Counter[str]:
        """What became of them so far."""
        return Counter(self._tally.outcome().counts)

    def outcome(self) -> Outcome:
        """What it came to in the end."""
        return self._running.result()

    def _add(self, ended: int) -> None:
        with self._changed:
            self.ended += ended
            self._changed.notify_all()
        if self._progress is not None:
            self._progress(ended)


def deliver_in_batches(app: App, now: datetime, scope: Scope = EVERYONE, progress: Progress | None = None) -> Outcome:
    """Send what is due at `now` as one delivery, watched by tasks of 5,000 mails, or of ten seconds."""
    with in_words("deliver"):
        watched, shown, number = Watched(app, now, scope, progress), 0, count(1)
        while watched.reach(shown + 1) > shown:
            shown = show_batch(watched, shown, next(number))
        return watched.outcome()


def show_batch(watched: Watched, shown: int, number: int) -> int:
    """One batch as a task: what became of its mails; how many have ended with it."""
    reached = [shown]

    @task(name="batch", task_run_name=f"batch {number}", cache_policy=NO_CACHE, persist_result=False)
    def batch() -> State[None]:
        before = watched.counts if shown else Counter[str]()
        ended = watched.reach(shown + BATCH, SECONDS)
        reached.append(ended)
        rate = (ended - shown) / max(watched.lap(), 0.001)
        told = f"{messages(ended - shown)} · {words(watched.counts - before)} · {rate:,.0f} a second"
        logger.info("batch %d: %s", number, told)
        return Completed(message=told)

    batch()
    return reached[-1]
