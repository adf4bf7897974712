"""Keeps the rows that were not taken in a file of their own: `leads.rejects.csv`."""

from pathlib import Path
from typing import BinaryIO

from leadflow.intake.csvfile import CsvFile, Record
from leadflow.intake.csvlines import wide_codec


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
