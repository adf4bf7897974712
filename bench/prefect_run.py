"""One delivery in a process of its own, as a flow run or without Prefect: seconds from its start.

A run with nothing to do comes before it, as in a process that lives on: what Prefect imports late is imported once.
"""

import asyncio
import json
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from leadflow.app import App, counts_of, deliver_due, open_app


def as_flow(app: App, now: datetime) -> tuple[float, dict[str, Any]]:
    """The flow `deliver`, from its call until its run is complete."""
    from flows import common, deliver

    # Only a simulated workspace may choose its instant, and those send to nobody: the bench brings its own clock.
    common.clock = lambda app, at: lambda: now  # noqa: ARG005
    common._opened[str(app.settings.workspace)] = app
    flow: Any = deliver.deliver
    began = time.monotonic()
    state = asyncio.run(flow(workspace=str(app.settings.workspace), return_state=True))
    return time.monotonic() - began, {"state": state.name, "told": state.message}


def plain(app: App, now: datetime) -> tuple[float, dict[str, Any]]:
    """The same work by itself."""
    began = time.monotonic()
    outcome = deliver_due(app, now)
    return time.monotonic() - began, counts_of(outcome)


def main() -> None:
    """Deliver what is due, and say how long it took."""
    app, now = open_app(Path(sys.argv[1])), datetime.fromisoformat(sys.argv[2])
    act = as_flow if sys.argv[3] == "flow" else plain
    act(app, now - timedelta(days=1))
    took, told = act(app, now)
    print(json.dumps({"seconds": took, "told": told}), flush=True)
    app.engine.dispose()


if __name__ == "__main__":
    main()
