"""The role of a flow's process: it runs delivery and upkeep as Prefect flows against a server, over and over."""

import os
import time
from itertools import count

from prefect.settings import PREFECT_API_URL, temporary_settings

from flows import common
from flows.deliver import deliver
from flows.upkeep import upkeep
from tests.faults.roles import Told, clock, ends, open_world, prepare

_WORKSPACE = "fire"


def run_flows(told: Told) -> None:
    """One run after the other, each with a slot of its own."""
    app, points = open_world(told)
    prepare(app, points, told)
    common._opened[_WORKSPACE] = app
    now, ended = clock(told), ends()
    with temporary_settings({PREFECT_API_URL: told["api"]}):
        for number in count():
            if ended():
                return
            flow = upkeep if number % 3 == 2 else deliver
            flow(workspace=_WORKSPACE, at=now().isoformat(), slot=f"{os.getpid()}-{number}", return_state=True)
            time.sleep(0.05)
