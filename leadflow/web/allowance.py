"""How often one network, or one key, may post: a bucket of tokens each, kept in this process."""

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping

from fastapi import HTTPException, Request

#: Networks or keys that are remembered; who comes back after so many others begins anew.
_MOST = 10_000


class Allowance:
    """`burst` at once, then `per_minute`."""

    def __init__(self, *, burst: int, per_minute: int) -> None:
        self._burst, self._rate = float(burst), per_minute / 60
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, who: str | None, now: float) -> float:
        """Take one token; seconds until there is one when there is none.

        A network that nobody can tell from others has no bucket: behind a proxy that names nobody, all would share it.
        """
        if who is None or who in ("127.0.0.0", "::"):
            return 0.0
        with self._lock:
            left, at = self._left.pop(who, (self._burst, now))
            left = min(self._burst, left + (now - at) * self._rate)
            enough = left >= 1
            self._left[who] = (left - enough, now)
            if len(self._left) > _MOST:
                self._left.popitem(last=False)
        return 0.0 if enough else (1 - left) / self._rate


def allowance_of(request: Request, door: str, *, burst: int, per_minute: int) -> Allowance:
    """The one of `door` in this process."""
    # In one step: requests come in threads.
    found: Allowance = request.app.state.allowances.setdefault(door, Allowance(burst=burst, per_minute=per_minute))
    return found


def refuse_too_many(allowance: Allowance, who: str | None, headers: Mapping[str, str] | None = None) -> None:
    """Take one token of `who`; 429 that says when to come again while there is none."""
    if wait := allowance.wait(who, time.monotonic()):
        told = {**(headers or {}), "Retry-After": retry_after(wait)}
        raise HTTPException(429, "too many requests; come again later", headers=told)


def retry_after(wait: float) -> str:
    """Whole seconds, by which there is a token for sure."""
    return str(int(wait) + 1)
