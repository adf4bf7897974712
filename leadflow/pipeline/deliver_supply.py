"""What feeds the wire: while one claim gets its intents the next is written, and the one after is taken."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Engine

from leadflow.freshness import seconds
from leadflow.pipeline.deliver_answers import Answers
from leadflow.pipeline.deliver_claims import Claimed, Claims
from leadflow.pipeline.deliver_gate import Gate
from leadflow.pipeline.deliver_hand import Hand, OpenClaim, Stop
from leadflow.pipeline.deliver_record import Aside
from leadflow.pipeline.deliver_tally import Tally
from leadflow.pipeline.deliver_writer import Writer
from leadflow.ports import EmailProvider

#: Seconds after its intent at which a mail is no longer sent: this process may have been frozen in between.
FRESH = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a run works with."""

    engine: Engine
    now: datetime
    provider: EmailProvider
    writer: Writer
    claims: Claims
    gate: Gate
    answers: Answers
    batch: int


class Supply:
    """Claims with their intents, in turn; `next` gives None when there are no more."""

    def __init__(self, work: Work, tally: Tally, hand: Hand, stop: Stop, aside: Aside) -> None:
        self._work, self._tally, self._hand, self._stop, self._aside = work, tally, hand, stop, aside
        self._ready: asyncio.Queue[OpenClaim | None] = asyncio.Queue()
        #: Brings the claim taken last to its intents, after those before it.
        self._last: asyncio.Task[None] | None = None
        #: A claim could not be brought there: nothing more is to be taken.
        self._is_broken = False
        #: How often answers had been written down before the outbox was last asked.
        self._known = 0
        self._began = seconds()
        #: Mails with an intent that nobody has begun to send.
        self.unbegun = 0

    async def next(self) -> OpenClaim | None:
        """The next claim."""
        return await self._ready.get()

    def left(self) -> list[OpenClaim]:
        """Claims that nobody came for."""
        found = [self._ready.get_nowait() for _number in range(self._ready.qsize())]
        return [claim for claim in found if claim is not None]

    async def run(self) -> None:
        """Take until nothing is due, or somebody says stop."""
        try:
            while await self._hand.takes_claim() and not self._stop.is_said and not self._is_broken:
                claimed = await self._take()
                if claimed.n:
                    self._last = asyncio.create_task(self._open(claimed, self._last))
                    if claimed.alone:
                        await self._intended()
                        await self._hand.all_recorded()
                elif not await self._may_come(claimed):
                    return
        finally:
            try:
                await self._intended()
            finally:
                self._ready.put_nowait(None)

    async def _take(self) -> Claimed:
        self._known = self._hand.records
        return await self._aside.do(self._work.claims.take, self._work.batch)

    async def _may_come(self, nothing: Claimed) -> bool:
        """Wait until it is worth asking again; False where this run need not."""
        self._hand.without_claim()
        await self._intended()
        if nothing.wait is not None:
            await self._stop.either(asyncio.sleep(nothing.wait, True))
        elif self._hand.waits or self._hand.records != self._known:
            # What comes back unsent may be due again, and may have come back since the outbox was asked.
            await self._hand.all_recorded()
        else:
            return False
        return True

    async def _intended(self) -> None:
        """Once all that was taken has its intents."""
        if self._last is not None:
            await self._last

    async def _open(self, claimed: Claimed, before: "asyncio.Task[None] | None") -> None:
        """Write a claim, and intend it once the one `before` has its intents and there is room."""
        self._tally.read += claimed.n
        try:
            mails, unsent = await self._work.writer.write(claimed.rows)
            if before is not None:
                await before
            if await self._hand.takes_intents():
                await self._intend(replace(claimed, mails=mails, unsent=unsent))
            else:
                await self._aside.do(self._work.claims.give_back, claimed)
                self._hand.without_claim()
        except Exception:
            # Whether there are intents nobody knows, but nothing has left: once the database is back it is as before.
            self._is_broken = True
            self._hand.without_claim()
            await self._aside.patiently(partial(self._work.claims.give_back, claimed))
            raise

    async def _intend(self, claimed: Claimed) -> None:
        fresh_until = seconds() + FRESH
        intended = await self._aside.do(self._work.claims.intend, claimed, self._at())
        self._tally.unsent(claimed.unsent)
        self._tally.suppressed(intended.suppressed)
        self._tally.put_off(intended.shut)
        self._tally.ended += claimed.n - len(intended.going)
        going = intended.going
        if not going:
            self._hand.without_intents()
            self._hand.without_claim()
            return
        claim = OpenClaim(owner=claimed.owner, fresh_until=fresh_until, going=going, left=len(going))
        self._hand.opened(claim)
        self.unbegun += len(going)
        self._ready.put_nowait(claim)

    def _at(self) -> datetime:
        # A run may outlast a reader's window: windows and expiry go on with it, in whole minutes.
        return self._work.now + timedelta(minutes=int(seconds() - self._began) // 60)
