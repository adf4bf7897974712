"""Judges every click again by today's rules, and takes back what sales was given on the strength of machines."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leadflow.app.sweeps import holding
from leadflow.app.workspace import App
from leadflow.ask.recalls import resting_on_machines, taken_on_machines
from leadflow.models import dirty, hit
from leadflow.pipeline.engage_clicks import forget_judgements, take_clicks
from leadflow.pipeline.recall import recall_handovers, tell_recalled
from leadflow.types import EVERYONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Reclassified:
    """What judging again came to."""

    visits: int
    #: Of which another rule, or a newer version, now says who made them.
    changed: int
    #: People whose scores are counted again by the next sweep.
    people: int
    recalled: int
    #: Hand-overs that rest on machines, too, and that a salesperson has accepted.
    kept: int


def reclassify(app: App, now: datetime) -> Reclassified:
    """Look at all visits before `now` anew; LockedError while a sweep goes on."""
    with holding(app):
        with Session(app.engine) as session, session.begin():
            forget_judgements(session)
            counts = take_clicks(session, now, EVERYONE)
            done = Reclassified(
                visits=session.scalar(select(func.count()).select_from(hit)) or 0,
                changed=counts["judged_again"],
                people=session.scalar(select(func.count()).select_from(dirty)) or 0,
                recalled=recall_handovers(session, app.playbook, now, resting_on_machines(session, app.playbook, now)),
                kept=len(taken_on_machines(session, app.playbook, now)),
            )
        tell_recalled(app.engine, app.playbook, now, app.ports.alerts)
    return done
