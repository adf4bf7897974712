"""Takes a file in, row by row and batch by batch, and accounts for every row of it."""

import gc
import sys
from array import array
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Generic, NamedTuple, TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from leadflow.errors import InvariantError
from leadflow.intake.csvfile import CsvFile, Record, wide_codec
from leadflow.intake.fields import FieldError
from leadflow.intake.mapping import ColumnMapping
from leadflow.intake.people import Change, Taken

T = TypeVar("T")

#: Told how many bytes of the file are behind us.
Progress = Callable[[int], None]
Look = Callable[[Session, "Accounting"], None]
_SHOWN = 5
#: Rows of one transaction: what a crash leaves for the next import, and how long others wait for their turn to write.
BATCH = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """Why a row was not taken."""

    reason: str


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


def plainly(mapping: ColumnMapping, read: Callable[[dict[str, str], dict[str, str]], T], record: Record) -> Read[T]:
    """A row by `read`: (field → text, field → null word) → the value; FieldError rejects the row."""
    said, nulls = mapping.said(record)
    empty = [name for _place, name in mapping.columns if name not in said and name not in nulls]
    return Read(read(said, nulls), nulls, empty)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake(Generic[T]):
    """How the rows of one kind of file are read and written."""

    read: Callable[[Record], Read[T]]
    #: What makes two rows the same, the strongest first.
    keys: Callable[[T], Sequence[Hashable]]
    write: Callable[[Session, Sequence[T]], Sequence[Taken | Rejected]]


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


@contextmanager
def _committed(engine: Engine) -> Iterator[Session]:
    with Session(engine) as session, session.begin():
        yield session


class _Writer(Generic[T]):
    """Writes one batch in a thread, which mostly waits for the database."""

    def __init__(
        self,
        session: Callable[[], AbstractContextManager[Session]],
        write: Callable[[Session, Sequence[T]], Sequence[Taken | Rejected]],
    ) -> None:
        self._session, self._write = session, write
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="import")
        self._pending: Future[list[tuple[Record, Taken | Rejected]]] | None = None

    def __enter__(self) -> "_Writer[T]":
        self._patience = sys.getswitchinterval()
        # What the database answers is taken up at once, not after the reader's usual five milliseconds.
        sys.setswitchinterval(0.0005)
        # What stood in memory before is not garbage, and need not be looked through for every ten thousand rows.
        gc.freeze()
        return self

    def __exit__(self, *_error: object) -> None:
        self._thread.shutdown()
        sys.setswitchinterval(self._patience)
        gc.unfreeze()

    def swap(self, batch: list[tuple[Record, T]]) -> list[tuple[Record, Taken | Rejected]]:
        """What became of the batch before, now that it is written; `batch` is next."""
        done = self._pending.result() if self._pending else []
        self._pending = self._thread.submit(self._all, batch) if batch else None
        return done

    def _all(self, batch: list[tuple[Record, T]]) -> list[tuple[Record, Taken | Rejected]]:
        with self._session() as session:
            results = self._write(session, [value for _record, value in batch])
        return [(record, result) for (record, _value), result in zip(batch, results, strict=True)]


class _Run(Generic[T]):
    def __init__(self, file: CsvFile, intake: Intake[T], progress: Progress, *, dry_run: bool) -> None:
        self._file, self._intake, self._progress = file, intake, progress
        self._seen: dict[Hashable, int] = {}
        self._rejects = RejectsFile(file, dry_run=dry_run)
        self.counted = Accounting()

    def all(self, session: Callable[[], AbstractContextManager[Session]]) -> None:
        """Read and write every record; while the database takes one batch in, the next one is read."""
        done = len(self._file.raw_header)
        waiting: list[tuple[Record, T]] = []
        with self._rejects, _Writer(session, self._intake.write) as writer:
            for record in self._file.records():
                done += len(record.raw)
                self.counted.rows += 1
                if (value := self._read(record)) is not None:
                    waiting.append((record, value))
                if len(waiting) == BATCH:
                    self._judge(writer.swap(waiting))
                    self._progress(done)
                    waiting = []
            self._judge(writer.swap(waiting))
            self._judge(writer.swap([]))
            self._progress(self._file.size)
        self.counted.rejects = self._rejects.written

    def _read(self, record: Record) -> T | None:
        try:
            value, nulls, empty = self._intake.read(record)
        except FieldError as error:
            self._reject(record, str(error))
            return None
        keys = self._intake.keys(value)
        earlier = next((self._seen[key] for key in keys if key in self._seen), None)
        if earlier is not None:
            self.counted.duplicate += 1
            _keep_first(self.counted.first_duplicates, (record.line, earlier))
            return None
        for key in keys:
            self._seen[key] = record.line
        counted = self.counted
        for null in nulls.items():
            counted.nulls[null] += 1
        for name in empty:
            counted.empty[name] += 1
        return value

    def _judge(self, written: Iterable[tuple[Record, Taken | Rejected]]) -> None:
        """Count what became of a batch."""
        changes: Counter[Change] = Counter()
        for record, result in written:
            if isinstance(result, Rejected):
                self._reject(record, result.reason)
                continue
            changes[result.change] += 1
            self.counted.lead_ids.append(result.lead_id)
            for note in result.notes:
                self.counted.noted += 1
                _keep_first(self.counted.first_notes, (record.line, note))
        self.counted.created += changes[Change.CREATED]
        self.counted.updated += changes[Change.UPDATED]
        self.counted.unchanged += changes[Change.UNCHANGED]

    def _reject(self, record: Record, reason: str) -> None:
        self.counted.rejected += 1
        _keep_first(self.counted.first_rejected, (record.line, reason))
        self._rejects.add(record, reason)


def _keep_first(kept: list[T], one: T) -> None:
    if len(kept) < _SHOWN:
        kept.append(one)


class RejectsFile:
    """`leads.rejects.csv`: line, reason, then the row's own bytes; mended, it can be imported again."""

    def __init__(self, file: CsvFile, *, dry_run: bool) -> None:
        self._source, self._dry_run = file, dry_run
        self._path = file.path.with_name(f"{file.path.stem}.rejects.csv")
        self._open: BinaryIO | None = None

    def __enter__(self) -> "RejectsFile":
        return self

    def __exit__(self, *_error: object) -> None:
        if self._open:
            self._open.close()
        elif not self._dry_run:
            # What an earlier import rejected has been taken by this one.
            self._path.unlink(missing_ok=True)

    @property
    def written(self) -> Path | None:
        """The file, when there is one."""
        return self._path if self._open else None

    def add(self, record: Record, reason: str) -> None:
        """Keep a row that was not taken."""
        if self._dry_run:
            return
        if self._open is None:
            self._open = self._path.open("wb")
            self._open.write(self._encoded(f"line{self._source.delimiter}reason{self._source.delimiter}"))
            self._open.write(self._with_end(self._source.raw_header))
        sign = self._source.delimiter
        quoted = " ".join(reason.split()).replace('"', '""')
        self._open.write(self._encoded(f'{record.line}{sign}"{quoted}"{sign}') + self._with_end(record.raw))

    def _encoded(self, text: str) -> bytes:
        return text.encode(wide_codec(self._source.encoding), "replace")

    def _with_end(self, raw: bytes) -> bytes:
        end = self._encoded("\n")
        return raw if raw.endswith(end) else raw + end
