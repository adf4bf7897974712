"""What is held on one person: a copy of all of it, its erasure from tables and files, two that are one made one."""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from sqlite3 import OperationalError
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from leadflow.app.sweeps import PATIENCE, holding
from leadflow.app.workspace import App
from leadflow.db.turns import NOES, go_alone
from leadflow.intake import suppressions
from leadflow.intake.holdings import Holder, delete_rows, holder_of, rows_about
from leadflow.intake.merging import merge_people
from leadflow.models import lead
from leadflow.types import Suppressed, micros

logger = logging.getLogger("leadflow")
#: Bytes at the beginning of a mail in which its reader stands.
_HEAD = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What an erasure took, in numbers."""

    rows: int
    files: int
    #: Files that people brought, below the workspace, in which the address still stands.
    remaining: tuple[Path, ...] = ()


def copy_of(app: App, lead_id: int, now: datetime) -> Mapping[str, Any]:
    """All that is held on a person, as plain values for JSON: table → rows, and the files there are."""
    with Session(app.engine) as session:
        holder = holder_of(session, lead_id)
        found = {table: [_plain(row) for row in rows] for table, rows in rows_about(session, holder)}
    # Who it is first, then what happened to them.
    held = {table: found[table] for table in sorted(found, key=lambda table: (table != lead.name, table))}
    root = app.settings.workspace
    files = sorted(str(path.relative_to(root)) for path in _files_about(app, [holder]))
    return {"exported_at": now.isoformat(), "held": held, "files": files}


def erase(app: App, lead_ids: Collection[int], now: datetime, *, objects: bool = True) -> Erased:
    """Take people out of every table and file; where they object, their addresses are never mailed again.

    What stays is the keyed hash of the address. Raises LockedError where a sweep goes on too long.
    """
    with holding(app, PATIENCE):
        with Session(app.engine) as session, session.begin():
            # Before any row of theirs is locked.
            go_alone(session, NOES)
            if app.engine.dialect.name == "sqlite":
                session.connection().exec_driver_sql("PRAGMA secure_delete = ON")
            known = session.scalars(select(lead.c.id).where(lead.c.id.in_(lead_ids))).all()
            holders = [holder_of(session, lead_id) for lead_id in known]
            rows = sum(delete_rows(session, holder) for holder in holders)
            if objects:
                _keep_the_no(session, holders, now)
        if not holders:
            return Erased(rows=0, files=0)
        files = list(_files_about(app, holders))
        for path in files:
            path.unlink(missing_ok=True)
        cut = sum(_cut_out(path, holders) for path in app.settings.workspace.rglob("*.rejects.csv"))
        overwrite_deleted(app.engine)
    return Erased(rows=rows, files=len(files) + cut, remaining=tuple(_brought(app, holders)))


def merge(app: App, keep: int, other: int, now: datetime) -> None:
    """Make lead `other` one with lead `keep`; UsageError where that cannot be, LockedError where a sweep goes on."""
    with holding(app, PATIENCE), Session(app.engine) as session, session.begin():
        merge_people(session, app.playbook, keep, other, now)


def _keep_the_no(session: Session, holders: Sequence[Holder], now: datetime) -> None:
    rows = [
        {"address_hash": word, "reason": Suppressed.OBJECTED, "at": micros(now), "source": "erasure"}
        for holder in holders
        for word in holder.hashes
    ]
    suppressions.suppress(session, rows)


def overwrite_deleted(engine: Engine) -> None:
    """SQLite keeps deleted bytes in its file until that is written anew; PostgreSQL's vacuum comes by itself."""
    if engine.dialect.name != "sqlite":
        return
    raw = engine.raw_connection()
    driver = raw.driver_connection
    assert driver is not None  # noqa: S101 - narrows what SQLAlchemy types as optional
    was, driver.isolation_level = driver.isolation_level, None
    try:
        driver.execute("VACUUM")
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except OperationalError:
        # The rows are gone, and overwritten where they stood; somebody writes too long for more just now.
        logger.warning("the database was busy: its file is written anew with the next erasure")
    finally:
        driver.isolation_level = was
        raw.close()


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    match value:
        case datetime() | date():
            return value.isoformat()
        case bytes():
            return value.decode("utf-8", "replace")
        case _:
            return value


def _files_about(app: App, holders: Sequence[Holder]) -> Iterator[Path]:
    """Files leadflow wrote about this person: mails, hand-overs, alerts, a digest that names others included."""
    addresses = _addresses(holders)
    for path in app.settings.outbox.rglob("*.eml"):
        if _mentions(_read(path, _HEAD), *addresses):
            yield path
    words = [*addresses, *(word for holder in holders for word in (holder.name, holder.phone))]
    # By their number too: whoever was two people once may have had another name then.
    numbers = {f"{number:06}" for holder in holders for number in holder.ids["escalation_id"]}
    for folder in ("handovers", "alerts"):
        for path in (app.settings.var / folder).rglob("*"):
            if path.is_file() and (path.name[:6] in numbers or _mentions(_read(path), *words)):
                yield path


def _addresses(holders: Sequence[Holder]) -> list[str]:
    return [address for holder in holders for address in sorted(holder.addresses)]


def _brought(app: App, holders: Sequence[Holder]) -> Iterator[Path]:
    for pattern in ("*.csv", "*.jsonl"):
        for path in app.settings.workspace.rglob(pattern):
            if _mentions(_read(path), *_addresses(holders)):
                yield path


def _read(path: Path, most: int = -1) -> bytes:
    # A file may go while we look.
    with suppress(OSError), path.open("rb") as file:
        return file.read(most)
    return b""


def _mentions(content: bytes, *words: str) -> bool:
    lowered = content.lower()
    return any(word.casefold().encode() in lowered for word in words if word)


def _cut_out(path: Path, holders: Sequence[Holder]) -> int:
    """The rejected rows of these people leave the file; 1 where there were any."""
    content, addresses = _read(path), _addresses(holders)
    if not _mentions(content, *addresses):
        return 0
    kept = [row for row in _records(content) if not _mentions(row, *addresses)]
    path.write_bytes(b"".join(kept))
    return 1


def _records(content: bytes) -> Iterator[bytes]:
    """Lines, those that a quoted value runs over together."""
    begun = b""
    for line in content.splitlines(keepends=True):
        begun += line
        if begun.count(b'"') % 2 == 0:
            yield begun
            begun = b""
    if begun:
        yield begun
