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


def _resident() -> int:
    """Bytes that this process and those it started hold."""
    pages = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            ours = int(process.name) == os.getpid() or f"\nPPid:\t{os.getpid()}\n" in (process / "status").read_text()
            pages += int((process / "statm").read_text().split()[1]) if ours else 0
        except OSError:
            continue
    return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Deliver what is due, and say how it went."""
    app = open_app(Path(sys.argv[1]))
    seen: list[tuple[float, int]] = []
    done = threading.Event()

    def look() -> None:
        while not done.wait(_LOOK):
            seen.append((time.monotonic(), _resident()))

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
