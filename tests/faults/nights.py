"""The role of a scheduler: it fires the jobs of a schedule by its clock, plans a night's mail and sends what is due."""

import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from leadflow.app import App, Claim, acts, run_slot
from leadflow.playbook.model import Job, Schedule
from leadflow.scheduler.clock import Clock
from leadflow.steps.email import EmailStep
from leadflow.types import MINUTE, SECOND
from tests.build import NIGHT
from tests.faults.roles import Told, clock, ends, open_world, prepare, set_constant
from tests.pipeline.nurture_world import sequence

JOBS = (
    Job(name="nightly", at=4 * 60 + 15),
    Job(name="deliver", every=30 * MINUTE),
    Job(name="upkeep", every=30 * MINUTE),
)
#: A sequence of one mail, entered by everybody at the first night.
PLANNING: Mapping[str, Any] = {
    "schedule": Schedule(scheduler="embedded", jobs=JOBS),
    "sequences": (sequence("s", steps=(EmailStep(name="one", email="hello"),)),),
}
#: Seconds after which a night whose scheduler was killed is taken over: longer than one takes on a busy machine.
LEASE = 4.0


def schedule(told: Told) -> None:
    """Fire what is due, over and over, as APScheduler would: only faster."""
    set_constant("leadflow.pipeline.runs.LEASE", int(told.get("lease", LEASE) * SECOND))
    # A night that is killed five times is still somebody's.
    set_constant("leadflow.app.jobs.ATTEMPTS", 1_000)
    app, points = open_world(told, **PLANNING)
    now, ended = clock(told), ends()
    set_constant("leadflow.app.acts._now", now)
    set_constant(
        "leadflow.app.acts.ACTS", {job: partial(_noted, told["journal"], act) for job, act in acts.ACTS.items()}
    )
    prepare(app, points, told)
    hands = Clock(app, run_slot, now)
    hands._since = NIGHT
    while not ended():
        for job in JOBS:
            hands.fire(job.name)
        time.sleep(0.03)


def _noted(journal: str, act: Callable[[App, Claim], Mapping[str, Any]], app: App, claim: Claim) -> Mapping[str, Any]:
    """Write down that this process runs the slot, then run it."""
    line = f"{claim.job} {claim.slot.replace(' ', '_')} {claim.attempt} {os.getpid()}\n"
    with Path(journal).open("ab", buffering=0) as file:
        file.write(line.encode())
    return act(app, claim)
