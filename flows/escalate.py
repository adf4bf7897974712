"""Hand-overs as a flow: the clocks of open ones, reminders, and the alerts that wait."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flows.common import at_intervals, words
from leadflow.app import App, Claim, run_escalations


@at_intervals(say=lambda counts: words(counts) or "nothing to tell")
def escalate(app: App, now: datetime, _claim: Claim) -> Mapping[str, Any]:
    """Remind, reassign and let lapse what sales has not answered; tell what waits to be told."""
    return run_escalations(app, now)
