"""What comes before and after a delivery: its gate, the streams that readers stop, and why a run left mails behind."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from leadflow.app.workspace import App
from leadflow.pipeline.engage import engage_leads
from leadflow.pipeline.pace import Pace
from leadflow.pipeline.streams import Braked, brake_streams
from leadflow.types import EVERYONE, Scope


def pace_of(app: App, now: datetime, scope: Scope) -> Pace:
    """The gate of a delivery: what all workers may send together, as the playbook says."""
    return Pace(app.playbook, now, provider=app.ports.email.name, scope=scope)


def brake_due(app: App, now: datetime) -> Sequence[Braked]:
    """Hear what became of the last mails, which cannot wait for the night, and pause the streams that went too far."""
    with Session(app.engine) as session, session.begin():
        engage_leads(session, app.playbook, now, EVERYONE)
    with Session(app.engine) as session, session.begin():
        return brake_streams(session, app.playbook, now)


def left_by(pace: Pace, waiting: int) -> Mapping[str, int]:
    """What a run left to a later one, under the word of what shut its gate."""
    return {pace.halted: waiting} if waiting and pace.halted is not None else {}
