"""The one place where settings meet adapters, and where the phases have their order."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from leadflow.crm.apprise_channel import ApprisePort
from leadflow.crm.file import FileCrm
from leadflow.db import make_engine
from leadflow.errors import LockedError, UsageError
from leadflow.esp import open_provider
from leadflow.esp.memory import MemoryProvider
from leadflow.migrations import upgrade
from leadflow.models import identity
from leadflow.pipeline import runs
from leadflow.pipeline.alerts import tell_sales
from leadflow.pipeline.capture import capture_intake
from leadflow.pipeline.clocks import run_clocks
from leadflow.pipeline.deliver import deliver_messages
from leadflow.pipeline.engage import engage_leads
from leadflow.pipeline.escalate import escalate_leads
from leadflow.pipeline.nurture import nurture_leads
from leadflow.pipeline.score import score_leads
from leadflow.pipeline.segment import segment_leads
from leadflow.pipeline.stage import stage_leads
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook
from leadflow.ports import Ports
from leadflow.settings import Settings, load_settings
from leadflow.types import EVERYONE, Everyone, JobState, Leads, Outcome, Phase, Scope

T = TypeVar("T")
PhaseFunction = Callable[[Session, Playbook, datetime, Scope], Outcome]
#: Told after each phase: drivers print progress or write a Prefect log line.
Report = Callable[[Outcome], None]

DECIDING: Mapping[Phase, PhaseFunction] = {
    Phase.SCORE: score_leads,
    Phase.STAGE: stage_leads,
    Phase.SEGMENT: segment_leads,
    Phase.ESCALATE: escalate_leads,
    Phase.NURTURE: nurture_leads,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A workspace, opened: what every driver works with."""

    settings: Settings
    playbook: Playbook
    engine: Engine
    ports: Ports

    @property
    def office(self) -> ZoneInfo:
        """The zone a bare date is read in."""
        return ZoneInfo(self.playbook.office.zone)


def open_app(workspace: Path | None = None, *, ports: Ports | None = None) -> App:
    """Read settings and playbook, bring the database up to date, bind the adapters.

    Raises PlaybookError with every fault, SettingsError for a setting that cannot be.
    """
    settings = load_settings(workspace)
    playbook = load_playbook(settings.workspace)
    if not settings.database_url:
        settings.var.mkdir(parents=True, exist_ok=True)
    engine = make_engine(settings.url)
    upgrade(engine)
    return App(settings=settings, playbook=playbook, engine=engine, ports=ports or _open_ports(settings))


def _open_ports(settings: Settings) -> Ports:
    return Ports(
        email=open_provider(settings.esp, settings),
        alerts=ApprisePort(settings.var / "alerts", environment=os.environ),
        crm=FileCrm(settings.var / "handovers"),
    )


def phase_of(app: App, phase: Phase) -> PhaseFunction:
    """The function of a phase before deliver, its ports bound."""
    match phase:
        case Phase.CAPTURE:
            return lambda session, playbook, now, scope: capture_intake(
                session, playbook, now, scope, key=app.settings.key()
            )
        case Phase.ENGAGE:
            return engage_leads
        case _:
            return DECIDING[phase]


def run_phase(app: App, phase: Phase, now: datetime, scope: Scope = EVERYONE) -> Outcome:
    """One phase in one transaction; escalate then tells sales, deliver sends in transactions of its own."""
    if phase is Phase.DELIVER:
        return deliver_due(app, now, scope)
    with Session(app.engine) as session, session.begin():
        outcome = phase_of(app, phase)(session, app.playbook, now, scope)
    if phase is Phase.ESCALATE:
        told = tell_sales(app.engine, app.playbook, now, channel=app.ports.alerts, crm=app.ports.crm)
        outcome = replace(outcome, counts={**outcome.counts, "told": told})
    return outcome


def deliver_due(
    app: App, now: datetime, scope: Scope = EVERYONE, progress: Callable[[int], None] | None = None
) -> Outcome:
    """Send what is due at `now`."""
    return deliver_messages(
        app.engine,
        app.playbook,
        now,
        provider=app.ports.email,
        key=app.settings.key(),
        public_url=app.settings.public_url,
        scope=scope,
        progress=progress,
    )


@contextmanager
def sweeping(app: App, now: datetime, scope: Scope = EVERYONE) -> Iterator[dict[str, Any]]:
    """Hold the sweep lock, keep the playbook's version, log the sweep; yields the counts to fill.

    Raises LockedError when another sweep runs, UsageError when a later one already looked.
    """
    owner = runs.new_owner()
    with Session(app.engine) as session, session.begin():
        if not runs.take_lock(session, name="sweep", owner=owner):
            raise LockedError
    try:
        with Session(app.engine) as session, session.begin():
            newest = runs.last_sweep(session)
            if newest is not None and newest > now and isinstance(scope, Everyone):
                raise UsageError(
                    f"a sweep as of {newest:%Y-%m-%d %H:%M} UTC has already run; an earlier one can only be planned"
                )
            runs.store_playbook(session, app.playbook, now)
            runs.log_sweep(session, at=now, scope=scope, playbook=app.playbook.version, started=now, counts=None)
        counts: dict[str, Any] = {}
        yield counts
        with Session(app.engine) as session, session.begin():
            runs.log_sweep(session, at=now, scope=scope, playbook=app.playbook.version, started=now, counts=counts)
    finally:
        with Session(app.engine) as session, session.begin():
            runs.release_lock(session, name="sweep", owner=owner)


def sweep(app: App, now: datetime, scope: Scope = EVERYONE, report: Report | None = None) -> tuple[Outcome, ...]:
    """All phases in their order, as of `now`."""
    outcomes = []
    with sweeping(app, now, scope) as counts:
        for phase in Phase:
            outcome = run_phase(app, phase, now, scope)
            counts[phase] = counts_of(outcome)
            outcomes.append(outcome)
            if report:
                report(outcome)
    return tuple(outcomes)


def sweep_one(app: App, address: str, now: datetime) -> tuple[Outcome, ...]:
    """The fast lane: the same phases at once for the lead who owns `address`."""
    with Session(app.engine) as session:
        lead_id = session.scalar(
            select(identity.c.lead_id).where(identity.c.kind == "email", identity.c.value == address)
        )
    return sweep(app, now, Leads((lead_id,))) if lead_id else ()


def counts_of(outcome: Outcome) -> dict[str, Any]:
    """An outcome as JSON-able numbers, for logs and results."""
    return {
        "read": outcome.read,
        "changed": outcome.changed,
        **{str(name): n for name, n in outcome.counts.items()},
        "skipped": {str(reason): n for reason, n in outcome.skipped.items()},
    }


def plan(app: App, now: datetime, look: Callable[[Session, tuple[Outcome, ...]], T]) -> T:
    """Capture to nurture in one transaction that is rolled back; `look` reads what they left."""
    dry = replace(app, ports=replace(app.ports, email=MemoryProvider()))
    with Session(app.engine) as session:
        try:
            outcomes = tuple(
                phase_of(dry, phase)(session, app.playbook, now, EVERYONE)
                for phase in Phase
                if phase is not Phase.DELIVER
            )
            return look(session, outcomes)
        finally:
            session.rollback()


def run_escalations(app: App, now: datetime) -> Mapping[str, int]:
    """The clocks of open hand-overs, then the alerts that wait."""
    with Session(app.engine) as session, session.begin():
        counts = dict(run_clocks(session, app.playbook, now, EVERYONE))
    counts["told"] = tell_sales(app.engine, app.playbook, now, channel=app.ports.alerts, crm=app.ports.crm)
    return counts


def run_upkeep(app: App, now: datetime) -> Mapping[str, int]:
    """What a dead run left: the clocks, then whatever is due and not sent."""
    counts = dict(run_escalations(app, now))
    counts["delivered"] = deliver_due(app, now).changed
    return counts


def run_once(
    app: App, *, job: str, slot: str, now: datetime, act: Callable[[], Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """Run `act` if (job, slot) can be claimed; None when somebody else runs or ran it."""
    owner = runs.new_owner()
    with Session(app.engine) as session, session.begin():
        if not runs.claim_job(session, job=job, slot=slot, owner=owner, now=now):
            return None
    state, result = JobState.FAILED, {}
    try:
        result = dict(act())
        state = JobState.DONE
    finally:
        with Session(app.engine) as session, session.begin():
            runs.finish_job(session, job=job, slot=slot, owner=owner, now=now, state=state, result=result)
    return result


def night_of(app: App, day: datetime) -> datetime:
    """The nightly instant of the day `day` lies in, in office time; 04:15 when none is scheduled."""
    nightly = next((job for job in app.playbook.schedule.jobs if job.name == "nightly"), None)
    minutes = nightly.at if nightly and nightly.at is not None else 4 * 60 + 15
    local = day.astimezone(app.office)
    return local.replace(hour=minutes // 60, minute=minutes % 60, second=0, microsecond=0)
