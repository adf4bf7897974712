"""When a job of the schedule is due: its slots as instants, the same for whoever computes them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from leadflow.playbook.model import Job, Schedule
from leadflow.types import instant_of, micros

#: No schedule leaves more than this between two slots of one job (a week, and a day for the clocks).
LONGEST_GAP = timedelta(days=8)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Slot:
    """One planned firing of a job; `name` is what `job_run` keeps."""

    at: datetime
    job: str
    name: str


def due_slots(schedule: Schedule, office: ZoneInfo, since: datetime, now: datetime) -> tuple[Slot, ...]:
    """Every slot of every job after `since`, up to and including `now`, in the order of time."""
    return tuple(sorted(slot for job in schedule.jobs for slot in slots_between(job, office, since, now)))


def slots_between(job: Job, office: ZoneInfo, since: datetime, until: datetime) -> Iterator[Slot]:
    """The slots of one job after `since`, up to and including `until`."""
    instants = _daily(job, office, since, until) if job.at is not None else _interval(job, office, since, until)
    return (Slot(at=at, job=job.name, name=slot_name(job, office, at)) for at in instants if since < at <= until)


def next_slot(job: Job, office: ZoneInfo, after: datetime) -> Slot | None:
    """The first slot after an instant; None for a job that has none within eight days."""
    return next(slots_between(job, office, after, after + LONGEST_GAP), None)


def newest_slot(job: Job, office: ZoneInfo, since: datetime, now: datetime) -> Slot | None:
    """The last slot after `since` that is due at `now`: a stop of ten days is made up for by one night."""
    # Near first: a job of every second has 691,000 slots in eight days.
    reaches = (timedelta(minutes=15), timedelta(days=1), LONGEST_GAP)
    found = (max(slots_between(job, office, max(since, now - reach), now), default=None) for reach in reaches)
    return next((slot for slot in found if slot is not None), None)


def slot_name(job: Job, office: ZoneInfo, at: datetime) -> str:
    """A daily job's local date, an interval job's instant in UTC."""
    return f"{at.astimezone(office):%Y-%m-%d}" if job.at is not None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def wall_time(office: ZoneInfo, day: datetime, minutes: int) -> datetime:
    """`minutes` after midnight on the office's calendar day that `day` lies in.

    A wall time that clocks skip is the first instant after the gap; one they show twice is its first occurrence.
    """
    date = day.astimezone(office).date()
    asked = datetime.combine(date, time(minutes // 60, minutes % 60), tzinfo=office)
    early, late = asked.replace(fold=1).astimezone(UTC), asked.astimezone(UTC)
    if early >= late:
        return late
    # Skipped: the clocks change between the two readings.
    while late - early > timedelta(minutes=1):
        middle = early + (late - early) / 2
        if middle.astimezone(office).utcoffset() == late.astimezone(office).utcoffset():
            late = middle
        else:
            early = middle
    return late.replace(second=0, microsecond=0)


def _daily(job: Job, office: ZoneInfo, since: datetime, until: datetime) -> Iterator[datetime]:
    noon = datetime.combine(since.astimezone(office).date(), time(12), tzinfo=office)
    for _ in range((until - since).days + 3):
        if noon.weekday() in job.days:
            yield wall_time(office, noon, job.at or 0)
        noon += timedelta(days=1)


def _interval(job: Job, office: ZoneInfo, since: datetime, until: datetime) -> Iterator[datetime]:
    # Counted from the epoch, so that two machines agree on the instants without having started together.
    every = job.every or 0
    for at in range((micros(since) // every + 1) * every, micros(until) + 1, every):
        local = instant_of(at).astimezone(office)
        minutes = local.hour * 60 + local.minute
        if local.weekday() in job.days and (job.start or 0) <= minutes <= (24 * 60 if job.end is None else job.end):
            yield instant_of(at)
