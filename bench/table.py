"""One table for every benchmark: each figure beside the floor measured in the same run, and what is promised of it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

#: Progress, told while a benchmark runs.
Say = Callable[[str], None]

_TITLES = ("what", "database", "measured", "floor", "ratio", "promise", "kept")
_RIGHT = {"measured", "floor", "ratio"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure of one database; `kept` is None where nothing is promised."""

    what: str
    #: '' where none is involved.
    database: str
    #: With its unit: `3.69 s`, `52,310 events/s`.
    figure: str
    #: Of the same run, with its unit; '' where the promise is a figure by itself.
    floor: str = ""
    #: How often the floor fits into the figure, or another quotient that the promise is about.
    ratio: float | None = None
    #: `≤ 2.5 ×`, `≥ 50,000 events/s`; '' for none.
    promise: str = ""
    kept: bool | None = None


def seconds(value: float) -> str:
    """`0.183 s`, `3.69 s`, `41.2 s`: three figures."""
    return f"{value:.{3 if value < 1 else 2 if value < 10 else 1}f} s"


def at_most(
    what: str, database: str, figures: Sequence[float], floors: Sequence[float], *, most: float | None = None
) -> Line:
    """The line of a time held against a floor: medians of both, and whether their ratio is at most `most`."""
    figure, floor = median(figures), median(floors)
    ratio = figure / floor
    return Line(
        what=what,
        database=database,
        figure=seconds(figure),
        floor=seconds(floor),
        ratio=ratio,
        promise="" if most is None else f"≤ {most:g} ×",
        kept=None if most is None else ratio <= most,
    )


def show(lines: Iterable[Line]) -> str:
    """The table as text: a row a line, in the order given."""
    rows = [_TITLES, *(_cells(line) for line in lines)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_TITLES))]
    rule = tuple("─" * width for width in widths)
    return "\n".join(_row(row, widths) for row in (rows[0], rule, *rows[1:]))


def _cells(line: Line) -> tuple[str, ...]:
    ratio = "" if line.ratio is None else f"{line.ratio:.2f}"
    kept = {True: "yes", False: "NO", None: ""}[line.kept]
    return (line.what, line.database, line.figure, line.floor, ratio, line.promise, kept)


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        cell.rjust(width) if title in _RIGHT else cell.ljust(width)
        for cell, width, title in zip(cells, widths, _TITLES, strict=True)
    )
    return "  ".join(padded).rstrip()
