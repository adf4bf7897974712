"""A stopwatch that goes on while the machine sleeps, so that a mail's intent can be told to be old."""

import time


def seconds() -> float:
    """Seconds since some instant: the machine's suspend counts, and steps of the wall clock backwards do not."""
    return time.clock_gettime(_CLOCK) if _CLOCK is not None else _fastest()


_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", None)
_steady, _wall = time.monotonic(), time.time()
_reached = 0.0


def _fastest() -> float:
    # Where no clock counts suspend, the faster of two: too old too early costs another attempt, too late a second mail.
    global _reached
    _reached = max(_reached, time.monotonic() - _steady, time.time() - _wall)
    return _reached
