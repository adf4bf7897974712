"""Blows that the world deals to its senders: SIGKILL, or SIGSTOP and some seconds later SIGCONT."""

import asyncio
import os
import signal
from collections import Counter
from contextlib import suppress


def strike(blow: str, pid: int, frozen: float, tally: Counter[str]) -> None:
    """Kill process `pid`, or stop it for `frozen` seconds (0: until somebody else wakes it); a pid of 0 is nobody."""
    if not blow or not pid:
        return
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL if blow == "kill" else signal.SIGSTOP)
        tally["kills" if blow == "kill" else "stops"] += 1
    if blow == "stop" and frozen:
        asyncio.get_running_loop().call_later(frozen, _wake, pid)


def _wake(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
