"""A delivery in this process as Prefect shows it: one task for each few thousand mails, never a task a lead."""

import threading
import time
from collections.abc import Callable
from datetime import datetime

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas import State
from prefect.states import Completed

from flows.aside import Aside
from flows.common import in_words, logger
from leadflow.app import App, deliver_due, messages
from leadflow.types import EVERYONE, Outcome, Scope

#: A task costs milliseconds here and as much again at the server: of so many mails it is nothing.
BATCH = 5_000

Progress = Callable[[int], None]


class Tally:
    """How many mails have ended: told by the delivery, awaited by the tasks."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._changed = threading.Condition()
        self.ended = 0

    def add(self, ended: int) -> None:
        """So many more."""
        with self._changed:
            self.ended += ended
            self._changed.notify_all()
        if self._progress is not None:
            self._progress(ended)

    def reach(self, number: int, running: Aside[Outcome]) -> int:
        """Wait until `number` mails have ended, or the delivery has; how many then have."""
        with self._changed:
            while self.ended < number and running.going:
                self._changed.wait(0.05)
            return self.ended


def deliver_in_batches(app: App, now: datetime, scope: Scope = EVERYONE, progress: Progress | None = None) -> Outcome:
    """Send what is due at `now` as one delivery, watched by tasks of 5,000 mails."""
    tally = Tally(progress)
    with in_words("deliver"):
        running = Aside(lambda: deliver_due(app, now, scope, tally.add))
    shown = 0
    while tally.reach(shown + 1, running) > shown:
        shown = watch(tally, running, shown)
    with in_words("deliver"):
        return running.result()


def watch(tally: Tally, running: Aside[Outcome], shown: int) -> int:
    """One batch as a task: how many mails had ended by its end."""
    number = shown // BATCH + 1

    @task(name="batch", task_run_name=f"batch {number}", cache_policy=NO_CACHE, persist_result=False)
    def batch() -> State[int]:
        began = time.monotonic()
        ended = tally.reach(number * BATCH, running)
        rate = (ended - shown) / max(time.monotonic() - began, 0.001)
        told = f"{messages(ended - shown)}, {rate:,.0f} a second"
        logger.info("batch %d: %s", number, told)
        return Completed(message=told, data=ended)

    return batch()  # type: ignore[return-value]
