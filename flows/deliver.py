"""Delivery as a flow: sends what is due, in batches claimed from the outbox, never a task a lead."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flows.common import at_intervals
from leadflow.app import App, Claim, counts_of, deliver_due, messages, seldom


@at_intervals(say=lambda counts: messages(counts["changed"]), name="{changed} of {read}")
def deliver(app: App, now: datetime, claim: Claim) -> Mapping[str, Any]:
    """Send every message that is due now."""
    return counts_of(deliver_due(app, now, progress=seldom(claim.renew)))
