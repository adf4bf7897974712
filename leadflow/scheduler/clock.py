"""APScheduler over config/schedule.yaml: every firing claims its slot, so that two clocks do no harm."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.date import DateTrigger

from leadflow.app import (
    App,
    Slot,
    anything_due,
    mark_scheduled,
    missed_night,
    newest_slot,
    next_slot,
    refresh,
    slot_free,
)
from leadflow.errors import LeadflowError
from leadflow.playbook.model import Job

logger = logging.getLogger("leadflow.scheduler")

#: Runs one slot of one job: as a flow, or in this process.
Act = Callable[[App, Slot], None]
#: A firing this late still counts: the slot is claimed by its name, whenever that happens.
GRACE = 3600
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


class SlotTrigger(BaseTrigger):  # type: ignore[misc]
    """Fires at the slots that everybody else computes for the job, clock changes included."""

    def __init__(self, job: Job, office: ZoneInfo) -> None:
        self._job, self._office = job, office

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The first slot after the last firing, or after now; APScheduler's own name."""
        slot = next_slot(self._job, self._office, previous_fire_time or now)
        return slot.at if slot else None


@dataclass(slots=True)
class Clock:
    """The scheduler of one process; `start` it, and `stop` it when the process ends."""

    app: App
    act: Act
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _scheduler: BackgroundScheduler = field(init=False)
    _since: datetime = field(init=False)

    def __post_init__(self) -> None:
        # One thread: a machine that lags runs one thing after the other, not everything at once.
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": GRACE},
        )

    def start(self) -> None:
        """Fire from now on; a night that was missed while nobody ran is made up for at once."""
        self._since = mark_scheduled(self.app)
        self._wind()
        self._scheduler.add_job(self.catch_up, DateTrigger(), id="catch-up")
        self._scheduler.start()

    def stop(self) -> None:
        """Fire no more, and wait for the run in progress."""
        self._scheduler.shutdown(wait=True)

    def upcoming(self) -> list[tuple[str, datetime]]:
        """Each job with its next time."""
        slots = (next_slot(job, self.app.office, self.now()) for job in self.app.playbook.schedule.jobs)
        return [(slot.job, slot.at) for slot in slots if slot is not None]

    def fire(self, name: str) -> None:
        """Run the slot that is due of a job, unless there is nothing to do in it."""
        self._refresh()
        job = next((job for job in self.app.playbook.schedule.jobs if job.name == name), None)
        idle = job is None or (job.in_window and not anything_due(self.app, self.now()))
        slot = None if idle or job is None else newest_slot(job, self.app.office, _EVER, self.now())
        if slot is not None and slot_free(self.app, slot):
            self._run(slot)
        if name == "upkeep":
            self.catch_up()

    def catch_up(self) -> None:
        """Live the newest night that nobody lived since this workspace is scheduled."""
        slot = missed_night(self.app, self._since, self.now())
        if slot is not None:
            logger.info("making up for the night of %s", slot.name)
            self._run(slot)

    def _run(self, slot: Slot) -> None:
        try:
            self.act(self.app, slot)
        except LeadflowError as error:
            logger.error("%s %s: %s", slot.job, slot.name, error)
        except Exception as error:
            # What a database or a mail server says may quote a person.
            logger.error("%s %s failed: %s", slot.job, slot.name, type(error).__name__)

    def _wind(self) -> None:
        for job in self.app.playbook.schedule.jobs:
            trigger = SlotTrigger(job, self.app.office)
            self._scheduler.add_job(partial(self.fire, job.name), trigger, id=job.name, replace_existing=True)

    def _refresh(self) -> None:
        before = self.app.playbook.schedule
        try:
            self.app = refresh(self.app)
        except LeadflowError:
            logger.error("the playbook has faults (`leadflow check` lists them): the times stay as they were")
        if self.app.playbook.schedule != before:
            self._wind()
