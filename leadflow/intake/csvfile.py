"""Reads a CSV file record by record with its original bytes; what spoils the whole file is located in words."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from leadflow.errors import InputError
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
        found = _records(self.path, self.encoding, self.delimiter)
        next(found)
        return found


def open_csv(path: Path, *, encoding: str = "utf-8", delimiter: str | None = None) -> CsvFile:
    """Look through the whole file, so that a fault at its end is known before its first row is written.

    Raises InputError `file:line:column  what is wrong`.
    """
    codec = _codec(encoding)
    _look_at_start(path, codec)
    sign = delimiter or _sniff(path, codec)
    found = _records(path, codec, sign)
    first = next(found, None)
    if first is None:
        raise InputError(_("{file}: the file is empty").format(file=path.name))
    header = _header(path, first)
    return CsvFile(
        path=path,
        encoding=codec,
        delimiter=sign,
        header=header,
        raw_header=first.raw,
        rows=sum(1 for _record in found),
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


def _lines(path: Path, codec: str) -> Iterator[tuple[str, bytes]]:
    """Every physical line: its text, and its bytes without a byte order mark."""
    if codec.startswith(("utf-16", "utf-32")):
        yield from _wide_lines(path, codec)
        return
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            line = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
            try:
                yield line.decode(codec), line
            except UnicodeDecodeError as error:
                raise _undecodable(path, codec, number, line, error) from None


def _wide_lines(path: Path, codec: str) -> Iterator[tuple[str, bytes]]:
    try:
        with path.open(encoding=codec, newline="\n") as file:
            for text in file:
                yield text, text.encode(wide_codec(codec))
    except UnicodeError as error:
        words = _("{file}: the bytes are not {encoding} ({reason})")
        raise InputError(words.format(file=path.name, encoding=codec, reason=error)) from None


def wide_codec(codec: str) -> str:
    """`codec` as it is written without a byte order mark."""
    return f"{codec}-le" if codec in ("utf-16", "utf-32") else codec


def _undecodable(path: Path, codec: str, number: int, line: bytes, error: UnicodeDecodeError) -> InputError:
    column = len(line[: error.start].decode(codec, "replace")) + 1
    bad = " ".join(f"{byte:02X}" for byte in line[error.start : max(error.end, error.start + 1)])
    words = _(
        "{file}:{line}:{column}  the bytes {bytes} are not {encoding}. "
        "Written by Excel on Windows? Say --encoding cp1252"
    )
    return InputError(words.format(file=path.name, line=number, column=column, bytes=bad, encoding=codec))


def _sniff(path: Path, codec: str) -> str:
    """The sign that parts the header into most cells."""
    first = next((text for text, _raw in _lines(path, codec) if text.strip()), "")
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


def _records(path: Path, codec: str, delimiter: str) -> Iterator[Record]:
    lines = enumerate(_lines(path, codec), start=1)
    for number, (text, raw) in lines:
        if not text.strip("\r\n"):
            continue
        if '"' not in text:
            fault = _("the row has a NUL byte in it") if "\0" in text else None
            yield Record(line=number, cells=tuple(text.rstrip("\r\n").split(delimiter)), raw=raw, fault=fault)
            continue
        end = number
        while (cells := _cells(text, delimiter)) is None:
            following = next(lines, None)
            if following is None or end - number >= LONGEST_CELL_LINES:
                raise _unclosed(path, number, text, delimiter)
            end, (more, more_raw) = following
            text, raw = text + more, raw + more_raw
        if isinstance(cells, str):
            if end > number:
                raise _unclosed(path, number, text, delimiter)
            yield Record(line=number, cells=(), raw=raw, fault=cells)
            continue
        fault = _("the row has a NUL byte in it") if "\0" in text else None
        yield Record(line=number, cells=tuple(cells), raw=raw, fault=fault)


def _cells(text: str, delimiter: str) -> list[str] | str | None:
    """The cells of one record; None while a quote is open, a reason when what stands after a closed one is no cell."""
    cells = []
    bare = text.rstrip("\r\n")
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
