"""Keeps the garbage collector away from what stays: the programme itself, most of what a process holds."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

#: New objects between two looks at the youngest: a mail makes dozens, hardly any of them in a circle.
_SELDOM = 50_000


@contextmanager
def settled() -> Iterator[None]:
    """While this lasts, what exists now is not searched for garbage, and what is new seldom.

    A third of a delivery's CPU went there.
    """
    usual, is_set = gc.get_threshold(), gc.get_freeze_count() > 0
    if not is_set:
        # Without a search before: it takes a tenth of a second, and what it would find is little and waits.
        gc.freeze()
    gc.set_threshold(_SELDOM, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        # A process that lives for weeks froze what it began with, and keeps it so.
        if not is_set:
            gc.unfreeze()
