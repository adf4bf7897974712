"""A circuit breaker in the database: a provider that answers nobody is asked again with one mail, by one worker."""

from threading import Lock
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Update,
    and_,
    case,
    literal,
    null,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.orm import Session

from leadflow.db import database_now, insert_into
from leadflow.models import breaker
from leadflow.playbook.model import Outage
from leadflow.types import HOUR, MINUTE, SECOND

#: Longer than any answer takes; a worker that died with its probe is waited for no longer.
_PROBE = 3 * MINUTE
#: A provider's own wish for patience is heard up to here; an instant further off is a clock put back.
_LONGEST = HOUR


class Breaker:
    """What one worker hears of its provider's health, and what it tells the others."""

    def __init__(self, provider: str, owner: str, outage: Outage) -> None:
        self._provider, self._owner, self._outage = provider, owner, outage
        #: Outages in a row that all workers knew of when this one last asked.
        self._known = 0
        #: Those of this worker since it last told, and whether the provider has answered in between.
        self._run, self._answered = 0, False
        self._note, self._patience = "", 0
        #: Answers come while another thread tells of those before.
        self._lock = Lock()
        #: Whether the one mail that may leave is this worker's.
        self.is_probing = False

    @property
    def is_tripped(self) -> bool:
        """Whether this worker has seen enough: the mails it still holds need not try."""
        with self._lock:
            if self.is_probing:
                return self._run > 0
            return self._run + (0 if self._answered else self._known) >= self._outage.after

    def note(self, outage: str | None, patience: float | None = None) -> None:
        """Keep an answer: what an outage said of itself and the seconds it asked for, None of a provider that works."""
        with self._lock:
            if outage is None:
                self._run, self._answered, self._patience = 0, True, 0
            else:
                self._run, self._note = self._run + 1, outage
                self._patience = max(self._patience, int((patience or 0) * SECOND))

    def ask(self, session: Session) -> bool:
        """Whether mail may leave: while the breaker is open, one mail of one worker at a time (`is_probing`)."""
        row = session.execute(_standing(self._provider)).one_or_none()
        self._known = 0 if row is None else int(row.failures)
        if row is None or row.opened_at is None:
            # However few the playbook allows by now, it takes another one.
            self._known = min(self._known, self._outage.after - 1)
            return True
        self.is_probing = session.scalar(_take_probe(self._provider, self._owner)) is not None
        return self.is_probing

    def tell(self, session: Session) -> None:
        """Let the others know what came of the last mails; no statement where nothing is new."""
        with self._lock:
            run, answered, was_probing, known = self._run, self._answered, self.is_probing, self._known
            self._run, self._answered, self.is_probing = 0, False, False
            # At once: between the two nothing would have been heard, and one more mail would leave.
            self._known = run if answered else known + run
        if run:
            session.execute(self._fail(session, run, afresh=answered))
        elif answered and (was_probing or known):
            session.execute(_close(self._provider, self._owner))
        elif was_probing:
            session.execute(_release(self._provider, self._owner))

    def let_go(self, session: Session) -> None:
        """Nothing is sent after all: somebody else may probe. Touches the row only where `ask` has locked it."""
        if self.is_probing:
            self.is_probing = False
            session.execute(_release(self._provider, self._owner))

    def _fail(self, session: Session, run: int, *, afresh: bool) -> Insert:
        """INSERT or UPDATE the provider's row: so many outages more, and open from so many on."""
        rest = min(max(self._outage.retry_after, self._patience), max(self._outage.retry_after, _LONGEST))
        now, then = database_now(), database_now() + rest
        enough = run >= self._outage.after
        add = insert_into(session, breaker).values(
            provider=self._provider,
            failures=run,
            opened_at=now if enough else null(),
            ask_at=then if enough else null(),
            note=self._note,
        )
        failures = run + (literal(0) if afresh else breaker.c.failures)
        mine, opened = breaker.c.probe == self._owner, type_coerce(breaker.c.opened_at, BigInteger)
        asks = type_coerce(breaker.c.ask_at, BigInteger)
        opens = failures >= self._outage.after
        told = {
            "failures": failures,
            "opened_at": case((opened.is_not(None), opened), (opens, now)),
            # Answers to mails that left before it opened do not put the next question off.
            "ask_at": case((mine, then), (opened.is_not(None), asks), (opens, then)),
            "note": self._note,
        }
        return add.on_conflict_do_update(index_elements=[breaker.c.provider], set_={**told, **_probe_over(mine)})


def _probe_over(mine: ColumnElement[bool]) -> dict[str, Any]:
    return {
        "probe": case((mine, null()), else_=breaker.c.probe),
        "probe_until": case((mine, null()), else_=type_coerce(breaker.c.probe_until, BigInteger)),
    }


def _standing(provider: str) -> Select[Any]:
    return select(breaker.c.failures, breaker.c.opened_at).where(breaker.c.provider == provider)


def _take_probe(provider: str, owner: str) -> Update:
    """UPDATE an open breaker whose time has come: its probe is `owner`'s, unless somebody has it."""
    ask_at, until = type_coerce(breaker.c.ask_at, BigInteger), type_coerce(breaker.c.probe_until, BigInteger)
    return (
        update(breaker)
        .where(breaker.c.provider == provider, breaker.c.opened_at.is_not(None))
        # Either way round: a clock put back must not keep it shut for a day.
        .where(or_(ask_at <= database_now(), ask_at > database_now() + _LONGEST + _PROBE))
        .where(or_(until.is_(None), until <= database_now(), until > database_now() + _PROBE))
        .values(probe=owner, probe_until=database_now() + _PROBE)
        .returning(breaker.c.provider)
    )


def _close(provider: str, owner: str) -> Update:
    """UPDATE the provider's row: it answers. An open breaker is closed by its probe alone."""
    return (
        update(breaker)
        .where(breaker.c.provider == provider, or_(breaker.c.opened_at.is_(None), breaker.c.probe == owner))
        .values(failures=0, opened_at=None, ask_at=None, probe=None, probe_until=None, note=None)
    )


def _release(provider: str, owner: str) -> Update:
    mine = and_(breaker.c.provider == provider, breaker.c.probe == owner)
    return update(breaker).where(mine).values(probe=None, probe_until=None)
