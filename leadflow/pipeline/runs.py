"""Who runs what: claims of scheduled jobs, the sweep lock, the playbook's versions, the log of sweeps."""

import hashlib
import os
import secrets
import socket
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import case, delete, or_, select, update
from sqlalchemy.orm import Session

from leadflow.db import database_now, insert_into
from leadflow.models import job_run, lock, playbook_file, playbook_version, sweep
from leadflow.playbook.model import Playbook
from leadflow.types import MINUTE, Everyone, JobState, Scope, micros

#: A job whose process died is taken over after this long; the driver renews between phases.
LEASE = 10 * MINUTE


def new_owner() -> str:
    """A name for this process in leases and fences; no two processes share one."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def claim_job(session: Session, *, job: str, slot: str, owner: str, now: datetime) -> bool:
    """Claim (job, slot): True for whoever runs it. A lapsed or failed one is taken over, `done` never is."""
    statement = insert_into(session, job_run).values(
        job=job, slot=slot, owner=owner, started_at=micros(now), lease_until=database_now() + LEASE, result={}
    )
    free = or_(job_run.c.state == JobState.FAILED, job_run.c.lease_until < database_now())
    statement = statement.on_conflict_do_update(
        index_elements=[job_run.c.job, job_run.c.slot],
        set_={
            "owner": owner,
            "state": JobState.RUNNING,
            "attempt": job_run.c.attempt + 1,
            "lease_until": database_now() + LEASE,
        },
        where=(job_run.c.state != JobState.DONE) & free,
    )
    session.execute(statement)
    holder = session.scalar(_claimed(job, slot, owner))
    return holder is not None


def finish_job(
    session: Session, *, job: str, slot: str, owner: str, now: datetime, state: JobState, result: Mapping[str, Any]
) -> bool:
    """Record how a claimed job ended; False when somebody else had taken it over."""
    mine = session.scalar(_claimed(job, slot, owner)) is not None
    session.execute(
        update(job_run)
        .where(job_run.c.job == job, job_run.c.slot == slot, job_run.c.owner == owner)
        .where(job_run.c.state == JobState.RUNNING)
        .values(state=state, finished_at=micros(now), result=dict(result))
    )
    return mine


def job_done(session: Session, *, job: str, slot: str) -> bool:
    """Whether (job, slot) has finished for good."""
    found = select(job_run.c.state).where(job_run.c.job == job, job_run.c.slot == slot)
    return session.scalar(found) == JobState.DONE


def _claimed(job: str, slot: str, owner: str) -> Any:
    return select(job_run.c.owner).where(
        job_run.c.job == job,
        job_run.c.slot == slot,
        job_run.c.owner == owner,
        job_run.c.state == JobState.RUNNING,
    )


def take_lock(session: Session, *, name: str, owner: str) -> bool:
    """Take or renew a named lock; False while somebody else's lease runs."""
    free = or_(lock.c.owner == owner, lock.c.lease_until < database_now())
    statement = insert_into(session, lock).values(name=name, owner=owner, lease_until=database_now() + LEASE)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[lock.c.name],
            set_={
                "owner": owner,
                "lease_until": database_now() + LEASE,
                "fence": lock.c.fence + case((lock.c.owner == owner, 0), else_=1),
            },
            where=free,
        )
    )
    return session.scalar(select(lock.c.owner).where(lock.c.name == name)) == owner


def release_lock(session: Session, *, name: str, owner: str) -> None:
    """Let go of a lock this owner holds."""
    session.execute(delete(lock).where(lock.c.name == name, lock.c.owner == owner))


def store_playbook(session: Session, playbook: Playbook, now: datetime) -> None:
    """Keep the playbook's files by content hash when a sweep first uses this version."""
    if session.scalar(select(playbook_version.c.hash).where(playbook_version.c.hash == playbook.version)):
        return
    hashes = {path: hashlib.sha256(content).hexdigest() for path, content in playbook.files.items()}
    rows = {hashes[path]: {"hash": hashes[path], "content": content} for path, content in playbook.files.items()}
    if rows:
        session.execute(insert_into(session, playbook_file).on_conflict_do_nothing(), list(rows.values()))
    session.execute(
        insert_into(session, playbook_version)
        .values(hash=playbook.version, first_used_at=micros(now), files=hashes)
        .on_conflict_do_nothing()
    )


def scope_name(scope: Scope) -> str:
    """How a scope is written in the log of sweeps."""
    return "everyone" if isinstance(scope, Everyone) else ",".join(map(str, sorted(scope.ids)))


def last_sweep(session: Session) -> datetime | None:
    """The instant of the newest sweep over everyone."""
    newest = select(sweep.c.at).where(sweep.c.scope == "everyone").order_by(sweep.c.at.desc()).limit(1)
    return session.scalar(newest)


def log_sweep(
    session: Session, *, at: datetime, scope: Scope, playbook: str, started: datetime, counts: Mapping[str, Any] | None
) -> None:
    """Write or complete the log row of a sweep; `counts` is None while it runs."""
    values = {"counts": dict(counts or {}), "finished_at": None if counts is None else micros(started)}
    session.execute(
        insert_into(session, sweep)
        .values(at=micros(at), scope=scope_name(scope), playbook=playbook, started_at=micros(started), **values)
        .on_conflict_do_update(index_elements=[sweep.c.at, sweep.c.scope], set_=values)
    )
