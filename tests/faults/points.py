"""Named places of a delivery at which a worker is struck, found from outside: by what each transaction wrote.

The product has no hooks. A transaction is known by the columns of `message` it sets: the claim sets a lease, the
intent an attempt, the mark the provider's id, a no of the log when it was asked; whatever a worker commits while it
reconciles is reconciliation; an insert of messages is a planner's.
"""

import os
import re
import signal
from collections import Counter
from collections.abc import Callable
from threading import Condition, get_ident
from typing import Any

from sqlalchemy import Engine, event

from leadflow.connections import begin_sqlite

#: The first of these that a statement sets names its transaction.
_SETS = (("intent", "attempt_id="), ("mark", "provider_id="), ("no", "asked_at="), ("claim", "lease_until="))
_UPDATE = re.compile(r"\bUPDATE message SET (.*?)(?: FROM | WHERE )", re.DOTALL)

Act = Callable[[], None]


class Points:
    """What happens before and after each kind of commit of one engine; `during` renames all of them."""

    def __init__(self, engine: Engine) -> None:
        self.during = ""
        self._seen: Counter[str] = Counter()
        self._acts: dict[tuple[str, int], Act] = {}
        self._each: dict[str, list[Act]] = {}
        self._wrote: dict[int, str] = {}
        #: Connections with a transaction open, or waiting to begin one.
        self._open: set[int] = set()
        self._turn, self._is_stopping = Condition(), False
        event.listen(engine, "begin", self._begin)
        if event.contains(engine, "begin", begin_sqlite):
            # After ours: who has begun before it is noted may be stopped with the lock that all others wait for.
            event.remove(engine, "begin", begin_sqlite)
            event.listen(engine, "begin", begin_sqlite)
        event.listen(engine, "before_cursor_execute", self._read)
        self._plain_commit, self._plain_rollback = engine.dialect.do_commit, engine.dialect.do_rollback
        engine.dialect.do_commit = self._commit  # type: ignore[method-assign, assignment]
        engine.dialect.do_rollback = self._rollback  # type: ignore[method-assign, assignment]

    def at(self, name: str, act: Act, *, time: int = 1) -> None:
        """Do `act` the n-th time that `name` is reached."""
        self._acts[name, time] = act

    def always(self, name: str, act: Act) -> None:
        """Do `act` every time that `name` is reached."""
        self._each.setdefault(name, []).append(act)

    def reach(self, name: str) -> None:
        """This process stands at `name`."""
        self._seen[name] += 1
        for act in (*self._each.get(name, ()), self._acts.get((name, self._seen[name]), _nothing)):
            act()

    def stop(self) -> None:
        """Stand still until somebody sends SIGCONT, with no transaction open: SQLite has one lock for everybody."""
        with self._turn:
            self._is_stopping = True
            self._turn.wait_for(lambda: not self._open)
            stop_self()
            self._is_stopping = False
            self._turn.notify_all()

    def _begin(self, connection: Any) -> None:
        with self._turn:
            # Who is to stand still begins nothing more: with two at work in turn, none might ever be found at rest.
            self._turn.wait_for(lambda: not self._is_stopping)
            self._open.add(id(connection.connection.dbapi_connection))

    def _end(self, connection: Any) -> None:
        with self._turn:
            self._open.discard(id(connection.dbapi_connection))
            self._turn.notify_all()

    def _commit(self, connection: Any) -> None:
        kind = self._wrote.pop(id(connection.dbapi_connection), "")
        self.reach(f"before-{kind}")
        self._plain_commit(connection)
        self._end(connection)
        self.reach(f"after-{kind}")

    def _rollback(self, connection: Any) -> None:
        # Also what the pool does to each connection that comes back: one whose BEGIN failed is let go of here.
        self._wrote.pop(id(connection.dbapi_connection), "")
        self._plain_rollback(connection)
        self._end(connection)

    def _read(self, connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        found = _UPDATE.search(statement)
        # An insert-select names a planner's work; an update of messages a worker's.
        kind = next((kind for kind, column in _SETS if found and column in found[1].replace(" = ", "=")), "")
        if "INSERT INTO message " in statement:
            kind = "plan"
        if kind:
            place = id(connection.connection.dbapi_connection)
            self._wrote[place] = self.during or (kind if kind != "claim" else self._wrote.get(place, kind))


def _nothing() -> None:
    return


def kill_self() -> None:
    """What a power cut does to one process."""
    os.kill(os.getpid(), signal.SIGKILL)


def stop_self() -> None:
    """Stand still until somebody sends SIGCONT.

    This thread is told: a signal to the process may wake another one first, and until that stops us all this one would
    go on, let others begin, and leave them standing with a transaction open.
    """
    signal.pthread_kill(get_ident(), signal.SIGSTOP)
