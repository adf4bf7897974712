"""Reads a CSV file record by record with its original bytes; what spoils the whole file is located in words."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from leadflow.errors import InputError
from leadflow.intake.csvlines import Block, blocks
from leadflow.text import _

DELIMITERS = (",", ";", "\t", "|")
#: A quoted cell longer than this was never closed: it swallows the rows that follow.
LONGEST_CELL_LINES = 200

# Possessive: in `"a ""b""` the last two signs are one doubled quote, never a closing one.
_QUOTED = re.compile(r'"([^"]*+(?:""[^"]*+)*+)"')
#: First bytes → what the file really is.
_DISGUISES = (
    (b"PK\x03\x04", "an Excel workbook (.xlsx)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)"),
    (b"\x1f\x8b", "a compressed file (.gz)"),
    (b"%PDF", "a PDF"),
)
_WIDE = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class Record(NamedTuple):
    """One row of the file. A tuple, since a file has a million of them."""

    #: Where it begins, from 1.
    line: int
    cells: tuple[str, ...]
    raw: bytes
    #: Why it cannot be read; the rows around it can.
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvFile:
    """A CSV file that was looked through once: every byte decodes and every quote closes."""

    path: Path
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    #: The header as it came, without a byte order mark.
    raw_header: bytes
    #: How many records follow the header.
    rows: int
    size: int

    def records(self) -> Iterator[Record]:
        """The records after the header; an empty line is none."""
        found = _records(_parts(self.path, self.encoding, self.delimiter), self.delimiter)
        next(found)
        return found


def open_csv(path: Path, *, encoding: str = "utf-8", delimiter: str | None = None) -> CsvFile:
    """Look through the whole file, so that a fault at its end is known before its first row is written.

    Raises InputError `file:line:column  what is wrong`.
    """
    codec = _codec(encoding)
    _look_at_start(path, codec)
    sign = delimiter or _sniff(path, codec)
    first = next(_records(_parts(path, codec, sign), sign), None)
    if first is None:
        raise InputError(_("{file}: the file is empty").format(file=path.name))
    header = _header(path, first)
    return CsvFile(
        path=path,
        encoding=codec,
        delimiter=sign,
        header=header,
        raw_header=first.raw,
        rows=sum(1 if isinstance(part, Record) else part.filled for part in _parts(path, codec, sign)) - 1,
        size=path.stat().st_size,
    )


def _codec(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        words = _('"{encoding}" is no encoding; try utf-8, cp1252 (Windows), latin-1 or utf-16')
        raise InputError(words.format(encoding=encoding)) from None
    return "utf-8" if name == "utf-8-sig" else name


def _look_at_start(path: Path, codec: str) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(65_536)
    except OSError as error:
        words = _("{file}: the file cannot be opened ({reason})")
        raise InputError(words.format(file=path.name, reason=error.strerror)) from None
    for magic, what in _DISGUISES:
        if head.startswith(magic):
            words = _("{file} is {what}, whatever its name says: open it and save it as CSV (UTF-8)")
            raise InputError(words.format(file=path.name, what=what))
    wide = next((name for mark, name in _WIDE.items() if head.startswith(mark)), None)
    if wide and not codec.startswith("utf-16"):
        words = _("{file} is written in {encoding}: say so with --encoding {encoding}")
        raise InputError(words.format(file=path.name, encoding=wide))
    if head.startswith(codecs.BOM_UTF8) and codec != "utf-8":
        words = _("{file} says of itself that it is UTF-8: leave out --encoding {encoding}")
        raise InputError(words.format(file=path.name, encoding=codec))
    if b"\n" not in head and b"\r" in head:
        words = _("{file}: its lines end the way old Macs end them (CR alone): save it again as CSV (UTF-8)")
        raise InputError(words.format(file=path.name))


def _sniff(path: Path, codec: str) -> str:
    """The sign that parts the header into most cells."""
    first = next((text for block in blocks(path, codec) for text in block.texts if text.strip()), "")
    bare = _QUOTED.sub("", first)
    return max(DELIMITERS, key=lambda sign: (bare.count(sign), -DELIMITERS.index(sign)))


def _header(path: Path, first: Record) -> tuple[str, ...]:
    names = tuple(cell.strip() for cell in first.cells)
    if first.fault or not any(names):
        reason = first.fault or _("no column has a name")
        words = _("the header cannot be read: {reason}").format(reason=reason)
        raise InputError(f"{path.name}:{first.line}:1  {words}")
    if any("@" in name and "." in name for name in names):
        words = _("the first line has an address in it: it must hold the names of the columns")
        raise InputError(f"{path.name}:{first.line}:1  {words}")
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        words = _("two columns are called {names}: give each a name of its own")
        raise InputError(f"{path.name}:{first.line}:1  " + words.format(names=", ".join(f'"{x}"' for x in twice)))
    return names


def _records(parts: Iterator["Block | Record"], delimiter: str) -> Iterator[Record]:
    for part in parts:
        if isinstance(part, Record):
            yield part
            continue
        for number, (text, raw) in enumerate(zip(part.texts, part.raws, strict=True), start=part.first):
            if bare := text.rstrip("\r\n"):
                yield Record(number, tuple(bare.split(delimiter)), raw)


def _parts(path: Path, codec: str, delimiter: str) -> "Iterator[Block | Record]":
    """Blocks whose lines are records as they stand, and one by one the records of those with a quote or NUL byte."""
    found = blocks(path, codec)
    for block in found:
        if block.is_plain:
            yield block
        else:
            yield from _quoted(path, delimiter, block, found)


def _quoted(path: Path, delimiter: str, block: Block, further: Iterator[Block]) -> Iterator[Record]:
    """The records of a block, and of those after it into which its last one runs on."""
    lines = list(zip(block.texts, block.raws, strict=True))
    at = 0
    while at < len(lines):
        number = block.first + at
        text, raw = lines[at]
        at += 1
        if not text.strip("\r\n"):
            continue
        while (cells := _cells(text, delimiter)) is None:
            if at == len(lines) and (following := next(further, None)):
                lines += zip(following.texts, following.raws, strict=True)
            if at == len(lines) or block.first + at - number > LONGEST_CELL_LINES:
                raise _unclosed(path, number, text, delimiter)
            more, more_raw = lines[at]
            text, raw, at = text + more, raw + more_raw, at + 1
        if isinstance(cells, str):
            if block.first + at - number > 1:
                raise _unclosed(path, number, text, delimiter)
            yield Record(number, (), raw, cells)
            continue
        fault = _("the row has a NUL byte in it") if "\0" in text else None
        yield Record(number, tuple(cells), raw, fault)


def _cells(text: str, delimiter: str) -> list[str] | str | None:
    """The cells of one record; None while a quote is open, a reason when what stands after a closed one is no cell."""
    bare = text.rstrip("\r\n")
    if '"' not in bare:
        return bare.split(delimiter)
    cells = []
    at = 0
    while True:
        if bare.startswith('"', at):
            found = _QUOTED.match(bare, at)
            if found is None:
                return None
            cells.append(found[1].replace('""', '"'))
            at = found.end()
            if at == len(bare):
                return cells
            if not bare.startswith(delimiter, at):
                return _('there is "{text}" after a closing quote').format(text=bare[at : at + 12].splitlines()[0])
            at += 1
        else:
            end = bare.find(delimiter, at)
            if end < 0:
                cells.append(bare[at:])
                return cells
            cells.append(bare[at:end])
            at = end + 1


def _unclosed(path: Path, number: int, text: str, delimiter: str) -> InputError:
    """Where the quote was opened that nothing closes: the first cell that runs over the end of its line."""
    first = text.split("\n", 1)[0]
    column, at = 1, 0
    while at < len(first):
        if first.startswith('"', at):
            found = _QUOTED.match(first, at)
            column = at + 1
            if found is None:
                break
            at = found.end() + 1
        else:
            following = first.find(delimiter, at)
            at = len(first) if following < 0 else following + 1
    words = _("a quote is opened here and never closed, so the rows after it cannot be told apart")
    return InputError(f"{path.name}:{number}:{column}  {words}")
