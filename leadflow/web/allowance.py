"""How often one network may post: a bucket of tokens each, kept in this process."""

import threading
from collections import OrderedDict

#: Networks that are remembered; who comes back after so many others begins anew.
_MOST = 10_000


class Allowance:
    """`burst` at once, then `per_minute`."""

    def __init__(self, *, burst: int, per_minute: int) -> None:
        self._burst, self._rate = float(burst), per_minute / 60
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, network: str | None, now: float) -> float:
        """Take one token; seconds until there is one when there is none.

        A network that nobody can tell from others has no bucket: behind a proxy that names nobody, all would share it.
        """
        if network is None or network in ("127.0.0.0", "::"):
            return 0.0
        with self._lock:
            left, at = self._left.pop(network, (self._burst, now))
            left = min(self._burst, left + (now - at) * self._rate)
            enough = left >= 1
            self._left[network] = (left - enough, now)
            if len(self._left) > _MOST:
                self._left.popitem(last=False)
        return 0.0 if enough else (1 - left) / self._rate
