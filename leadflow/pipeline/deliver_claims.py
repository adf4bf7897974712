"""The database's side of a run: what is taken, read and intended, and what is left; one transaction each."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from secrets import token_hex
from typing import Any

from sqlalchemy import Engine, Row, case, func, select
from sqlalchemy.orm import Session

from leadflow.db import database_now, json_object
from leadflow.db.turns import NOES, go_together
from leadflow.eligibility import pause_detail
from leadflow.models import message
from leadflow.pipeline.backlog import spread_backlog
from leadflow.pipeline.decisions import record_decisions, subject_of
from leadflow.pipeline.deliver_gate import Gate, Room, Taken
from leadflow.pipeline.deliver_intent import intend
from leadflow.pipeline.deliver_rows import (
    IDS,
    MOST,
    WHOSE,
    claim_due,
    count_due,
    count_waiting,
    expire_overdue,
    fail_unsent,
    give_back,
    ids_for,
    note_versions,
    release_lapsed,
)
from leadflow.pipeline.deliver_writer import Unsent, Writer, Written
from leadflow.playbook.model import Playbook
from leadflow.types import MessageState, Reason, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """Messages in our hands, not yet intended."""

    owner: str
    #: As read.
    rows: Sequence[Row[Any]] = ()
    #: As written.
    mails: Sequence[Written] = ()
    unsent: Sequence[Unsent] = ()
    #: Nothing else is to be claimed before their answers are recorded.
    alone: bool = False
    #: Where there are none: seconds until it is worth asking again, None when this run need not.
    wait: float | None = None

    @property
    def n(self) -> int:
        """How many."""
        return len(self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intended:
    """What became of a claim at its intent."""

    #: May be sent now, in the order of their time.
    going: Sequence[tuple[Row[Any], Written]] = field(default=())
    suppressed: Sequence[Row[Any]] = ()
    #: Planned again for when their window opens.
    shut: int = 0


class Claims:
    """What one run takes from the outbox as of `now`."""

    def __init__(
        self, engine: Engine, playbook: Playbook, now: datetime, scope: Scope, writer: Writer, gate: Gate
    ) -> None:
        self._engine, self._playbook, self._now, self._scope = engine, playbook, now, scope
        self._writer, self._gate = writer, gate
        self._token, self._numbers = token_hex(8), count(1)
        #: On the database's clock, when this run began.
        self._since = 0

    def tidy(self, batch: int) -> tuple[int, Sequence[Row[Any]]]:
        """Take back what dead workers claimed, drop what is too late to be welcome, spread what piled up."""
        with Session(self._engine) as session, session.begin():
            self._since = session.scalars(select(database_now())).one()
            released = len(session.execute(release_lapsed(self._scope)).all())
            expired = session.execute(expire_overdue(self._now, self._scope)).all()
            self._note_suppressed(session, expired, self._now, batch)
            session.execute(spread_backlog(self._playbook, self._now, self._scope))
        return released, expired

    def due(self, most: int) -> int:
        """How many messages may be claimed, counted up to `most`."""
        with Session(self._engine) as session:
            return int(session.scalars(count_due(self._now, self._scope, most)).one())

    def waiting(self) -> int:
        """How many of those due at the start have not ended."""
        with Session(self._engine) as session:
            return int(session.scalars(count_waiting(self._now, self._scope, self._since)).one())

    def take(self, most: int) -> Claimed:
        """Claim the next messages, and read all that their mails need."""
        owner = f"{self._token}.{next(self._numbers)}"
        with Session(self._engine) as session, session.begin():
            room = self._gate.room(session, most)
            rows = self._claim(session, owner, room) if room.n else ()
            if not rows:
                wait = self._gate.look_again() if room.n else room.wait
                # Another run may have taken the last of them while the gate kept us waiting.
                any_left = wait is not None and session.scalar(count_due(self._now, self._scope, 1))
                return Claimed(owner=owner, wait=wait if any_left else None)
        return Claimed(owner=owner, rows=rows, alone=room.alone)

    def _claim(self, session: Session, owner: str, room: Room) -> Sequence[Row[Any]]:
        def claim() -> Sequence[int]:
            statement = claim_due(self._now, self._scope, room.only)
            return session.scalars(statement, {WHOSE: owner, MOST: room.n}).all()

        ids = claim()
        if not ids and session.execute(release_lapsed(self._scope)).all():
            # When nobody has any left, somebody may have died since we began.
            ids = claim()
        if not ids:
            self._gate.took(session, ())
            return ()
        rows = self._writer.read(session, owner, ids)
        taken = [Taken(id=row.id, domain=row.address.rpartition("@")[2]) for row in rows]
        back = self._gate.took(session, taken)
        if back:
            session.execute(give_back(owner, list(back)))
            rows = [row for row in rows if row.id not in back]
        return rows

    def intend(self, claimed: Claimed, at: datetime) -> Intended:
        """Commit the intents of a claim: what may leave says so before its first byte."""
        texts = [(mail.id, mail.version, mail.variant) for mail in claimed.mails if mail.is_edited]
        with Session(self._engine) as session, session.begin():
            go_together(session, NOES)
            fail_unsent(session, claimed.owner, [(failed.id, failed.reason, failed.note) for failed in claimed.unsent])
            note_versions(session, claimed.owner, texts)
            dialect = self._engine.dialect
            told = {WHOSE: claimed.owner, IDS: ids_for(dialect, [mail.id for mail in claimed.mails])}
            found = session.execute(intend(at, self._playbook.window, dialect), told).all()
            rows = {row.id: row for row in found}
            suppressed = [row for row in found if row.state == MessageState.SUPPRESSED]
            self._note_suppressed(session, suppressed, at, len(found))
            # A claim whose lease lapsed meanwhile is somebody else's: its rows are not among those found.
            ours = ((rows[mail.id], mail) for mail in claimed.mails if mail.id in rows)
            going = [(row, mail) for row, mail in ours if row.state == MessageState.SENDING]
            self._gate.unused(session, claimed.n - len(going))
        return Intended(
            going=going,
            suppressed=suppressed,
            shut=sum(row.state == MessageState.PLANNED for row in found),
        )

    def give_back(self, claimed: Claimed) -> None:
        """Plan again what was claimed, or even intended, and not begun by this run."""
        with Session(self._engine) as session, session.begin():
            session.execute(give_back(claimed.owner, [row.id for row in claimed.rows]))
            self._gate.unused(session, claimed.n)

    def _note_suppressed(self, session: Session, rows: Sequence[Row[Any]], at: datetime, batch: int) -> None:
        """A decision for each message we chose not to send."""
        if not rows:
            return
        subject = subject_of(func.coalesce(message.c.sequence, ""), func.coalesce(message.c.step, message.c.email))
        for ids in _chunks([row.id for row in rows], batch):
            by_whom = pause_detail(message.c.sequence, message.c.email, message.c.purpose)
            detail = case((message.c.reason == Reason.PAUSED, by_whom), else_=json_object({}))
            told = select(message.c.lead_id, subject.label("subject"), message.c.reason, detail.label("detail"))
            told = told.where(message.c.id.in_(ids))
            record_decisions(session, told, kind="suppress", now=at, playbook=self._playbook)


def _chunks(ids: Sequence[int], size: int) -> Iterator[Collection[int]]:
    for start in range(0, len(ids), max(size, 1)):
        yield ids[start : start + size]
