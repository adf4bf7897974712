"""The phases with their ports bound: which function each is, and one lived through in a transaction of its own."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from leadflow.app.crew import Crew, crew_of
from leadflow.app.pacing import brake_due, left_by, pace_of
from leadflow.app.recalling import engage_and_recall
from leadflow.app.stopping import heeding, stop_asked
from leadflow.app.telling import tell_waiting
from leadflow.app.workspace import App
from leadflow.pipeline.brake import brake_sweep
from leadflow.pipeline.capture import capture_intake
from leadflow.pipeline.deliver import deliver_messages
from leadflow.pipeline.deliver_tally import Tally
from leadflow.pipeline.escalate import escalate_leads
from leadflow.pipeline.nurture import nurture_leads
from leadflow.pipeline.score import score_leads
from leadflow.pipeline.segment import segment_leads
from leadflow.pipeline.stage import stage_leads
from leadflow.playbook.model import Playbook
from leadflow.types import EVERYONE, Everyone, Outcome, Phase, Scope

PhaseFunction = Callable[[Session, Playbook, datetime, Scope], Outcome]

DECIDING: Mapping[Phase, PhaseFunction] = {
    Phase.ENGAGE: engage_and_recall,
    Phase.SCORE: score_leads,
    Phase.STAGE: stage_leads,
    Phase.SEGMENT: segment_leads,
    Phase.ESCALATE: escalate_leads,
    Phase.NURTURE: nurture_leads,
}


#: Told how many mails have ended since it was last told.
Progress = Callable[[int], None]
#: Sends what is due at an instant: `deliver_due`, or a driver's own way of sharing it out.
Deliver = Callable[[App, datetime, Scope, Progress | None], Outcome]


def phase_of(app: App, phase: Phase) -> PhaseFunction:
    """The function of a phase before deliver, its ports bound."""
    if phase is Phase.CAPTURE:
        return partial(capture_intake, key=app.settings.key())
    return DECIDING[phase]


def run_phase(
    app: App,
    phase: Phase,
    now: datetime,
    scope: Scope = EVERYONE,
    *,
    hold: Callable[[Session], None] = lambda _session: None,
    deliver: Deliver | None = None,
) -> Outcome:
    """One phase in one transaction, where the brake judges it; deliver tells sales, and sends in ones of its own.

    `hold` is called last in the transaction, and raises when the work must not count.
    """
    if phase is Phase.DELIVER:
        # Not before nurture has planned: the brake looks at the whole night, alerts included.
        told = tell_waiting(app, now)
        sent = (deliver or deliver_due)(app, now, scope, seldom(lambda: alone(app, hold)))
        return replace(sent, counts={**sent.counts, "told": told})
    with Session(app.engine) as session, session.begin():
        outcome = phase_of(app, phase)(session, app.playbook, now, scope)
        if phase in (Phase.ESCALATE, Phase.NURTURE):
            brake_sweep(session, app.playbook, now, scope)
        hold(session)
    return outcome


def deliver_due(
    app: App,
    now: datetime,
    scope: Scope = EVERYONE,
    progress: Progress | None = None,
    tally: Tally | None = None,
) -> Outcome:
    """Send what is due at `now`; less when this process is asked to stop meanwhile, or the gate is shut.

    `waiting` then says how many, and a word of the gate why.
    """
    if isinstance(scope, Everyone):
        brake_due(app, now)
    return deliver_alone(app, now, scope, progress, tally, crew_of(app, now, scope))


def deliver_alone(
    app: App,
    now: datetime,
    scope: Scope = EVERYONE,
    progress: Progress | None = None,
    tally: Tally | None = None,
    crew: Crew | None = None,
) -> Outcome:
    """Send what is due at `now` in this process, and in those of `crew`."""
    pace = pace_of(app, now, scope)
    with heeding():
        sent = deliver_messages(
            app.engine,
            app.playbook,
            now,
            provider=app.ports.email,
            key=app.settings.key(),
            public_url=app.settings.public_url,
            scope=scope,
            progress=progress,
            stop=stop_asked,
            gate=pace,
            tally=tally,
            crew=crew,
        )
    return replace(sent, counts={**sent.counts, **left_by(pace, sent.counts["waiting"])})


def seldom(act: Callable[[], None], seconds: float = 60.0) -> Progress:
    """A progress report that calls `act` once a minute: a sign of life need not come with every mail."""
    last = time.monotonic()

    def report(_done: int) -> None:
        nonlocal last
        if time.monotonic() - last >= seconds:
            act()
            last = time.monotonic()

    return report


def alone(app: App, act: Callable[[Session], None]) -> None:
    """Let `act` have a transaction of its own."""
    with Session(app.engine) as session, session.begin():
        act(session)
