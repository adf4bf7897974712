"""What comes before and after a delivery: its gate, the streams that readers stop, and why a run left mails behind."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from leadflow.app.pauses import pause_words, pauses_of, who_paused
from leadflow.app.workspace import App
from leadflow.pipeline.engage import engage_leads
from leadflow.pipeline.pace import Halt, Pace
from leadflow.pipeline.streams import bouncing, brake_streams, heard_of_streams
from leadflow.text import _
from leadflow.types import DAY, EVERYONE, Scope

logger = logging.getLogger("leadflow")


def pace_of(app: App, now: datetime, scope: Scope) -> Pace:
    """The gate of a delivery: what all workers may send together, as the playbook says."""
    return Pace(app.playbook, now, provider=app.ports.email.name, scope=scope)


def brake_due(app: App, now: datetime) -> None:
    """Hear what became of the last mails, which cannot wait for the night, and pause the streams that went too far."""
    with Session(app.engine) as session, session.begin():
        engage_leads(session, app.playbook, now, EVERYONE)
    with Session(app.engine) as session, session.begin():
        new = brake_streams(session, app.playbook, now)
    for one in new:
        logger.error("%s paused: %s", f"stream {one.stream}" if one.stream else "all mail", one.by)


def brake_words(app: App, now: datetime) -> Sequence[str]:
    """What the brakes have stopped and who may soon be: what needs a human, a line each."""
    lasting = ((row, who_paused(row.by)) for row in pauses_of(app))
    told = _("{what} stopped by {who}: leadflow resume")
    stopped = [told.format(what=pause_words(row.kind, row.name), who=who) for row, who in lasting if who != row.by]
    brakes = app.playbook.delivery.brakes
    with Session(app.engine) as session:
        near = bouncing(brakes, heard_of_streams(session, brakes, now))
    told = _("{what}: {share} % bounced hard in {n} days")
    days = -(-brakes.over // DAY)
    lines = [
        told.format(what=pause_words("stream", name), share=f"{share / 100:g}", n=days) for name, share in near.items()
    ]
    return [*stopped, *lines]


def left_by(pace: Pace, waiting: int) -> Mapping[str, int]:
    """What a run left to a later one, under the word of what shut its gate."""
    return {pace.halted: waiting} if waiting and pace.halted is not None else {}


def left_because(counts: Mapping[str, int]) -> str:
    """Why a run left some of what was due, in words; nothing where its gate was open."""
    words = {
        Halt.OUTAGE: _("the provider answers nobody"),
        Halt.WARM_UP: _("the day's warm-up is used up"),
        Halt.CANARY: _("the night's first mails are listened to"),
        Halt.RATE: _("the rate has no room for minutes"),
    }
    return next((said for halt, said in words.items() if counts.get(halt)), "")


def waiting_words(counts: Mapping[str, int]) -> str:
    """`80 wait: the provider answers nobody`; nothing where nothing waits."""
    waiting, why = counts.get("waiting", 0), left_because(counts)
    told = _("{n} wait").format(n=waiting)
    return (f"{told}: {why}" if why else told) if waiting else ""
