"""An event loop in a thread of its own: callers may be coroutines whose loop is already running in theirs."""

import asyncio
from collections.abc import Coroutine
from threading import Thread
from types import TracebackType
from typing import Any, TypeVar, cast

T = TypeVar("T")


class OwnLoop:
    """Runs coroutines for a caller that is none itself."""

    def __enter__(self) -> "OwnLoop":
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="deliver", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.run(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` returns or raises, once it has ended."""
        result, error = asyncio.run_coroutine_threadsafe(_caught(work), self._loop).result()
        if error is not None:
            raise error
        return cast(T, result)


async def _caught(work: Coroutine[Any, Any, T]) -> tuple[T | None, BaseException | None]:
    try:
        return await work, None
    except BaseException as error:  # an interrupt that passed through the loop would end its thread
        return None, error
