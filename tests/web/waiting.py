"""What the fast lane does after a request was answered is waited for."""

import time
from collections.abc import Callable

#: Seconds: a sweep of one person on a busy machine.
SOON = 20.0


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether `holds` soon."""
    until = time.monotonic() + SOON
    while not holds() and time.monotonic() < until:
        time.sleep(0.05)
    return holds()
