"""What ran: playbook versions, scheduled jobs, sweeps and locks."""

from datetime import datetime
from typing import Any

from sqlmodel import SQLModel

from leadflow.db import Instant, Word
from leadflow.models.columns import document, instant, part_of_key, raw, table_of, whole, word


class PlaybookVersion(SQLModel, table=True):
    """A playbook as it was when a sweep first used it: path → content hash."""

    __tablename__ = "playbook_version"

    hash: str = part_of_key(Word)
    first_used_at: datetime = instant()
    files: dict[str, Any] = document()


class PlaybookFile(SQLModel, table=True):
    """The bytes of a playbook file, kept once by content hash."""

    __tablename__ = "playbook_file"

    hash: str = part_of_key(Word)
    content: bytes = raw()


class JobRun(SQLModel, table=True):
    """A scheduled act, claimed before anything else: whoever inserts (job, slot) runs it."""

    __tablename__ = "job_run"

    job: str = part_of_key(Word)
    #: Local date of a daily job, the scheduled UTC instant of an interval job.
    slot: str = part_of_key(Word)
    state: str = word(default="running")
    owner: str = word()
    #: On the database's clock; a lapsed lease is taken over, `done` never is.
    lease_until: datetime = instant()
    attempt: int = whole(default=1, big=False)
    started_at: datetime = instant()
    finished_at: datetime | None = instant(required=False)
    result: dict[str, Any] = document()


class Sweep(SQLModel, table=True):
    """The log of sweeps: the one table a second run at the same instant may change."""

    at: datetime = part_of_key(Instant)
    #: everyone, or the lead ids of the fast lane.
    scope: str = part_of_key(Word)
    playbook: str = word()
    started_at: datetime = instant()
    finished_at: datetime | None = instant(required=False)
    counts: dict[str, Any] = document()


class Lock(SQLModel, table=True):
    """A named lock with a lease on the database's clock; `sweep` keeps two sweeps apart."""

    name: str = part_of_key(Word)
    owner: str = word()
    lease_until: datetime = instant()
    fence: int = whole(default=0)


playbook_version = table_of(PlaybookVersion)
playbook_file = table_of(PlaybookFile)
job_run = table_of(JobRun)
sweep = table_of(Sweep)
lock = table_of(Lock)
