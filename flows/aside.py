"""Work beside a flow's own thread, in the run's context: where an event loop of its own may run."""

import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Aside(Generic[T]):
    """`act` in a thread; the flow's own thread stays free to hear signals and to run tasks."""

    def __init__(self, act: Callable[[], T]) -> None:
        self._act = act
        self._told: list[T] = []
        self._error: BaseException | None = None
        # A daemon: a process that is told to end must not wait for it.
        self._thread = threading.Thread(target=copy_context().run, args=(self._live,), daemon=True)
        self._thread.start()

    @property
    def going(self) -> bool:
        """Whether it has not ended."""
        return self._thread.is_alive()

    def result(self) -> T:
        """What it returned, once it has; raises what it raised."""
        while self.going:
            # Signals are heard between two waits.
            self._thread.join(0.5)
        if self._error is not None:
            raise self._error
        return self._told[0]

    def _live(self) -> None:
        try:
            self._told.append(self._act())
        except BaseException as error:
            self._error = error


def aside(act: Callable[[], T]) -> T:
    """What `act` returns, run beside this thread."""
    running: Aside[Any] = Aside(act)
    told: T = running.result()
    return told
