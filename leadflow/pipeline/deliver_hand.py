"""What one run has in its hands at a time: few claims, since a crash leaves them where they are, and some in doubt."""

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from leadflow.pipeline.deliver_answers import Result
from leadflow.pipeline.deliver_writer import Written

#: Claims that are not done with; and those among them that have intents: what a crash leaves in doubt.
_CLAIMS, _OPEN = 3, 2


class Stop:
    """The wish that a run ends, and waits that end with it."""

    def __init__(self) -> None:
        self._wish = asyncio.Event()

    def say(self) -> None:
        """From now on nothing more is to begin."""
        self._wish.set()

    @property
    def is_said(self) -> bool:
        """Whether somebody wishes it."""
        return self._wish.is_set()

    async def wait(self) -> bool:
        """Until somebody does."""
        return await self._wish.wait()

    async def before(self, places: asyncio.Semaphore) -> bool:
        """Take one of `places`; False where somebody says stop before one is free."""
        if not places.locked():
            return await places.acquire()
        return await self.either(places.acquire())

    async def either(self, waited: Coroutine[Any, Any, bool]) -> bool:
        """Whether `waited` came before the wish to stop."""
        one, stop = asyncio.create_task(waited), asyncio.create_task(self._wish.wait())
        await asyncio.wait({one, stop}, return_when=asyncio.FIRST_COMPLETED)
        came = one.done()
        for task in (one, stop):
            task.cancel()
        return came


@dataclass(slots=True, kw_only=True)
class OpenClaim:
    """A claim with intents: its mails wait for the wire, are on it, or have answers to write down."""

    owner: str
    fresh_until: float
    going: Sequence[tuple[Row[Any], Written]]
    #: Answers to write down.
    left: int


class Hand:
    """The claims of a run, and its attempts whose answers are not written down."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._claims, self._open = asyncio.Semaphore(_CLAIMS), asyncio.Semaphore(_OPEN)
        self._claim_of: dict[str, OpenClaim] = {}
        self._idle = asyncio.Event()
        #: How often answers were written down.
        self.records = 0

    @property
    def waits(self) -> bool:
        """Whether there are intents without a recorded answer."""
        return bool(self._claim_of)

    async def takes_claim(self) -> bool:
        """Once there is room for another claim; False where somebody says stop before."""
        return await self._stop.before(self._claims)

    async def takes_intents(self) -> bool:
        """Once there is room for the intents of a claim; False where somebody says stop before."""
        return await self._stop.before(self._open)

    def without_claim(self) -> None:
        """Its room is free: there was none, or it went back."""
        self._claims.release()

    def without_intents(self) -> None:
        """Their room is free: there are none."""
        self._open.release()

    def opened(self, claim: OpenClaim) -> None:
        """Its intents are committed."""
        self._claim_of |= {row.attempt_id: claim for row, _mail in claim.going}

    def by_owner(self, results: Sequence[Result]) -> Mapping[str, Sequence[Result]]:
        """`results` by the owner of their claim."""
        found: dict[str, list[Result]] = defaultdict(list)
        for result in results:
            found[self._claim_of[result.attempt_id].owner].append(result)
        return found

    def recorded(self, results: Sequence[Result]) -> None:
        """These are written down."""
        for result in results:
            claim = self._claim_of.pop(result.attempt_id)
            claim.left -= 1
            if claim.left == 0:
                self._open.release()
                self._claims.release()
        self.records += 1
        if not self._claim_of:
            self._idle.set()

    async def all_recorded(self) -> None:
        """Until every answer is written down, or somebody says stop."""
        while self._claim_of and not self._stop.is_said:
            self._idle.clear()
            await self._stop.either(self._idle.wait())
