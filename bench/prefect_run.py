"""One delivery in a process of its own: by itself, or as a flow run in which to send is to wait for so many seconds.

A run with nothing to do comes before it, as in a process that lives on: what Prefect imports late is imported once.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from leadflow.app import App, Tally, deliver_due, open_app
from leadflow.types import Outcome, Scope

#: Reports of a delivery in a second; as `deliver` looks.
_REPORTS = 10


def plain(app: App, now: datetime) -> dict[str, Any]:
    """What is due, sent by itself."""
    began = time.monotonic()
    outcome = deliver_due(app, now)
    return {"seconds": time.monotonic() - began, "waiting": outcome.counts["waiting"]}


def as_flow(app: App, now: datetime) -> dict[str, Any]:
    """The flow `deliver`, from its call until its run is complete; its processor time is this whole process's."""
    from flows import common, deliver

    # Only a simulated workspace may choose its instant, and those send to nobody: the bench brings its own clock.
    common.clock = lambda app, at: lambda: now  # noqa: ARG005
    common._opened[str(app.settings.workspace)] = app
    flow: Any = deliver.deliver
    began, worked = time.monotonic(), time.process_time()
    state = asyncio.run(flow(workspace=str(app.settings.workspace), return_state=True))
    took = time.monotonic() - began
    return {"seconds": took, "worked": time.process_time() - worked, "state": state.name, "told": state.message}


def waiting(mails: int, seconds: float) -> Callable[..., Outcome]:
    """In the place of `deliver_due`: `mails` leave in `seconds`, and nobody does anything for it."""

    def wait(_app: App, _now: datetime, _scope: Scope, progress: Callable[[int], None], tally: Tally) -> Outcome:
        looks = max(1, round(seconds * _REPORTS))
        for look in range(looks):
            time.sleep(seconds / looks)
            left = mails * (look + 1) // looks - mails * look // looks
            tally.heard({"read": left, "ended": left, "accepted": left})
            progress(left)
        return tally.outcome()

    return wait


def main() -> None:
    """Deliver what is due, or wait in its place, and say how long it took."""
    app, now, seconds = open_app(Path(sys.argv[1])), datetime.fromisoformat(sys.argv[2]), float(sys.argv[4])
    if seconds:
        from flows import batches

        as_flow(app, now - timedelta(days=1))
        vars(batches)["deliver_due"] = waiting(int(sys.argv[3]), seconds)
        told = as_flow(app, now)
    else:
        plain(app, now - timedelta(days=1))
        told = plain(app, now)
    print(json.dumps(told), flush=True)
    app.engine.dispose()


if __name__ == "__main__":
    main()
