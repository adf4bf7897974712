"""The one place where settings meet adapters, and where the phases have their order: what every driver works with."""

from leadflow.app.acts import run_slot
from leadflow.app.jobs import (
    Claim,
    anything_due,
    claim_of,
    job_of,
    mark_scheduled,
    missed_night,
    night_of,
    run_escalations,
    run_once,
    run_upkeep,
    slot_at,
    slot_free,
)
from leadflow.app.slots import Slot, due_slots, newest_slot, next_slot
from leadflow.app.summary import broken_invariants, headline, messages, nightly_summary
from leadflow.app.sweeps import (
    Sweep,
    counts_of,
    deliver_due,
    phase_of,
    plan,
    run_phase,
    sweep,
    sweep_one,
    sweeping,
)
from leadflow.app.workspace import App, open_app, refresh

__all__ = [
    "App",
    "Claim",
    "Slot",
    "Sweep",
    "anything_due",
    "broken_invariants",
    "claim_of",
    "counts_of",
    "deliver_due",
    "due_slots",
    "headline",
    "job_of",
    "mark_scheduled",
    "messages",
    "missed_night",
    "newest_slot",
    "next_slot",
    "night_of",
    "nightly_summary",
    "open_app",
    "phase_of",
    "plan",
    "refresh",
    "run_escalations",
    "run_once",
    "run_phase",
    "run_slot",
    "run_upkeep",
    "slot_at",
    "slot_free",
    "sweep",
    "sweep_one",
    "sweeping",
]
