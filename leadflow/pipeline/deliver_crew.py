"""What a run asks of other processes that help it."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol


class Crew(Protocol):
    """Other processes that run the same loop on the same outbox."""

    def start(self, heard: Callable[[Mapping[str, Any]], None]) -> None:
        """Start them; `heard` is told what they did since they last said so."""
        ...

    def stop(self) -> None:
        """Tell them to finish what is in hand, and end those by force that take too long; may be said again."""
        ...

    def wait(self) -> None:
        """Until they have ended."""
        ...

    def end(self) -> None:
        """Stop them, and wait until they have ended."""
        ...


@contextmanager
def helped(crew: Crew | None, heard: Callable[[Mapping[str, Any]], None]) -> Iterator[None]:
    """While this lasts `crew` is at work; however it ends, so does the crew."""
    if crew is None:
        yield
        return
    try:
        crew.start(heard)
        yield
    finally:
        crew.end()


async def ended(crew: Crew) -> None:
    """Once the crew has nothing left to do."""
    await asyncio.to_thread(crew.wait)
