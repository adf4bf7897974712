"""Who runs what: claims of scheduled jobs, the sweep lock, the playbook's versions, the log of sweeps."""

import hashlib
import os
import secrets
import socket
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, or_, select, update
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


def claim_job(session: Session, *, job: str, slot: str, owner: str) -> bool:
    """Claim (job, slot): True for whoever runs it. A lapsed or failed one is taken over, `done` never is."""
    begun = {"owner": owner, "started_at": database_now(), "lease_until": database_now() + LEASE}
    statement = insert_into(session, job_run).values(job=job, slot=slot, result={}, **begun)
    statement = statement.on_conflict_do_update(
        index_elements=[job_run.c.job, job_run.c.slot],
        set_={**begun, "state": JobState.RUNNING, "attempt": job_run.c.attempt + 1, "finished_at": None},
        where=_abandoned(),
    )
    session.execute(statement)
    return session.scalar(select(job_run.c.job).where(_held(job, slot, owner))) is not None


def renew_job(session: Session, *, job: str, slot: str, owner: str) -> bool:
    """Lengthen the lease of a claimed job; False when somebody else had taken it over."""
    longer = update(job_run).where(_held(job, slot, owner)).values(lease_until=database_now() + LEASE)
    return session.scalar(longer.returning(job_run.c.job)) is not None


def finish_job(
    session: Session, *, job: str, slot: str, owner: str, state: JobState, result: Mapping[str, Any]
) -> bool:
    """Record how a claimed job ended; False when somebody else had taken it over."""
    ended = update(job_run).where(_held(job, slot, owner))
    ended = ended.values(state=state, finished_at=database_now(), result=dict(result))
    return session.scalar(ended.returning(job_run.c.job)) is not None


def job_free(session: Session, *, job: str, slot: str, attempts: int) -> bool:
    """Whether (job, slot) waits for somebody: never run, or cut off or failed fewer than `attempts` times."""
    row = select(_abandoned() & (job_run.c.attempt < attempts)).where(job_run.c.job == job, job_run.c.slot == slot)
    free = session.scalar(row)
    return True if free is None else bool(free)


def job_attempt(session: Session, *, job: str, slot: str) -> int:
    """How often (job, slot) was begun."""
    return session.scalar(select(job_run.c.attempt).where(job_run.c.job == job, job_run.c.slot == slot)) or 0


def job_started(session: Session, *, job: str, slot: str) -> datetime | None:
    """When (job, slot) was last claimed, on the database's clock."""
    return session.scalar(select(job_run.c.started_at).where(job_run.c.job == job, job_run.c.slot == slot))


def _abandoned() -> ColumnElement[bool]:
    lapsed = (job_run.c.state == JobState.RUNNING) & (job_run.c.lease_until < database_now())
    return or_(job_run.c.state == JobState.FAILED, lapsed)


def _held(job: str, slot: str, owner: str) -> ColumnElement[bool]:
    return and_(
        job_run.c.job == job,
        job_run.c.slot == slot,
        job_run.c.owner == owner,
        job_run.c.state == JobState.RUNNING,
    )


def take_lock(session: Session, *, name: str, owner: str) -> bool:
    """Take or renew a named lock; False while somebody else's lease runs."""
    longer = update(lock).where(lock.c.name == name, lock.c.owner == owner).values(lease_until=database_now() + LEASE)
    # Before each phase and after it: SQLAlchemy compiles this once, and an ON CONFLICT at each execution.
    if session.scalar(longer.returning(lock.c.owner)):
        return True
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


def begin_sweep(session: Session, *, at: datetime, scope: Scope, playbook: str) -> None:
    """Write the log row of a sweep, or begin it again; its own times are the database's."""
    begun: dict[str, Any] = {"playbook": playbook, "started_at": database_now(), "finished_at": None, "counts": {}}
    session.execute(
        insert_into(session, sweep)
        .values(at=micros(at), scope=scope_name(scope), **begun)
        .on_conflict_do_update(index_elements=[sweep.c.at, sweep.c.scope], set_=begun)
    )


def end_sweep(session: Session, *, at: datetime, scope: Scope, counts: Mapping[str, Any]) -> None:
    """Complete the log row of a sweep."""
    mine = update(sweep).where(sweep.c.at == micros(at), sweep.c.scope == scope_name(scope))
    session.execute(mine.values(finished_at=database_now(), counts=dict(counts)))
