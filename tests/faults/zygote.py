"""A process that has everything imported and nothing open, and forks a worker per line of input.

Importing the product costs a second, forking a process that has it costs milliseconds: a thousand kills and restarts
fit into minutes. It has one thread, no engine and no event loop, so that what it forks begins like a fresh process.
Each line in is `{"role": …, …}`, what the worker is told; the line out is `{"pid": …}`. `{"warm": URL}` lives through
one delivery first, on a database for that alone. A worker dies with the zygote, and the zygote with whoever started it.
"""

import ctypes
import faulthandler
import importlib
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from tests.faults.nights import schedule
from tests.faults.roles import Told, drain, warm_up

_PDEATHSIG = 1


def main() -> None:
    """Fork until the input ends."""
    _die_with_parent()
    # Nobody waits for the workers one by one: the kernel buries them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    sys.stdout.write('{"ready": true}\n')
    sys.stdout.flush()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_obey(json.loads(line))) + "\n")
        sys.stdout.flush()


def _obey(told: dict[str, Any]) -> dict[str, int]:
    if "load" in told:
        importlib.import_module(told["load"])
        return {"threads": threading.active_count()}
    if "warm" in told:
        warm_up(told["warm"])
        # A fork takes the one thread that asked for it: a lock held by another would never be let go.
        return {"threads": threading.active_count()}
    pid = os.fork()
    if pid == 0:
        _be(told)
    return {"pid": pid}


def _flow(told: Told) -> None:
    # Only where flows are killed is Prefect worth its seconds.
    from tests.faults.flow_runs import run_flows

    run_flows(told)


ROLES: Mapping[str, Callable[[Told], None]] = {"drain": drain, "schedule": schedule, "flow": _flow}


def _be(told: dict[str, Any]) -> None:
    """Live as a worker; never returns."""
    code = 1
    try:
        _die_with_parent()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        faulthandler.register(signal.SIGUSR1)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)
        ROLES[told["role"]](told)
        code = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(code)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
