"""One run at the outbox: mails with intents are put on the wire, and what is answered is written down."""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from sqlalchemy import Row

from leadflow.errors import BuildError
from leadflow.freshness import seconds
from leadflow.pipeline.deliver_answers import Result
from leadflow.pipeline.deliver_hand import Hand, OpenClaim, Stop
from leadflow.pipeline.deliver_record import Aside, Recorder, write_answers
from leadflow.pipeline.deliver_supply import Supply, Work
from leadflow.pipeline.deliver_tally import Tally
from leadflow.pipeline.deliver_writer import Written
from leadflow.ports import Outgoing

#: Seconds that mails on the wire are given once the run is to stop.
DRAIN = 20.0
#: Seconds more that a database which went away is given to take their answers: with these a stop ends in half a minute.
PATIENCE = 4.0


class Run:
    """One run of this process; everything but the database's work happens in one event loop."""

    def __init__(self, work: Work, tally: Tally) -> None:
        self._work, self._tally = work, tally
        self._stop, self._aside = Stop(), Aside(work.engine.dialect)
        self._hand = Hand(self._stop)
        self._supply = Supply(work, tally, self._hand, self._stop, self._aside)
        self._slots = asyncio.Semaphore(max(1, work.provider.in_flight))
        self._recorder = Recorder(self._record)
        self._sending: set[asyncio.Task[None]] = set()
        self._interrupt: BaseException | None = None

    def stop(self) -> None:
        """Begin nothing more; what is on the wire ends first."""
        self._aside.until = min(self._aside.until, seconds() + DRAIN + PATIENCE)
        self._stop.say()

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
                self._aside.close()
        if self._interrupt is not None:
            raise self._interrupt

    async def _send_all(self) -> None:
        supply = asyncio.create_task(self._supply.run())
        try:
            while (claim := await self._supply.next()) is not None:
                await self._send(claim)
        finally:
            if not supply.done():
                self.stop()
            await supply

    async def _send(self, claim: OpenClaim) -> None:
        waiting = deque(claim.going)
        while waiting and await self._stop.before(self._slots):
            row, mail = waiting.popleft()
            self._supply.unbegun -= 1
            task = asyncio.create_task(self._attempt(row, mail, claim.fresh_until))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        self._leave(row for row, _mail in waiting)

    def _leave(self, rows: Iterable[Row[Any]]) -> None:
        """Mails with an intent that are not begun after all."""
        for row in rows:
            self._supply.unbegun -= 1
            self._recorder.add(self._work.answers.not_begun(row))

    async def _attempt(self, row: Row[Any], mail: Written, fresh_until: float) -> None:
        answers = self._work.answers
        result: Result | None = None
        try:
            if self._stop.is_said or not self._work.gate.may_go_on():
                result = answers.not_begun(row)
            else:
                result = await self._answer(row, mail, fresh_until)
        except asyncio.CancelledError:
            result = answers.unknown(row, "cut off")
        except BaseException as error:  # an interrupt ends the run, but not before this attempt is on record
            self._interrupt = error
            self.stop()
        finally:
            # Without an answer nobody can tell whether it left.
            self._recorder.add(result or answers.unknown(row))
            self._slots.release()
            if not self._supply.unbegun and len(self._sending) <= 1:
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
        by_owner = self._hand.by_owner(results)
        await self._aside.patiently(partial(write_answers, self._work.engine, self._work.gate, by_owner))
        self._tally.recorded(results)
        self._hand.recorded(results)

    async def _settle(self) -> None:
        """Wait for what is on the wire, once we must stop not for ever; what is not begun goes back."""
        for claim in self._supply.left():
            self._leave(row for row, _mail in claim.going)
        stop = asyncio.create_task(self._stop.wait())
        while self._sending and not stop.done():
            await asyncio.wait({stop, *self._sending}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if self._sending:
            await asyncio.wait(self._sending, timeout=DRAIN)
        for task in (cut := list(self._sending)):
            task.cancel()
        await asyncio.gather(*cut, return_exceptions=True)
