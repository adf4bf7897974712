"""Takes a file in, row by row and batch by batch, and accounts for every row of it."""

import gc
import sys
from array import array
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from leadflow.errors import InvariantError
from leadflow.intake.csvfile import CsvFile, Record
from leadflow.intake.fields import FieldError
from leadflow.intake.mapping import ColumnMapping
from leadflow.intake.people import Change
from leadflow.intake.rejects import RejectsFile

T = TypeVar("T")
_Rows = list[tuple[Record, T]]

#: Told how many bytes of the file are behind us.
Progress = Callable[[int], None]
Look = Callable[[Session, "Accounting"], None]
_SHOWN = 5
#: Rows of one transaction: what a crash leaves for the next import, and how long others wait for their turn to write.
BATCH = 8_000
#: Rows read at once.
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """Why a row was not taken."""

    reason: str


class Taken(NamedTuple):
    """What became of a row that was."""

    change: Change
    lead_id: int
    #: What was kept out, in words.
    notes: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Accounting:
    """Every row of a file, counted once."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    #: Rows about somebody an earlier row of the file is about; the first row counts.
    duplicate: int = 0
    rejected: int = 0
    #: (field, word) → rows in which a declared word stood for a missing value.
    nulls: Counter[tuple[str, str]] = field(default_factory=Counter)
    #: Field → rows in which the cell was empty.
    empty: Counter[str] = field(default_factory=Counter)
    #: The first (line, reason) of what was rejected, of what repeats, of what was kept out of a good row.
    first_rejected: list[tuple[int, str]] = field(default_factory=list)
    first_duplicates: list[tuple[int, int]] = field(default_factory=list)
    noted: int = 0
    first_notes: list[tuple[int, str]] = field(default_factory=list)
    rejects: Path | None = None
    #: Whom the rows are about.
    lead_ids: "array[int]" = field(default_factory=lambda: array("q"))

    def check(self) -> None:
        """InvariantError when a row was lost."""
        if self.rows != self.created + self.updated + self.unchanged + self.duplicate + self.rejected:
            raise InvariantError("an import lost count of a row")


class Read(NamedTuple, Generic[T]):
    """What a row says."""

    value: T
    #: Field → the declared word that stood for a missing value.
    nulls: Mapping[str, str]
    #: Fields whose cell was empty.
    empty: Sequence[str]


def plainly(
    mapping: ColumnMapping, read: Callable[[dict[str, str], dict[str, str]], T], record: Record
) -> Read[T] | Rejected:
    """A row by `read`: (field → text, field → null word) → the value; FieldError rejects the row."""
    try:
        said, nulls = mapping.said(record)
        empty = [name for _place, name in mapping.columns if name not in said and name not in nulls]
        return Read(read(said, nulls), nulls, empty)
    except FieldError as error:
        return Rejected(reason=str(error))


def count_read(rows: Iterable[Read[Any]], counted: Accounting) -> None:
    """Note what `rows` did not say."""
    for _value, nulls, empty in rows:
        counted.nulls.update(nulls.items())
        counted.empty.update(empty)


class Batch(Protocol):
    """Rows of one transaction."""

    def look_up(self, session: Session) -> None:
        """Ask the database what `write` must know, and begin: many short waits."""

    def write(self, session: Session) -> Sequence[Taken | Rejected]:
        """What became of each row: one long wait, in a thread of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake(Generic[T]):
    """How the rows of one kind of file are read and written, many at once."""

    read: Callable[[Sequence[Record]], Sequence[T | Rejected]]
    #: What makes two rows the same, the strongest first.
    keys: Callable[[T], Sequence[Hashable]]
    #: Counts what the rows that were taken did not say.
    count: Callable[[Sequence[T], Accounting], None]
    #: What can be done with rows before the database is asked.
    batch: Callable[[Sequence[T]], Batch]


def import_rows(
    engine: Engine,
    file: CsvFile,
    intake: Intake[T],
    *,
    dry_run: bool = False,
    progress: Progress = lambda _done: None,
    look: Look = lambda _session, _counted: None,
) -> Accounting:
    """Take the rows of `file` in, a transaction a batch; rejected ones go to `<name>.rejects.csv`.

    A dry run does the same in one transaction that is rolled back, and leaves no file. `look` is called at the end,
    while what was written can be read.
    """
    run = _Run(file, intake, progress, dry_run=dry_run)
    with Session(engine) as session:
        run.all((lambda: nullcontext(session)) if dry_run else (lambda: _committed(engine)))
        run.counted.check()
        look(session, run.counted)
        session.rollback()
    return run.counted


_Written = list[tuple[Record, Taken | Rejected]]


@contextmanager
def _committed(engine: Engine) -> Iterator[Session]:
    with Session(engine) as session, session.begin():
        yield session


class _Writer(Generic[T]):
    """Has the database take in one batch after the other, and the reader go on meanwhile."""

    def __init__(self, session: Callable[[], AbstractContextManager[Session]], intake: Intake[T]) -> None:
        self._session, self._batch = session, intake.batch
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="import")
        self._pending: Future[_Written] | None = None

    def __enter__(self) -> "_Writer[T]":
        self._patience = sys.getswitchinterval()
        # What the database waits for is sent at once, not after the reader's usual five milliseconds.
        sys.setswitchinterval(0.0001)
        # No row refers to itself, and a search for what does would look through a million of them again and again.
        self._searches = gc.isenabled()
        gc.disable()
        return self

    def __exit__(self, *_error: object) -> None:
        self._thread.shutdown()
        sys.setswitchinterval(self._patience)
        if self._searches:
            gc.enable()

    def swap(self, rows: _Rows[T]) -> _Written:
        """What became of the rows before, now that they are written; `rows` are next."""
        batch = self._batch([value for _record, value in rows]) if rows else None
        done = self._pending.result() if self._pending else []
        self._pending = self._begun(batch, [record for record, _value in rows]) if batch else None
        return done

    def _begun(self, batch: Batch, records: Sequence[Record]) -> Future[_Written]:
        with ExitStack() as stack:
            session = stack.enter_context(self._session())
            # Not in the thread: beside the reader each of these short waits would be a long one.
            batch.look_up(session)
            return self._thread.submit(_written, stack.pop_all(), session, batch, records)


def _written(stack: ExitStack, session: Session, batch: Batch, records: Sequence[Record]) -> _Written:
    with stack:
        results = batch.write(session)
    return list(zip(records, results, strict=True))


class _Run(Generic[T]):
    def __init__(self, file: CsvFile, intake: Intake[T], progress: Progress, *, dry_run: bool) -> None:
        self._file, self._intake, self._progress = file, intake, progress
        self._seen: dict[Hashable, int] = {}
        self._rejects = RejectsFile(file, dry_run=dry_run)
        self.counted = Accounting()

    def all(self, session: Callable[[], AbstractContextManager[Session]]) -> None:
        """Read and write every record; while the database takes one batch in, the next one is read."""
        done, records = len(self._file.raw_header), self._file.records()
        batch: _Rows[T] = []
        # A short one to begin with: until it is read, the database has nothing to do.
        enough = _AT_ONCE
        with self._rejects, _Writer(session, self._intake) as writer:
            while some := list(islice(records, _AT_ONCE)):
                done += sum(len(record.raw) for record in some)
                self.counted.rows += len(some)
                batch += self._read(some)
                if len(batch) >= enough:
                    self._judge(writer.swap(batch))
                    self._progress(done)
                    batch, enough = [], BATCH
            self._judge(writer.swap(batch))
            self._judge(writer.swap([]))
            self._progress(self._file.size)
        self.counted.rejects = self._rejects.written

    def _read(self, records: Sequence[Record]) -> _Rows[T]:
        batch: _Rows[T] = []
        for record, value in zip(records, self._intake.read(records), strict=True):
            if isinstance(value, Rejected):
                self._reject(record, value.reason)
            else:
                batch.append((record, value))
        keys = [self._intake.keys(value) for _record, value in batch]
        batch = self._first(batch, keys)
        self._intake.count([value for _record, value in batch], self.counted)
        return batch

    def _first(self, batch: _Rows[T], keys: Sequence[Sequence[Hashable]]) -> _Rows[T]:
        """Those of `batch` that no earlier row of the file is about."""
        pairs = zip(batch, keys, strict=True)
        told = [(key, record.line) for (record, _value), some in pairs for key in some]
        mine = dict(told)
        if len(mine) == len(told) and mine.keys().isdisjoint(self._seen.keys()):
            self._seen.update(mine)
            return batch
        return [one for one, some in zip(batch, keys, strict=True) if self._is_first(one[0].line, some)]

    def _is_first(self, line: int, keys: Sequence[Hashable]) -> bool:
        earlier = next((self._seen[key] for key in keys if key in self._seen), None)
        if earlier is None:
            self._seen.update(dict.fromkeys(keys, line))
            return True
        self.counted.duplicate += 1
        _keep_first(self.counted.first_duplicates, (line, earlier))
        return False

    def _judge(self, written: _Written) -> None:
        """Count what became of a batch."""
        counted = self.counted
        for record, result in written:
            if isinstance(result, Rejected):
                self._reject(record, result.reason)
                continue
            for note in result.notes:
                counted.noted += 1
                _keep_first(counted.first_notes, (record.line, note))
        taken = [result for _record, result in written if isinstance(result, Taken)]
        counted.lead_ids.extend([result.lead_id for result in taken])
        changes = [result.change for result in taken]
        counted.created += changes.count(Change.CREATED)
        counted.updated += changes.count(Change.UPDATED)
        counted.unchanged += changes.count(Change.UNCHANGED)

    def _reject(self, record: Record, reason: str) -> None:
        self.counted.rejected += 1
        _keep_first(self.counted.first_rejected, (record.line, reason))
        self._rejects.add(record, reason)


def _keep_first(kept: list[T], one: T) -> None:
    if len(kept) < _SHOWN:
        kept.append(one)
