"""A table that does not know yet how it will be shown: as text, CSV, JSON or in a page."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from leadflow.ask.report import numbers

Cell = str | int | float | date | timedelta | None


class Kind(StrEnum):
    TEXT = "text"
    COUNT = "count"
    #: A share of the people counted in the column named by `of`.
    RATE = "rate"
    #: The same with a decimal, where shares are small.
    FINE_RATE = "fine_rate"
    DAYS = "days"
    #: Cents.
    MONEY = "money"
    HOURS = "hours"
    DATE = "date"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`key` is what machines read; a rate without a title belongs to the column before it."""

    key: str
    title: str = ""
    kind: Kind = Kind.COUNT


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Columns and rows; where `total` is set, the last row adds up the others."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: bool = False
    #: Lines below the table.
    notes: tuple[str, ...] = ()
    #: One line below the title.
    lead: str = ""

    @property
    def texts(self) -> Iterator[tuple[str, ...]]:
        """The rows as people read them."""
        for row in self.rows:
            yield tuple(shown(column.kind, cell) for column, cell in zip(self.columns, row, strict=True))

    @property
    def records(self) -> Iterator[dict[str, Any]]:
        """The rows as machines read them."""
        for row in self.rows:
            yield {column.key: plain(column.kind, cell) for column, cell in zip(self.columns, row, strict=True)}


def shown(kind: Kind, cell: Cell) -> str:
    """A cell in the language people read."""
    says: Mapping[Kind, Callable[[Any], str]] = {
        Kind.TEXT: lambda text: str(text) if text else "",
        Kind.COUNT: lambda n: numbers.NOTHING if n is None else numbers.whole(n),
        Kind.RATE: numbers.percent,
        Kind.FINE_RATE: lambda share: numbers.percent(share, 1),
        Kind.DAYS: numbers.days,
        Kind.MONEY: lambda cents: numbers.money(cents or 0),
        Kind.HOURS: numbers.hours,
        Kind.DATE: lambda day: numbers.day(day) if day else "",
    }
    return says[kind](cell)


def plain(kind: Kind, cell: Cell) -> Any:
    """A cell for machines: shares as fractions, money in units, hours as numbers, dates in ISO."""
    match cell:
        case None:
            return None
        case timedelta():
            return round(cell.total_seconds() / 3600, 4)
        case datetime() | date():
            return cell.isoformat()
        case _ if kind is Kind.MONEY:
            return round(int(cell) / 100, 2)
        case float():
            return round(cell, 4)
    return cell


def as_csv(sheet: Sheet) -> str:
    """The rows with the machines' column names; no cell can begin a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.key for column in sheet.columns])
    for record in sheet.records:
        writer.writerow([_harmless(value) for value in record.values()])
    return out.getvalue()


def _harmless(value: Any) -> Any:
    """Spreadsheets compute what begins with one of these signs."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def as_json(sheet: Sheet) -> dict[str, Any]:
    """The rows by column, the total apart."""
    records = list(sheet.records)
    rows, total = (records[:-1], records[-1]) if sheet.total and records else (records, None)
    found: dict[str, Any] = {"report": sheet.name, "rows": rows}
    if total is not None:
        found["total"] = total
    return found | ({"notes": list(sheet.notes)} if sheet.notes else {})
