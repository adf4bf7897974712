"""`schedule.yaml`: who fires the jobs, and when."""

from leadflow.playbook.limits import days_of
from leadflow.playbook.model import Job, Schedule
from leadflow.reading import Node
from leadflow.text import _
from leadflow.types import MINUTE

JOBS = ("nightly", "deliver", "escalate", "upkeep")


def schedule_of(node: Node) -> Schedule:
    """The whole file."""
    node.only("scheduler", "jobs")
    jobs = node.part("jobs", needed=True)
    jobs.only(*JOBS)
    return Schedule(
        scheduler=node.part("scheduler").choice(["embedded", "prefect", "none"]) or "embedded",
        jobs=tuple(_job(key, value) for key, value in jobs.items()),
    )


def _job(name: Node, node: Node) -> Job:
    node.only("at", "every", "days", "from", "to", "in_window", "catch_up")
    at, every = node.part("at"), node.part("every")
    if at.absent == every.absent:
        name.fault(_("{job} needs either at or every").format(job=name.raw))
    interval = every.duration()
    if interval is not None and interval < MINUTE:
        every.fault(_("a job runs every minute at most"))
    return Job(
        name=name.raw,
        at=at.wall_time(),
        every=interval,
        days=days_of(node.part("days")) or tuple(range(7)),
        start=node.part("from").wall_time(),
        end=node.part("to").wall_time(),
        in_window=node.part("in_window").boolean() or False,
        catch_up=node.part("catch_up").choice(["newest", "none"]) or "newest",
    )
