"""Delivery as a flow: sends what is due, in batches claimed from the outbox, never a task a lead."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flows.common import at_intervals
from flows.fan_out import deliver_shared
from leadflow.app import App, Claim, counts_of, messages


@at_intervals(say=lambda counts: messages(counts["changed"]), name="{changed} of {read}")
def deliver(app: App, now: datetime, claim: Claim) -> Mapping[str, Any]:
    """Send every message that is due now."""
    return counts_of(deliver_shared(app, now, claim, progress=claim.renewed_by(None)))
