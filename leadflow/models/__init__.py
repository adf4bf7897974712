"""The tables: SQLModel classes for people who read, Core tables (lower case) for statements."""

from sqlmodel import SQLModel

from leadflow.models.doors import answered, api_key
from leadflow.models.events import event, event_inbox, event_key, hit, intake, link, network, reply, touch
from leadflow.models.journey import (
    assignment,
    decision,
    enrolment,
    escalation,
    lead_state,
    sequence_existing,
    sequence_live,
    stage_change,
    verdict,
)
from leadflow.models.mail import message, tpl, tpl_lang, tpl_segment
from leadflow.models.pace import breaker, bucket, canary
from leadflow.models.people import (
    account,
    consent,
    deal,
    dirty,
    identity,
    lead,
    lead_change,
    lifecycle_change,
    suppression,
)
from leadflow.models.rights import confirmation, declined, opened, preference
from leadflow.models.runs import job_run, lock, playbook_file, playbook_version, sweep
from leadflow.models.scores import (
    business_day,
    calendar,
    engagement,
    growth,
    lead_score,
    membership,
    scoring_rule,
    window_slot,
)
from leadflow.models.stops import hold, pause

metadata = SQLModel.metadata

__all__ = [
    "account",
    "answered",
    "api_key",
    "assignment",
    "breaker",
    "bucket",
    "business_day",
    "calendar",
    "canary",
    "confirmation",
    "consent",
    "deal",
    "decision",
    "declined",
    "dirty",
    "engagement",
    "enrolment",
    "escalation",
    "event",
    "event_inbox",
    "event_key",
    "growth",
    "hit",
    "hold",
    "identity",
    "intake",
    "job_run",
    "lead",
    "lead_change",
    "lead_score",
    "lead_state",
    "lifecycle_change",
    "link",
    "lock",
    "membership",
    "message",
    "metadata",
    "network",
    "opened",
    "pause",
    "playbook_file",
    "playbook_version",
    "preference",
    "reply",
    "scoring_rule",
    "sequence_existing",
    "sequence_live",
    "stage_change",
    "suppression",
    "sweep",
    "touch",
    "tpl",
    "tpl_lang",
    "tpl_segment",
    "verdict",
    "window_slot",
]
