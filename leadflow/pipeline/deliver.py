"""Sends what is due: claim, commit the intent, send, record the answer. Nothing is ever sent without its row saying so.

A process that dies between an intent and its answer leaves at most one claim (`batch` messages) in `sending`. Those
are released by reconciliation alone, since the provider may have them.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from secrets import token_hex
from typing import Any

from sqlalchemy import Engine, Row, case, func, select
from sqlalchemy.orm import Session

from leadflow.db import json_object
from leadflow.eligibility import pause_detail
from leadflow.errors import RefusedError, RetryableError, UnsupportedFeatureError
from leadflow.models import message
from leadflow.pipeline.backlog import spread_backlog
from leadflow.pipeline.decisions import record_decisions, subject_of
from leadflow.pipeline.deliver_content import Writer, Written
from leadflow.pipeline.deliver_rows import (
    Result,
    claim_due,
    expire_overdue,
    fail_unsent,
    intend,
    note_versions,
    record_results,
    release_lapsed,
)
from leadflow.pipeline.own_loop import OwnLoop
from leadflow.playbook.model import Playbook
from leadflow.ports import EmailProvider
from leadflow.types import EVERYONE, SECOND, MessageState, Outcome, Phase, Reason, Scope, micros

#: A refusal that may pass is tried this often, 5 minutes apart at first and twice as long each time.
MAX_ATTEMPTS = 5
_FIRST_BACKOFF = 300 * SECOND
#: Seconds after its intent at which a mail is no longer sent: this process may have been frozen in between.
_FRESH = 120.0
#: Answers are written down at the latest after this many, so that a crash leaves few in doubt.
_RECORD_EVERY = 50


def deliver_messages(
    engine: Engine,
    playbook: Playbook,
    now: datetime,
    *,
    provider: EmailProvider,
    key: str,
    public_url: str,
    scope: Scope = EVERYONE,
    batch: int = 200,
    progress: Callable[[int], None] | None = None,
) -> Outcome:
    """Send every message of `scope` due at `now`; `progress` is told how many have ended since it was last told."""
    writer = Writer(playbook, now, key=key, public_url=public_url)
    with OwnLoop() as loop:
        run = _Run(engine, playbook, now, provider, writer, progress, loop)
        try:
            run.tidy(scope, batch)
            while run.claim(scope, batch):
                run.send(run.intend())
        finally:
            loop.run(provider.close())
    return Outcome(
        phase=Phase.DELIVER,
        read=run.read,
        changed=run.counts[MessageState.ACCEPTED],
        counts=dict(run.counts),
        skipped=dict(run.skipped),
    )


class _Run:
    """One run of this process: its name in fences, its token in attempt ids, what it has done so far."""

    def __init__(
        self,
        engine: Engine,
        playbook: Playbook,
        now: datetime,
        provider: EmailProvider,
        writer: Writer,
        progress: Callable[[int], None] | None,
        loop: OwnLoop,
    ) -> None:
        self._loop = loop
        self._engine = engine
        self._playbook = playbook
        self._now = now
        self._provider = provider
        self._writer = writer
        self._progress = progress or (lambda _ended: None)
        self._token = token_hex(8)
        self._written: dict[int, Written] = {}
        self.read = 0
        self.counts: Counter[str] = Counter()
        self.skipped: Counter[Reason] = Counter()

    def tidy(self, scope: Scope, batch: int) -> None:
        """Take back what dead workers claimed, drop what is too late to be welcome, spread what piled up."""
        with Session(self._engine) as session, session.begin():
            self.counts["released"] += len(session.execute(release_lapsed(scope)).all())
            expired = session.execute(expire_overdue(self._now, scope)).all()
            self._note_suppressed(session, expired, batch)
            session.execute(spread_backlog(self._playbook, self._now, scope))

    def claim(self, scope: Scope, batch: int) -> bool:
        """Take the next messages; False when none is due."""
        with Session(self._engine) as session, session.begin():
            claimed = session.execute(claim_due(self._token, self._now, scope, batch)).all()
        self.read += len(claimed)
        return bool(claimed)

    def intend(self) -> list[Row[Any]]:
        """Write the mails and commit their intents; the rows that may now be sent, in the order of their time."""
        with Session(self._engine) as session, session.begin():
            written, unsent = self._writer.write(session, self._token)
            fail_unsent(session, self._token, [(failed.id, failed.reason, failed.note) for failed in unsent])
            note_versions(session, self._token, [(mail.id, mail.version) for mail in written if mail.is_edited])
            rows = session.execute(intend(self._token, self._now, self._playbook.window)).all()
            self._note_suppressed(session, [row for row in rows if row.state == MessageState.SUPPRESSED], len(rows))
        self._written = {mail.id: mail for mail in written}
        self.counts[MessageState.FAILED] += len(unsent)
        self.skipped.update(failed.reason for failed in unsent)
        waiting = [row for row in rows if row.state == MessageState.PLANNED]
        self.skipped.update({Reason.WINDOW: len(waiting)} if waiting else {})
        order = {mail.id: place for place, mail in enumerate(written)}
        going = sorted((row for row in rows if row.state == MessageState.SENDING), key=lambda row: order[row.id])
        self._progress(len(rows) + len(unsent) - len(going))
        return going

    def send(self, rows: Sequence[Row[Any]]) -> None:
        """Hand each mail to the provider and record the answers; what was never handed over is planned again."""
        intent = time.monotonic()
        results: list[Result] = []
        rest = iter(rows)
        try:
            for row in rest:
                # Until an answer says otherwise nobody can tell whether it left.
                results.append(self._result(row, MessageState.UNKNOWN, Reason.UNKNOWN_OUTCOME))
                results[-1] = self._attempt(row, fresh=time.monotonic() - intent < _FRESH)
                if len(results) >= _RECORD_EVERY:
                    self._record(results)
                    results = []
        finally:
            self._record([*results, *(self._result(row, MessageState.PLANNED) for row in rest)])

    def _attempt(self, row: Row[Any], *, fresh: bool) -> Result:
        if not fresh:
            return self._result(row, MessageState.PLANNED)
        try:
            mail = self._writer.outgoing(self._written[row.id], row.attempt_id)
            theirs = self._loop.run(self._provider.send(mail))
        except RetryableError as error:
            return self._later(row, error)
        except (RefusedError, UnsupportedFeatureError) as error:
            return self._result(row, MessageState.FAILED, Reason.REFUSED, note=str(error))
        except Exception as error:
            return self._result(row, MessageState.UNKNOWN, Reason.UNKNOWN_OUTCOME, note=type(error).__name__)
        return self._result(row, MessageState.ACCEPTED, theirs=theirs)

    def _later(self, row: Row[Any], error: RetryableError) -> Result:
        if row.attempts >= MAX_ATTEMPTS:
            return self._result(row, MessageState.FAILED, Reason.REFUSED, note=str(error))
        backoff = _FIRST_BACKOFF * 2 ** (row.attempts - 1)
        asked = int((error.retry_after or 0) * SECOND)
        again = micros(self._now) + max(backoff, asked)
        return self._result(row, MessageState.PLANNED, send_at=again, note=str(error))

    def _result(
        self,
        row: Row[Any],
        state: MessageState,
        reason: Reason | None = None,
        *,
        theirs: str | None = None,
        send_at: int | None = None,
        note: str | None = None,
    ) -> Result:
        return Result(
            id=row.id,
            attempt_id=row.attempt_id,
            state=state,
            reason=reason,
            provider_id=theirs,
            send_at=micros(row.send_at) if send_at is None else send_at,
            note=note,
        )

    def _record(self, results: Sequence[Result]) -> None:
        if not results:
            return
        with Session(self._engine) as session, session.begin():
            record_results(session, self._token, results)
        self.counts.update("retried" if r.state == MessageState.PLANNED else r.state for r in results)
        self.skipped.update(r.reason for r in results if r.reason is not None)
        self._progress(len(results))

    def _note_suppressed(self, session: Session, rows: Sequence[Row[Any]], batch: int) -> None:
        """A decision for each message we chose not to send."""
        subject = subject_of(func.coalesce(message.c.sequence, ""), func.coalesce(message.c.step, message.c.email))
        for ids in _chunks([row.id for row in rows], batch):
            by_whom = pause_detail(message.c.sequence, message.c.email)
            detail = case((message.c.reason == Reason.PAUSED, by_whom), else_=json_object({}))
            told = select(message.c.lead_id, subject.label("subject"), message.c.reason, detail.label("detail"))
            told = told.where(message.c.id.in_(ids))
            record_decisions(session, told, kind="suppress", now=self._now, playbook=self._playbook)
        self.counts[MessageState.SUPPRESSED] += len(rows)
        self.skipped.update(Reason(row.reason) for row in rows)


def _chunks(ids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), max(size, 1)):
        yield ids[start : start + size]
