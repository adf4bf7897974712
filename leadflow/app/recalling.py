"""The phase engage, and what follows from visits it judges again: hand-overs that rested on machines are taken back."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from leadflow.ask.recalls import resting_on_machines
from leadflow.pipeline.engage import engage_leads
from leadflow.pipeline.recall import recall_handovers
from leadflow.playbook.model import Playbook
from leadflow.types import Outcome, Scope


def engage_and_recall(session: Session, playbook: Playbook, now: datetime, scope: Scope) -> Outcome:
    """`engage_leads`; then what sales should not have been given, of people whose visits are judged otherwise now."""
    outcome = engage_leads(session, playbook, now, scope)
    if not outcome.counts["judged_again"]:
        return outcome
    ids = resting_on_machines(session, playbook, now, touched=True)
    recalled = recall_handovers(session, playbook, now, ids)
    return replace(outcome, changed=outcome.changed + recalled, counts={**outcome.counts, "recalled": recalled})
