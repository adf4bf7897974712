"""The one place where settings meet adapters, and where the phases have their order: what every driver works with."""

from leadflow.app.acts import run_slot
from leadflow.app.doctor import doctor
from leadflow.app.explain import why
from leadflow.app.holds import approve, drop, held_at, held_nights, hold_words
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
from leadflow.app.outbox import resend_mails, resend_plan, which_mails
from leadflow.app.pacing import waiting_words
from leadflow.app.pauses import pause, pause_words, pauses_of, resume, who_paused
from leadflow.app.phases import deliver_due, phase_of, run_phase, seldom
from leadflow.app.playbook_at import playbook_at
from leadflow.app.reconcile import doubtful, reconcile_due
from leadflow.app.rehearsal import against, coming_night, foresight
from leadflow.app.slots import Slot, due_slots, newest_slot, next_slot
from leadflow.app.stopping import ask_to_stop, draining_at_sigterm, heeding, stop_asked
from leadflow.app.summary import broken_invariants, headline, messages, nightly_summary
from leadflow.app.sweeps import (
    Sweep,
    counts_of,
    plan,
    sweep,
    sweep_one,
    sweep_raised,
    sweeping,
)
from leadflow.app.urgent import urgent_acts
from leadflow.app.waiting import Left, left_at, left_since, shares_at
from leadflow.app.workspace import App, open_app, refresh
from leadflow.pipeline.deliver_tally import Tally
from leadflow.pipeline.pace import Halt

__all__ = [
    "App",
    "Claim",
    "Halt",
    "Left",
    "Slot",
    "Sweep",
    "Tally",
    "against",
    "anything_due",
    "approve",
    "ask_to_stop",
    "broken_invariants",
    "claim_of",
    "coming_night",
    "counts_of",
    "deliver_due",
    "doctor",
    "doubtful",
    "draining_at_sigterm",
    "drop",
    "due_slots",
    "foresight",
    "headline",
    "heeding",
    "held_at",
    "held_nights",
    "hold_words",
    "job_of",
    "left_at",
    "left_since",
    "mark_scheduled",
    "messages",
    "missed_night",
    "newest_slot",
    "next_slot",
    "night_of",
    "nightly_summary",
    "open_app",
    "pause",
    "pause_words",
    "pauses_of",
    "phase_of",
    "plan",
    "playbook_at",
    "reconcile_due",
    "refresh",
    "resend_mails",
    "resend_plan",
    "resume",
    "run_escalations",
    "run_once",
    "run_phase",
    "run_slot",
    "run_upkeep",
    "seldom",
    "shares_at",
    "slot_at",
    "slot_free",
    "stop_asked",
    "sweep",
    "sweep_one",
    "sweep_raised",
    "sweeping",
    "urgent_acts",
    "waiting_words",
    "which_mails",
    "who_paused",
    "why",
]
