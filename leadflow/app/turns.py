"""The turns in which the provider's log may be asked, shared by all workers through the database."""

import time
from collections.abc import Callable

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from leadflow.pipeline import runs
from leadflow.pipeline.reconcile_turns import take_turn

#: A process waits so many seconds for turns in any five minutes: upkeep has other things to do.
PATIENCE = 120.0
_PERIOD = 300.0
_NAP = 0.5


def turns_at(engine: Engine, log: str, *, patience: float = PATIENCE) -> Callable[[], bool]:
    """Takes a turn at the provider's log, waiting for one while there is patience left; False without one."""
    owner = runs.new_owner()
    since, left = time.monotonic(), patience

    def turn() -> bool:
        nonlocal since, left
        if time.monotonic() - since >= _PERIOD:
            since, left = time.monotonic(), patience
        while not _taken(engine, log, owner):
            if left <= 0:
                return False
            time.sleep(_NAP)
            left -= _NAP
        return True

    return turn


def _taken(engine: Engine, log: str, owner: str) -> bool:
    with Session(engine) as session, session.begin():
        return take_turn(session, log, owner)
