"""What a scheduled slot does in this process, without Prefect: the same acts the flows wrap."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from leadflow.app.holds import held_at, hold_words
from leadflow.app.jobs import Claim, run_escalations, run_once, run_upkeep
from leadflow.app.phases import deliver_due, seldom
from leadflow.app.slots import Slot
from leadflow.app.summary import broken_invariants, headline
from leadflow.app.sweeps import counts_of, sweeping
from leadflow.app.workspace import App
from leadflow.types import Phase

logger = logging.getLogger("leadflow")


def run_slot(app: App, slot: Slot) -> None:
    """Claim a slot and act; nothing when somebody else has it."""
    act = ACTS[slot.job]
    run_once(app, job=slot.job, slot=slot.name, act=lambda claim: act(app, claim))


def _night(app: App, claim: Claim) -> Mapping[str, Any]:
    with sweeping(app, _now) as sweep:
        for phase in Phase:
            claim.renew()
            sweep.run(phase)
    logger.info("night %s: %s", claim.slot, headline(sweep.outcomes))
    held = held_at(app, sweep.now)
    if held is not None:
        logger.error(hold_words(held))
    for broken in broken_invariants(app, sweep.now):
        logger.error("invariant: %s", broken)
    return sweep.counts


def _deliver(app: App, claim: Claim) -> Mapping[str, Any]:
    return counts_of(deliver_due(app, _now(), progress=seldom(claim.renew)))


def _escalate(app: App, _claim: Claim) -> Mapping[str, Any]:
    return run_escalations(app, _now())


def _upkeep(app: App, _claim: Claim) -> Mapping[str, Any]:
    return run_upkeep(app, _now())


def _now() -> datetime:
    return datetime.now(UTC)


#: By job of schedule.yaml.
ACTS: Mapping[str, Callable[[App, Claim], Mapping[str, Any]]] = {
    "nightly": _night,
    "deliver": _deliver,
    "escalate": _escalate,
    "upkeep": _upkeep,
}
