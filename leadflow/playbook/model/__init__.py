"""The Playbook: all that marketers wrote, typed, frozen and versioned by content."""

from leadflow.playbook.model.journey import (
    Criterion,
    EngagementRule,
    FitRule,
    Journey,
    LifecycleRules,
    Scoring,
    Stage,
    VetoRule,
)
from leadflow.playbook.model.limits import Brake, Brand, Cap, NeverRule, Office, Pressure, Sender, Window
from leadflow.playbook.model.sales import Absence, HotRule, Job, NoAnswer, Route, Sales, Salesperson, Schedule
from leadflow.playbook.model.whole import Base, Localised, Playbook, Reentry, Segment, Sequence

__all__ = [
    "Absence",
    "Base",
    "Brake",
    "Brand",
    "Cap",
    "Criterion",
    "EngagementRule",
    "FitRule",
    "HotRule",
    "Job",
    "Journey",
    "LifecycleRules",
    "Localised",
    "NeverRule",
    "NoAnswer",
    "Office",
    "Playbook",
    "Pressure",
    "Reentry",
    "Route",
    "Sales",
    "Salesperson",
    "Schedule",
    "Scoring",
    "Segment",
    "Sender",
    "Sequence",
    "Stage",
    "VetoRule",
    "Window",
]
