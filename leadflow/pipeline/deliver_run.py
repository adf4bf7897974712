"""One run at the outbox: while one claim is on the wire, the next has its intents and the one after is written."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from math import inf
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Engine, Row
from sqlalchemy.exc import DBAPIError

from leadflow.errors import BuildError
from leadflow.freshness import seconds
from leadflow.pipeline.deliver_answers import Answers, Result
from leadflow.pipeline.deliver_claims import Claimed, Claims
from leadflow.pipeline.deliver_gate import Gate
from leadflow.pipeline.deliver_record import Recorder, patiently, write_answers
from leadflow.pipeline.deliver_tally import Tally
from leadflow.pipeline.deliver_writer import Writer, Written
from leadflow.ports import EmailProvider, Outgoing

P = ParamSpec("P")
T = TypeVar("T")

#: Seconds after its intent at which a mail is no longer sent: this process may have been frozen in between.
FRESH = 120.0
#: Claims whose answers are not all written down: what a crash leaves in doubt.
_OPEN_CLAIMS = 2
#: Seconds that mails on the wire are given once the run is to stop.
DRAIN = 20.0
#: Seconds more that a database which went away is given to take their answers: with these a stop ends in half a minute.
PATIENCE = 4.0


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


@dataclass(slots=True, kw_only=True)
class _OpenClaim:
    """A claim with intents: its mails wait for the wire, are on it, or have answers to write down."""

    owner: str
    fresh_until: float
    going: Sequence[tuple[Row[Any], Written]]
    #: Answers to write down.
    left: int


class Run:
    """One run of this process; everything but the database's work happens in one event loop."""

    def __init__(self, work: Work, tally: Tally) -> None:
        self._work, self._tally = work, tally
        self._threads = ThreadPoolExecutor(3, thread_name_prefix="deliver")
        self._stopping, self._idle = asyncio.Event(), asyncio.Event()
        self._slots = asyncio.Semaphore(max(1, work.provider.in_flight))
        self._open_claims = asyncio.Semaphore(_OPEN_CLAIMS)
        self._recorder = Recorder(self._record)
        self._sending: set[asyncio.Task[None]] = set()
        #: Attempt id → its claim, of all attempts whose answers are not written down.
        self._claim_of: dict[str, _OpenClaim] = {}
        #: Claims with their intents, in turn; None when there are no more.
        self._ready: asyncio.Queue[_OpenClaim | None] = asyncio.Queue()
        self._interrupt: BaseException | None = None
        #: How often answers were written down; how often before the outbox was last asked.
        self._records = self._known = 0
        #: Mails with an intent that wait for a place on the wire.
        self._unbegun = 0
        self._began = seconds()
        #: When a database that went away is waited for no more.
        self._until = inf

    def stop(self) -> None:
        """Begin nothing more; what is on the wire ends first."""
        self._until = min(self._until, seconds() + DRAIN + PATIENCE)
        self._stopping.set()

    async def drain(self) -> None:
        """Send what is due until nothing is, or somebody says stop; every answer is written down when this returns."""
        recording = asyncio.create_task(self._recorder.keep())
        sending = asyncio.create_task(self._send_all())
        recording.add_done_callback(lambda _done: sending.cancel())
        try:
            with suppress(asyncio.CancelledError):
                await sending
        finally:
            try:
                await self._settle()
            finally:
                self._recorder.close()
                await self._work.provider.close()
                await recording
                self._threads.shutdown(wait=False)
        if self._interrupt is not None:
            raise self._interrupt

    async def _send_all(self) -> None:
        supply = asyncio.create_task(self._supply())
        try:
            while (claim := await self._ready.get()) is not None:
                await self._send(claim)
        finally:
            if not supply.done():
                self.stop()
            await supply

    async def _send(self, claim: _OpenClaim) -> None:
        waiting = deque(claim.going)
        while waiting and await self._before_stop(self._slots):
            row, mail = waiting.popleft()
            self._unbegun -= 1
            task = asyncio.create_task(self._attempt(row, mail, claim.fresh_until))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        self._leave(row for row, _mail in waiting)

    def _leave(self, rows: Iterable[Row[Any]]) -> None:
        """Mails with an intent that are not begun after all."""
        for row in rows:
            self._unbegun -= 1
            self._recorder.add(self._work.answers.not_begun(row))

    async def _supply(self) -> None:
        """Take, write and intend until nothing is due, or somebody says stop."""
        try:
            while not self._stopping.is_set():
                claimed = await self._take()
                if claimed.n:
                    await self._open(claimed)
                elif claimed.wait is not None:
                    await self._either(asyncio.sleep(claimed.wait, True))
                elif self._claim_of or self._records != self._known:
                    # What comes back unsent may be due again, and may have come back since the outbox was asked.
                    await self._all_recorded()
                else:
                    return
        finally:
            self._ready.put_nowait(None)

    async def _open(self, claimed: Claimed) -> None:
        self._tally.read += claimed.n
        if not await self._before_stop(self._open_claims):
            await self._in_thread(self._work.claims.give_back, claimed)
            return
        claim = await self._intend(claimed)
        if not claim.left:
            self._open_claims.release()
            return
        self._claim_of |= {row.attempt_id: claim for row, _mail in claim.going}
        self._unbegun += claim.left
        self._ready.put_nowait(claim)
        if claimed.alone:
            await self._all_recorded()

    async def _take(self) -> Claimed:
        self._known = self._records
        claimed = await self._in_thread(self._work.claims.take, self._work.batch)
        mails, unsent = await self._work.writer.write(claimed.rows)
        return replace(claimed, mails=mails, unsent=unsent)

    async def _intend(self, claimed: Claimed) -> _OpenClaim:
        fresh_until = seconds() + FRESH
        try:
            intended = await self._in_thread(self._work.claims.intend, claimed, self._at())
        except DBAPIError:
            # Whether it was committed nobody knows, but nothing has left: once the database is back it is as before.
            await self._patiently(partial(self._work.claims.give_back, claimed))
            raise
        self._tally.unsent(claimed.unsent)
        self._tally.suppressed(intended.suppressed)
        self._tally.put_off(intended.shut)
        self._tally.ended += claimed.n - len(intended.going)
        going = intended.going
        return _OpenClaim(owner=claimed.owner, fresh_until=fresh_until, going=going, left=len(going))

    def _at(self) -> datetime:
        # A run may outlast a reader's window: windows and expiry go on with it, in whole minutes.
        return self._work.now + timedelta(minutes=int(seconds() - self._began) // 60)

    async def _attempt(self, row: Row[Any], mail: Written, fresh_until: float) -> None:
        answers = self._work.answers
        # Until an answer says otherwise nobody can tell whether it left.
        result = answers.unknown(row)
        try:
            if self._stopping.is_set() or not self._work.gate.may_go_on():
                result = answers.not_begun(row)
            else:
                result = await self._answer(row, mail, fresh_until)
        except asyncio.CancelledError:
            result = answers.unknown(row, "cut off")
        except BaseException as error:  # an interrupt ends the run, but not before this attempt is on record
            self._interrupt = error
            self.stop()
        finally:
            self._recorder.add(result)
            self._slots.release()
            if not self._unbegun and len(self._sending) <= 1:
                self._recorder.hurry()

    async def _answer(self, row: Row[Any], mail: Written, fresh_until: float) -> Result:
        try:
            theirs = await self._work.provider.send(self._outgoing(row, mail, fresh_until))
        except Exception as error:
            self._work.gate.note(error)
            return self._work.answers.of_error(row, error)
        self._work.gate.note(None)
        return self._work.answers.accepted(row, theirs)

    def _outgoing(self, row: Row[Any], mail: Written, fresh_until: float) -> Outgoing:
        try:
            outgoing = self._work.writer.outgoing(mail, row.attempt_id, fresh_until)
        except Exception as error:
            raise BuildError(type(error).__name__) from error
        outgoing.refuse_when_stale()
        return outgoing

    async def _record(self, results: Sequence[Result]) -> None:
        by_owner: dict[str, list[Result]] = defaultdict(list)
        for result in results:
            by_owner[self._claim_of[result.attempt_id].owner].append(result)
        await self._patiently(partial(write_answers, self._work.engine, self._work.gate, by_owner))
        for result in results:
            claim = self._claim_of.pop(result.attempt_id)
            claim.left -= 1
            if claim.left == 0:
                self._open_claims.release()
        self._records += 1
        self._tally.recorded(results)
        if not self._claim_of:
            self._idle.set()

    async def _all_recorded(self) -> None:
        while self._claim_of and not self._stopping.is_set():
            self._idle.clear()
            await self._either(self._idle.wait())

    async def _before_stop(self, places: asyncio.Semaphore) -> bool:
        """Take one of `places`; False where somebody says stop before one is free."""
        if not places.locked():
            return await places.acquire()
        return await self._either(places.acquire())

    async def _either(self, waited: Coroutine[Any, Any, bool]) -> bool:
        """Whether `waited` came before the wish to stop."""
        one, stop = asyncio.create_task(waited), asyncio.create_task(self._stopping.wait())
        await asyncio.wait({one, stop}, return_when=asyncio.FIRST_COMPLETED)
        came = one.done()
        for task in (one, stop):
            task.cancel()
        return came

    async def _settle(self) -> None:
        """Wait for what is on the wire, once we must stop not for ever; what is not begun goes back."""
        while not self._ready.empty():
            claim = self._ready.get_nowait()
            self._leave(row for row, _mail in (claim.going if claim else ()))
        stop = asyncio.create_task(self._stopping.wait())
        while self._sending and not stop.done():
            await asyncio.wait({stop, *self._sending}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if self._sending:
            await asyncio.wait(self._sending, timeout=DRAIN)
        for task in (cut := list(self._sending)):
            task.cancel()
        await asyncio.gather(*cut, return_exceptions=True)

    async def _patiently(self, act: Callable[[], None]) -> None:
        # Asked anew before each wait: the wish to stop may come while one lasts.
        await self._in_thread(patiently, act, lambda: self._until)

    async def _in_thread(self, act: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(act, *args, **named))
