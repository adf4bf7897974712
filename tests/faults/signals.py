"""Blows that the world deals to its senders: SIGKILL, or a stop that only somebody's SIGCONT ends."""

import asyncio
import os
import signal
from collections import Counter
from contextlib import suppress

from tests.faults.world import lives, stands_still


async def strike(blow: str, pid: int, tally: Counter[str]) -> None:
    """Kill process `pid`, or have it stop itself, and wait until it stands still; a pid of 0 is nobody.

    A worker stops between its transactions (`Points.stop`): one that stood still in the middle of one would hold the
    only lock of a SQLite database, and nobody else's protocol would be tried.
    """
    if not blow or not pid:
        return
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL if blow == "kill" else signal.SIGUSR2)
        tally["kills" if blow == "kill" else "stops"] += 1
    while blow == "stop" and lives(pid) and not stands_still(pid):  # noqa: ASYNC110 - nobody else can tell
        await asyncio.sleep(0.001)
