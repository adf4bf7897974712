"""A queue of threads: whoever comes first is served first."""

import threading
from collections import deque


class Queue:
    """One at a time, in the order in which they came.

    SQLite's own wait looks again after up to 100 ms, and whoever asks at the right moment goes first: a thread that
    writes one transaction after the other would let nobody in.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._is_busy = False
        self._waiting: deque[threading.Event] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def enter(self, seconds: float) -> bool:
        """Wait for one's turn; False when it has not come within `seconds`."""
        with self._guard:
            if not self._is_busy:
                self._is_busy = True
                return True
            turn = threading.Event()
            self._waiting.append(turn)
        try:
            has_come = turn.wait(seconds)
        except BaseException:
            # Ctrl-C: the turn must not go to somebody who left.
            if not self._give_up(turn):
                self.leave()
            raise
        return has_come or not self._give_up(turn)

    def leave(self) -> None:
        """Let the next one in."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._is_busy = False

    def _give_up(self, turn: threading.Event) -> bool:
        """Stop waiting; False when the turn had come by then."""
        with self._guard:
            if not turn.is_set():
                self._waiting.remove(turn)
                return True
        return False
