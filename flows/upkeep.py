"""Upkeep as a flow: finishes what a dead run left, so that nothing waits for a person."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flows.common import at_intervals, words
from leadflow.app import App, Claim, run_upkeep


@at_intervals(say=lambda counts: words(counts) or "nothing left over")
def upkeep(app: App, now: datetime, _claim: Claim) -> Mapping[str, Any]:
    """Release lapsed claims, run the clocks, send what is due and forgotten."""
    return run_upkeep(app, now)
