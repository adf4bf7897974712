"""Takes a file in, row by row and batch by batch, and accounts for every row of it."""

from array import array
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from leadflow.errors import InvariantError
from leadflow.intake.csvfile import CsvFile, Record, wide_codec
from leadflow.intake.events import BATCH
from leadflow.intake.fields import FieldError
from leadflow.intake.mapping import ColumnMapping
from leadflow.intake.people import Change

T = TypeVar("T")

#: Told how many bytes of the file are behind us.
Progress = Callable[[int], None]
Look = Callable[[Session, "Accounting"], None]
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """Why a row was not taken."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a row, and what was kept out of it."""

    change: Change
    lead_id: int
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake(Generic[T]):
    """How the rows of one kind of file are read and written."""

    #: (field → text, field → null word) → the value; FieldError rejects the row.
    read: Callable[[dict[str, str], dict[str, str]], T]
    #: What makes two rows the same, the strongest first.
    keys: Callable[[T], Sequence[Hashable]]
    write: Callable[[Session, Sequence[T]], Sequence[Taken | Rejected]]


def import_rows(
    engine: Engine,
    file: CsvFile,
    mapping: ColumnMapping,
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
    run = _Run(file, mapping, intake, progress, dry_run=dry_run)
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


class _Run(Generic[T]):
    def __init__(
        self, file: CsvFile, mapping: ColumnMapping, intake: Intake[T], progress: Progress, *, dry_run: bool
    ) -> None:
        self._file, self._mapping, self._intake, self._progress = file, mapping, intake, progress
        self._seen: dict[Hashable, int] = {}
        self._rejects = RejectsFile(file, dry_run=dry_run)
        self.counted = Accounting()

    def all(self, session: Callable[[], AbstractContextManager[Session]]) -> None:
        """Read and write every record."""
        done = len(self._file.raw_header)
        waiting: list[tuple[Record, T]] = []
        with self._rejects:
            for record in self._file.records():
                done += len(record.raw)
                self.counted.rows += 1
                if (value := self._read(record)) is not None:
                    waiting.append((record, value))
                if len(waiting) == BATCH:
                    self._write(session, waiting)
                    self._progress(done)
            if waiting:
                self._write(session, waiting)
            self._progress(self._file.size)
        self.counted.rejects = self._rejects.written

    def _read(self, record: Record) -> T | None:
        try:
            said, nulls = self._mapping.said(record)
            value = self._intake.read(said, nulls)
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
        self.counted.nulls.update(nulls.items())
        self.counted.empty.update(
            name for _place, name in self._mapping.columns if name not in said and name not in nulls
        )
        return value

    def _write(self, session: Callable[[], AbstractContextManager[Session]], waiting: list[tuple[Record, T]]) -> None:
        with session() as open_session:
            results = self._intake.write(open_session, [value for _record, value in waiting])
        for (record, _value), result in zip(waiting, results, strict=True):
            match result:
                case Rejected():
                    self._reject(record, result.reason)
                case Taken():
                    self._count(record, result)
        waiting.clear()

    def _count(self, record: Record, taken: Taken) -> None:
        match taken.change:
            case Change.CREATED:
                self.counted.created += 1
            case Change.UPDATED:
                self.counted.updated += 1
            case Change.UNCHANGED:
                self.counted.unchanged += 1
        self.counted.lead_ids.append(taken.lead_id)
        for note in taken.notes:
            self.counted.noted += 1
            _keep_first(self.counted.first_notes, (record.line, note))

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
