"""A helper of a delivery, in a process of its own: what it works with comes on its standard input, which ends it."""

import json
import os
import pickle
import signal
import sys
import time
from collections import Counter
from datetime import datetime
from threading import Thread

from leadflow.app.phases import deliver_alone
from leadflow.app.stopping import ask_to_stop
from leadflow.app.workspace import open_as
from leadflow.pipeline.deliver_tally import Tally
from leadflow.playbook.model import Playbook
from leadflow.settings import Settings

#: Seconds between two lines.
_OFTEN = 1.0


def main() -> None:
    """Drain the outbox until nothing is left, or until whoever started this process ends or says so."""
    # Whoever presses Ctrl-C means the process that started this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda _number, _frame: ask_to_stop())
    told = json.loads(sys.stdin.readline())
    Thread(target=_until_told, daemon=True).start()
    app = open_as(Settings(**told["settings"]), _handed(told["playbook"]))
    tally = Tally()
    said = _Said(tally)
    deliver_alone(app, datetime.fromisoformat(told["now"]), progress=lambda _ended: said.now_and_then(), tally=tally)
    said.say()


def _handed(file: int) -> Playbook:
    # The others read it too: whoever reads as usual moves the place where they begin.
    found: Playbook = pickle.loads(os.pread(file, os.fstat(file).st_size, 0))  # noqa: S301 - written by who started us
    os.close(file)
    return found


def _until_told() -> None:
    sys.stdin.read()
    ask_to_stop()


class _Said:
    """Says what was done since it was last said."""

    def __init__(self, tally: Tally) -> None:
        self._tally, self._at = tally, time.monotonic()
        self._before: Counter[str] = Counter()

    def now_and_then(self) -> None:
        """Once a second at most."""
        if time.monotonic() - self._at >= _OFTEN:
            self.say()

    def say(self) -> None:
        """One line."""
        now = Counter(self._tally.said())
        more = {word: n - self._before[word] for word, n in now.items()}
        self._at, self._before = time.monotonic(), now
        print(json.dumps(more), flush=True)  # noqa: T201 - the line is what this process is asked for


if __name__ == "__main__":
    main()
