"""`schedule.yaml`: who fires the jobs, and when."""

from leadflow.playbook.limits import days_of
from leadflow.playbook.model import Job, Schedule, Workers
from leadflow.reading import Node
from leadflow.text import _
from leadflow.types import MINUTE

JOBS = ("nightly", "deliver", "escalate", "upkeep")


def schedule_of(node: Node) -> Schedule:
    """The whole file."""
    node.only("scheduler", "jobs", "workers")
    jobs = node.part("jobs", needed=True)
    jobs.only(*JOBS)
    scheduler = node.part("scheduler").choice(["embedded", "prefect", "none"]) or "embedded"
    workers = _workers(node.part("workers"))
    if workers.at_once > 1 and scheduler != "prefect":
        node.part("workers").part("at_once").fault(_("several workers need scheduler: prefect"))
    return Schedule(scheduler=scheduler, jobs=tuple(_job(key, value) for key, value in jobs.items()), workers=workers)


def _workers(node: Node) -> Workers:
    """`workers: {at_once: 4, mails_each: 5000}`."""
    node.only("at_once", "mails_each")
    none = Workers()
    return Workers(
        at_once=node.part("at_once").integer(at_least=1, at_most=100) or none.at_once,
        mails_each=node.part("mails_each").integer(at_least=1, at_most=1_000_000) or none.mails_each,
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
