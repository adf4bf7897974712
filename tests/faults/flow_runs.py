"""The role of a flow's process: it runs delivery and upkeep as Prefect flows against a server, over and over."""

import asyncio
import os
import secrets
import sys
import time
from itertools import count
from typing import Any

from prefect.client.schemas import State
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows import common
from flows.deliver import deliver
from flows.upkeep import upkeep
from leadflow.pipeline import deliver_claims
from tests.faults.roles import Told, clock, ends, open_world, prepare

_WORKSPACE = "fire"


def run_flows(told: Told) -> None:
    """One run after the other, each with a slot of its own."""
    app, points = open_world(told)
    prepare(app, points, told)
    common._opened[_WORKSPACE] = app
    sign_claims()
    now, ended = clock(told), ends()
    with temporary_settings({PREFECT_API_URL: told["api"]}):
        for number in count():
            if ended():
                return
            # Few live to see their third run: some begin with upkeep.
            flow = upkeep if (os.getpid() + number) % 3 == 0 else deliver
            slot = f"{os.getpid()}-{number}"
            run: Any = flow(workspace=_WORKSPACE, at=now().isoformat(), slot=slot, return_state=True)
            complain(asyncio.run(run))
            time.sleep(0.05)


def sign_claims() -> None:
    """Name the process in what it claims, so that the test finds what was in its hands when it died."""

    def signed(size: int | None = None) -> str:
        return f"{os.getpid()}-{secrets.token_hex(size)}"

    deliver_claims.token_hex = signed  # type: ignore[attr-defined, assignment]


def complain(state: State[object]) -> None:
    """Say in the log of the workers why a run failed: a state that nobody reads hides that none delivers."""
    if not state.is_completed():
        sys.stderr.write(f"{state.name}: {state.message}\n")
        sys.stderr.flush()
