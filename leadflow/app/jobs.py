"""Scheduled acts: the claim that comes before each, and what escalations and upkeep do."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.app.mail_back import hear_what_came_back
from leadflow.app.phases import deliver_due, seldom
from leadflow.app.reconcile import reconcile_due
from leadflow.app.retention import apply_retention
from leadflow.app.slots import Slot, newest_slot, slot_name, wall_time
from leadflow.app.sweeps import PATIENCE, sweep_raised
from leadflow.app.telling import tell_waiting
from leadflow.app.workspace import App
from leadflow.eligibility import held
from leadflow.errors import LockedError
from leadflow.models import message
from leadflow.pipeline import runs
from leadflow.pipeline.clocks import run_clocks
from leadflow.playbook.model import Job
from leadflow.text import _
from leadflow.types import EVERYONE, JobState, MessageState, micros

#: When the playbook schedules no night: outside the hours in which clocks change.
DEFAULT_NIGHT = 4 * 60 + 15
#: A night that fails this often waits for a person.
ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A (job, slot) that this process runs and nobody else, as long as it shows life."""

    app: App
    job: str
    slot: str
    owner: str
    #: How often the slot was begun, this time included.
    attempt: int = 1

    def renew(self) -> None:
        """Show life; LockedError when the lease had lapsed and somebody took over."""
        with Session(self.app.engine) as session, session.begin():
            if not runs.renew_job(session, job=self.job, slot=self.slot, owner=self.owner):
                told = _("{job} {slot} was taken over by another process")
                raise LockedError(told.format(job=self.job, slot=self.slot))

    def renewed_by(self, progress: Callable[[int], None] | None) -> Callable[[int], None]:
        """`progress`, which once a minute also shows life."""
        renew = seldom(self.renew)

        def report(ended: int) -> None:
            renew(ended)
            if progress is not None:
                progress(ended)

        return report

    def finish(self, state: JobState, result: Mapping[str, Any]) -> bool:
        """Record how it ended; False when somebody had taken over."""
        with Session(self.app.engine) as session, session.begin():
            return runs.finish_job(session, job=self.job, slot=self.slot, owner=self.owner, state=state, result=result)


def claim_of(app: App, *, job: str, slot: str) -> Claim | None:
    """The claim on (job, slot); None when somebody else runs or ran it."""
    owner = runs.new_owner()
    with Session(app.engine) as session, session.begin():
        if not runs.claim_job(session, job=job, slot=slot, owner=owner):
            return None
        attempt = runs.job_attempt(session, job=job, slot=slot)
    return Claim(app=app, job=job, slot=slot, owner=owner, attempt=attempt)


def run_once(app: App, *, job: str, slot: str, act: Callable[[Claim], Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Run `act` if (job, slot) can be claimed; None when somebody else runs or ran it.

    What it raises is kept by name with the claim, which then may be taken over, and raised again.
    """
    claim = claim_of(app, job=job, slot=slot)
    if claim is None:
        return None
    try:
        result = dict(act(claim))
    except BaseException as error:
        claim.finish(JobState.FAILED, {"error": type(error).__name__})
        raise
    claim.finish(JobState.DONE, result)
    return result


def job_of(app: App, name: str) -> Job:
    """A job of the schedule, by its name; one without times when the schedule does not have it."""
    found = next((job for job in app.playbook.schedule.jobs if job.name == name), None)
    if found is None:
        found = Job(name=name, at=DEFAULT_NIGHT) if name == "nightly" else Job(name=name, every=5 * 60 * 1_000_000)
    return found


def slot_at(app: App, job: str, at: datetime) -> str:
    """The slot of `job` that an instant stands for."""
    return slot_name(job_of(app, job), app.office, at)


def night_of(app: App, day: datetime) -> datetime:
    """The nightly instant of the day `day` lies in, in office time; 04:15 when none is scheduled."""
    minutes = job_of(app, "nightly").at
    return wall_time(app.office, day, DEFAULT_NIGHT if minutes is None else minutes).astimezone(app.office)


def slot_free(app: App, slot: Slot) -> bool:
    """Whether a slot waits for somebody: never run, or cut off or failed fewer than three times."""
    with Session(app.engine) as session:
        return runs.job_free(session, job=slot.job, slot=slot.name, attempts=ATTEMPTS)


def mark_scheduled(app: App) -> datetime:
    """Since when this workspace is kept by a scheduler: nights before that were nobody's to live."""
    claim = claim_of(app, job="scheduler", slot="first start")
    if claim is not None:
        claim.finish(JobState.DONE, {})
    with Session(app.engine) as session:
        return runs.job_started(session, job="scheduler", slot="first start") or datetime.now(UTC)


def missed_night(app: App, since: datetime, now: datetime) -> Slot | None:
    """The newest night since then that nobody has lived, if any: after ten days off one is made up for, not ten."""
    job = job_of(app, "nightly")
    newest = newest_slot(job, app.office, since, now) if job.catch_up == "newest" else None
    return newest if newest is not None and slot_free(app, newest) else None


def anything_due(app: App, now: datetime) -> bool:
    """Whether a message waits for its time and it has come."""
    due = select(message.c.id).where(
        message.c.state.in_((MessageState.PLANNED, MessageState.CLAIMED)),
        message.c.send_at <= micros(now),
        ~held(message.c.planned_at),
    )
    with Session(app.engine) as session:
        return session.scalar(due.limit(1)) is not None


def run_escalations(app: App, now: datetime) -> Mapping[str, int]:
    """The clocks of open hand-overs, then the alerts that wait."""
    with Session(app.engine) as session, session.begin():
        counts = dict(run_clocks(session, app.playbook, now, EVERYONE))
    counts["told"] = tell_waiting(app, now)
    return counts


def run_upkeep(app: App, now: datetime, *, patience: timedelta = PATIENCE) -> Mapping[str, int]:
    """What a dead run left: mails nobody spoke for, hands nobody answered, the clocks, then what is due and not sent.

    Reconciliation comes first: what never left goes out in the same run. What needs the sweep lock is left to the next
    run while a sweep goes on, or the lease of a dead one: mails that are due do not wait for that.
    """
    counts = Counter({f"reconcile_{word}": n for word, n in reconcile_due(app, now).items()})
    for locked in (_mails, _raised_hands):
        try:
            counts.update(locked(app, now, patience))
        except LockedError:
            counts["left_to_next"] += 1
    counts.update(run_escalations(app, now))
    if app.playbook.rights.retention is not None:
        day = now.astimezone(app.office).date().isoformat()
        kept = run_once(app, job="retention", slot=day, act=lambda _claim: apply_retention(app, now))
        counts.update({f"retention_{word}": n for word, n in (kept or {}).items()})
    sent = deliver_due(app, now)
    return {**counts, "delivered": sent.changed, "waiting": sent.counts.get("waiting", 0)}


def _mails(app: App, now: datetime, patience: timedelta) -> Mapping[str, int]:
    return {f"mail_{word}": n for word, n in hear_what_came_back(app, now, patience=patience).items()}


def _raised_hands(app: App, now: datetime, patience: timedelta) -> Mapping[str, int]:
    return {"raised_hands": sum(outcome.changed for outcome in sweep_raised(app, now, patience=patience))}
