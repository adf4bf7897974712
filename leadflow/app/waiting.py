"""What is due and in no final state, counted: whether a delivery is finished, and how many runs it is worth."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leadflow.app.workspace import App
from leadflow.eligibility import held
from leadflow.models import message
from leadflow.types import IN_FLIGHT, MessageState, micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Messages due at an instant that have not ended."""

    #: In nobody's hands.
    planned: int = 0
    claimed: int = 0
    #: Their intent is committed: only an answer or reconciliation ends them.
    sending: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.planned + self.claimed + self.sending


def left_at(app: App, now: datetime) -> Left:
    """What is due at `now` and not held, by state."""
    due = (
        select(message.c.state, func.count())
        .where(message.c.state.in_(IN_FLIGHT), message.c.send_at <= micros(now), ~held(message.c.planned_at))
        .group_by(message.c.state)
    )
    with Session(app.engine) as session:
        return Left(**{MessageState(state).value: n for state, n in session.execute(due)})


def left_since(app: App, now: datetime) -> dict[str, int]:
    """Messages that left, or may have left, in runs as of `now` or later: by whichever process."""
    gone = (MessageState.ACCEPTED, MessageState.UNKNOWN)
    counted = (
        select(message.c.state, func.count())
        .where(message.c.state.in_(gone), message.c.sent_at >= micros(now))
        .group_by(message.c.state)
    )
    with Session(app.engine) as session:
        return {str(state): n for state, n in session.execute(counted)}


def shares_at(app: App, now: datetime) -> int:
    """How many delivery runs what is due is worth; 1: it is sent right here."""
    workers = app.playbook.schedule.workers
    if workers.at_once == 1:
        return 1
    return max(1, min(workers.at_once, -(-left_at(app, now).planned // workers.mails_each)))
