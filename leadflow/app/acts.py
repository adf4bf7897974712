"""What a scheduled slot does in this process, without Prefect: the same acts the flows wrap."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from leadflow.app.holds import held_at, hold_words
from leadflow.app.jobs import Claim, run_escalations, run_once, run_upkeep
from leadflow.app.pacing import waiting_words
from leadflow.app.phases import Progress, deliver_due
from leadflow.app.slots import Slot
from leadflow.app.summary import broken_invariants, headline
from leadflow.app.sweeps import counts_of, sweeping
from leadflow.app.workspace import App
from leadflow.types import Outcome, Phase, Scope

logger = logging.getLogger("leadflow")


def run_slot(app: App, slot: Slot) -> None:
    """Claim a slot and act; nothing when somebody else has it."""
    act = ACTS[slot.job]
    run_once(app, job=slot.job, slot=slot.name, act=lambda claim: act(app, claim))


def _night(app: App, claim: Claim) -> Mapping[str, Any]:
    def deliver(app: App, now: datetime, scope: Scope, progress: Progress | None) -> Outcome:
        return deliver_due(app, now, scope, claim.renewed_by(progress))

    with sweeping(app, _now, deliver=deliver) as sweep:
        for phase in Phase:
            claim.renew()
            sweep.run(phase)
    logger.info("night %s: %s", claim.slot, headline(sweep.outcomes))
    _say_waiting("night", claim, sweep.outcomes[-1])
    held = held_at(app, sweep.now)
    if held is not None:
        logger.error(hold_words(held))
    for broken in broken_invariants(app, sweep.now):
        logger.error("invariant: %s", broken)
    return sweep.counts


def _deliver(app: App, claim: Claim) -> Mapping[str, Any]:
    outcome = deliver_due(app, _now(), progress=claim.renewed_by(None))
    _say_waiting("deliver", claim, outcome)
    return counts_of(outcome)


def _say_waiting(job: str, claim: Claim, outcome: Outcome) -> None:
    if waiting := waiting_words(outcome.counts):
        logger.warning("%s %s: unfinished, %s", job, claim.slot, waiting)


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
