"""Reads the lines of a text file by the thousand, each with its bytes; bytes that are no text are located in words."""

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from leadflow.errors import InputError
from leadflow.text import _

#: Bytes, or characters of a wide encoding, of the lines read at once.
_AT_ONCE = 1 << 18


class Block(NamedTuple):
    """Physical lines that follow each other, with their ends."""

    #: The number of the first, from 1.
    first: int
    texts: list[str]
    #: Their bytes, without a byte order mark.
    raws: list[bytes]

    @property
    def is_plain(self) -> bool:
        """Whether each line is a record, or empty: there is no quote and no NUL byte."""
        whole = "".join(self.texts)
        return '"' not in whole and "\0" not in whole

    @property
    def filled(self) -> int:
        """How many lines are not empty."""
        return sum(map(bool, [text.rstrip("\r\n") for text in self.texts]))


def blocks(path: Path, codec: str) -> Iterator[Block]:
    """The lines of a file; InputError where its bytes are not `codec`."""
    wide = codec.startswith(("utf-16", "utf-32"))
    first = 1
    for texts, raws in _wide(path, codec) if wide else _narrow(path, codec):
        yield Block(first, texts, raws)
        first += len(raws)


def wide_codec(codec: str) -> str:
    """`codec` as it is written without a byte order mark."""
    return f"{codec}-le" if codec in ("utf-16", "utf-32") else codec


def _narrow(path: Path, codec: str) -> Iterator[tuple[list[str], list[bytes]]]:
    done = 0
    with path.open("rb") as file:
        while raws := file.readlines(_AT_ONCE):
            if not done:
                raws[0] = raws[0].removeprefix(codecs.BOM_UTF8)
            try:
                texts = [raw.decode(codec) for raw in raws]
            except UnicodeDecodeError:
                texts = [_decoded(path, codec, number, raw) for number, raw in enumerate(raws, start=done + 1)]
            yield texts, raws
            done += len(raws)


def _wide(path: Path, codec: str) -> Iterator[tuple[list[str], list[bytes]]]:
    try:
        with path.open(encoding=codec, newline="\n") as file:
            while texts := file.readlines(_AT_ONCE):
                yield texts, [text.encode(wide_codec(codec)) for text in texts]
    except UnicodeError as error:
        words = _("{file}: the bytes are not {encoding} ({reason})")
        raise InputError(words.format(file=path.name, encoding=codec, reason=error)) from None


def _decoded(path: Path, codec: str, number: int, line: bytes) -> str:
    try:
        return line.decode(codec)
    except UnicodeDecodeError as error:
        column = len(line[: error.start].decode(codec, "replace")) + 1
        bad = " ".join(f"{byte:02X}" for byte in line[error.start : max(error.end, error.start + 1)])
        words = _(
            "{file}:{line}:{column}  the bytes {bytes} are not {encoding}. "
            "Written by Excel on Windows? Say --encoding cp1252"
        )
        place = {"file": path.name, "line": number, "column": column}
        raise InputError(words.format(**place, bytes=bad, encoding=codec)) from None
