"""Whether and how fast delivery may go on: the questions it asks, and the answers where nothing limits it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from leadflow.errors import OutageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How many messages may be claimed now."""

    n: int
    #: Which ones, over `message`; None for any.
    only: ColumnElement[bool] | None = None
    #: Where there is none: seconds after which it is worth asking again; None: not in this run.
    wait: float | None = None
    #: Nothing else is to be claimed before the answers to these are recorded.
    alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A claimed message, before its intent."""

    id: int
    #: Of its reader's address.
    domain: str


class Gate(Protocol):
    """Paces one run of one worker. Those that take a session are called in a transaction of the run, one at a time."""

    def room(self, session: Session, wanted: int) -> Room:
        """How many of `wanted` may be claimed; in the transaction of the claim."""
        ...

    def took(self, session: Session, taken: Sequence[Taken]) -> Collection[int]:
        """Ids of what was claimed and must be given back after all; in the transaction of the claim."""
        ...

    def look_again(self) -> float | None:
        """After a claim that kept nothing: seconds until there may be something; None: not in this run."""
        ...

    def unused(self, session: Session, n: int) -> None:
        """So many of what was claimed never reached the provider; in the transaction that says so."""
        ...

    def may_go_on(self) -> bool:
        """Whether the next mail in hand may leave; asked before each, so it asks nobody."""
        ...

    def note(self, error: Exception | None) -> None:
        """The answer to one mail: None accepted it."""
        ...

    def tell(self, session: Session) -> None:
        """Let other workers know what was noted; in the transaction that records the answers."""
        ...


class OpenGate:
    """No limit but the provider's health: after an outage this run waits as long as it asks, and gives up soon."""

    #: Outages in a row, each after a wait, after which the rest is left to the next run; and the longest wait, seconds.
    _TRIES = 3
    _PATIENCE = 30.0

    def __init__(self) -> None:
        self._wait: float | None = None
        self._failed = 0

    def room(self, session: Session, wanted: int) -> Room:  # noqa: ARG002 - a gate that asks nobody
        """All of `wanted`, but after an outage none at first, and then one."""
        if not self._failed:
            return Room(n=wanted)
        if self._failed > self._TRIES or (self._wait or 0) > self._PATIENCE:
            return Room(n=0)
        if self._wait is not None:
            wait, self._wait = self._wait, None
            return Room(n=0, wait=wait)
        return Room(n=1, alone=True)

    def took(self, session: Session, taken: Sequence[Taken]) -> Collection[int]:  # noqa: ARG002
        """Nothing is given back."""
        return ()

    def look_again(self) -> float | None:
        """What was not found now will not be there later."""
        return None

    def unused(self, session: Session, n: int) -> None:
        """Nothing was counted."""

    def may_go_on(self) -> bool:
        """Until an outage."""
        return self._wait is None

    def note(self, error: Exception | None) -> None:
        """An outage closes the gate for a while; an answer of any other kind opens it."""
        if not isinstance(error, OutageError):
            self._failed, self._wait = 0, None
        elif self._wait is None:
            self._failed += 1
            self._wait = 2.0**self._failed if error.retry_after is None else error.retry_after

    def tell(self, session: Session) -> None:
        """There is nobody to tell."""
