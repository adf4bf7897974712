"""An event loop in a thread of its own: callers may be coroutines whose loop is already running in theirs."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from threading import Thread
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")


class OwnLoop:
    """Runs coroutines for a caller that is none itself."""

    def __enter__(self) -> "OwnLoop":
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="deliver", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(_end_others(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def start(self, work: Coroutine[Any, Any, T]) -> "Future[T | BaseException]":
        """Begin `work`; what comes of it is what it returns, or what it raised."""
        return asyncio.run_coroutine_threadsafe(_caught(work), self._loop)

    def call(self, act: Callable[[], None]) -> None:
        """Do `act` in the loop's thread, soon."""
        self._loop.call_soon_threadsafe(act)


async def _caught(work: Coroutine[Any, Any, T]) -> T | BaseException:
    try:
        return await work
    except BaseException as error:  # an interrupt that passed through the loop would end its thread
        return error


async def _end_others() -> None:
    """What an error left waiting would otherwise complain on its own when the loop is gone."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
