"""Sends what is due: claim, commit the intent, send, record the answer. Nothing is ever sent without its row saying so.

A process that dies between an intent and its answer leaves at most two claims (of `batch` messages) in `sending`.
Those are released by reconciliation alone, since the provider may have them.
"""

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Engine

from leadflow.connections import forgetful
from leadflow.email.pool import compiler
from leadflow.errors import SettingsError
from leadflow.pipeline.deliver_answers import Answers, Chance
from leadflow.pipeline.deliver_claims import Claims
from leadflow.pipeline.deliver_crew import Crew, ended, helped
from leadflow.pipeline.deliver_gate import Gate, OpenGate
from leadflow.pipeline.deliver_run import Run
from leadflow.pipeline.deliver_supply import Work
from leadflow.pipeline.deliver_tally import Tally
from leadflow.pipeline.deliver_writer import Writer
from leadflow.pipeline.own_loop import OwnLoop
from leadflow.pipeline.settled import settled
from leadflow.playbook.model import Playbook
from leadflow.ports import EmailProvider
from leadflow.text import _
from leadflow.types import EVERYONE, Outcome, Scope

#: Messages a claim takes: it decides how many mails a crash leaves in doubt far more than how fast they go.
BATCH = 100
#: From so many messages on helpers are worth their start, and a tidy memory its second.
CREW_FROM = 2_000
#: Seconds between two looks at whether to stop.
_LOOK = 0.1


def deliver_messages(
    engine: Engine,
    playbook: Playbook,
    now: datetime,
    *,
    provider: EmailProvider,
    key: str,
    public_url: str,
    scope: Scope = EVERYONE,
    batch: int = BATCH,
    progress: Callable[[int], None] | None = None,
    stop: Callable[[], bool] | None = None,
    gate: Gate | None = None,
    chance: Chance | None = None,
    tally: Tally | None = None,
    crew: Crew | None = None,
) -> Outcome:
    """Send every message of `scope` due at `now`; `counts["waiting"]` of them are in no final state when it returns.

    `progress` is told how many have ended since it was last told. Once `stop` says so, what is on the wire ends or is
    recorded as unknown within half a minute, and the rest is planned again. `chance` draws the waits of retries;
    a `tally` of the caller's can be looked at meanwhile. A `crew` helps where much is due.
    """
    _refuse_forgetful(engine)
    gate, tally = gate or OpenGate(), tally or Tally()
    renderers = compiler()
    writer = Writer(playbook, now, renderers, key=key, public_url=public_url)
    claims = Claims(engine, playbook, now, scope, writer, gate)
    released, expired = claims.tidy(batch)
    tally.add("released", released)
    tally.suppressed(expired)
    work = Work(
        engine=engine,
        now=now,
        provider=provider,
        writer=writer,
        claims=claims,
        gate=gate,
        answers=Answers(now, chance),
        batch=batch,
    )
    run = Run(work, tally)
    due = claims.due(CREW_FROM)
    helpers = crew if due == CREW_FROM else None
    with OwnLoop() as loop, helped(helpers, lambda said: loop.call(lambda: tally.heard(said))):
        if due:
            renderers.start()
        with settled() if due == CREW_FROM else nullcontext():
            watch = _Watch(_Progress(tally, progress), stop)

            def end() -> None:
                # At the same moment: one after the other they would take as long as both.
                loop.call(run.stop)
                if helpers is not None:
                    helpers.stop()

            watch.until_done(loop.start(run.drain()), end)
            if helpers is not None:
                watch.until_done(loop.start(ended(helpers)), end)
    outcome = tally.outcome()
    return replace(outcome, counts={**outcome.counts, "waiting": claims.waiting()})


def _refuse_forgetful(engine: Engine) -> None:
    """SettingsError where a commit may be lost: an intent that is forgotten is a mail sent twice."""
    with engine.connect() as connection:
        if "synchronous_commit=off" in forgetful(connection):
            raise SettingsError(
                _("PostgreSQL runs with synchronous_commit=off and may forget what was sent: set it to on")
            )


class _Progress:
    """Tells the caller, in the caller's own thread."""

    def __init__(self, tally: Tally, tell: Callable[[int], None] | None) -> None:
        self._tally, self._tell, self._told = tally, tell, 0

    def __call__(self) -> None:
        ended = self._tally.ended
        if self._tell is not None and ended > self._told:
            self._tell(ended - self._told)
            self._told = ended


class _Watch:
    """The caller's thread while another works: tells progress, and asks whether to stop."""

    def __init__(self, progress: Callable[[], None], stop: Callable[[], bool] | None) -> None:
        self._progress, self._stop = progress, stop

    def until_done(self, future: "Future[BaseException | None]", end: Callable[[], None]) -> None:
        """Wait; whatever is raised here meanwhile lets the other thread end in good order first."""
        raised: BaseException | None = None
        while not future.done():
            try:
                _wait(future)
                if raised is None:
                    self._progress()
                    if self._stop is not None and self._stop():
                        end()
            except BaseException as error:  # an interrupt of this thread must not leave the other one sending
                raised = raised or error
                end()
        ended = raised or future.result()
        if ended is not None:
            raise ended


def _wait(future: "Future[BaseException | None]") -> None:
    try:
        future.result(_LOOK)
    except TimeoutError:
        return
