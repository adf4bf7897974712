"""One delivery run in a process of its own: seconds from its start, and the memory of it and its helpers as it went."""

import json
import os
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

from leadflow.app import deliver_due, open_app

#: Seconds between two looks at the memory.
_LOOK = 0.5


def _resident(pid: int) -> int:
    """Bytes that a process and those it started hold, asked of them alone: to ask all of the machine's takes longer."""
    process = Path("/proc") / str(pid)
    try:
        held = int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        started = [int(child) for task in process.glob("task/*/children") for child in task.read_text().split()]
    except OSError:
        return 0
    return held + sum(_resident(child) for child in started)


def main() -> None:
    """Deliver what is due, and say how it went."""
    app = open_app(Path(sys.argv[1]))
    seen: list[tuple[float, int]] = []
    done = threading.Event()

    def look() -> None:
        while not done.wait(_LOOK):
            seen.append((time.monotonic(), _resident(os.getpid())))

    threading.Thread(target=look, daemon=True).start()
    began = time.monotonic()
    outcome = deliver_due(app, datetime.fromisoformat(sys.argv[2]))
    took = time.monotonic() - began
    done.set()
    # Before, helpers are still starting.
    settled = [size for at, size in seen if at - began > took / 4] or [0]
    told = {"seconds": took, "counts": dict(outcome.counts), "settled": settled[0], "peak": max(settled)}
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
