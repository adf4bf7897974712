"""Reads rows of people the short way: what rows have in common is read once, what is a row's own column by column."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from itertools import repeat
from operator import itemgetter
from typing import Any, NamedTuple

from leadflow.errors import LeadflowError
from leadflow.intake.addresses import Address, read_address
from leadflow.intake.csvfile import Record
from leadflow.intake.fields import FieldError
from leadflow.intake.importing import Accounting
from leadflow.intake.mapping import ColumnMapping
from leadflow.intake.person import Person, PersonReader, keys_of, read_id
from leadflow.intake.phones import read_phone

#: Fields that seldom say the same in two rows, and what `Told` calls them.
OWN = {name: name for name in ("external_id", "visitor", "first_name", "last_name", "phone", "company")}
OWN |= {"email": "address", "first_seen": "first_seen_at"}
_COLUMNS = ("first_name", "last_name", "phone", "company")
#: So many different rests of rows are remembered; more cost time, not memory.
_REMEMBERED = 8_192


@dataclass(slots=True, kw_only=True, eq=False)
class Shared:
    """What rows with the same words in all their other cells have in common."""

    person: Person
    country: str | None
    empty: tuple[str, ...]
    #: What somebody new of whom only this is known looks like in the tables; made when it is first needed.
    made: Any = None


class Told(NamedTuple):
    """One row, read the short way. A tuple, since a file has a million of them."""

    shared: Shared
    address: Address | None
    external_id: str | None
    visitor: str | None
    first_name: str | None
    last_name: str | None
    phone: str | None
    company: str | None
    first_seen_at: datetime | None
    notes: tuple[str, ...]
    #: (kind, value) of every identity, the strongest first.
    keys: tuple[tuple[str, str], ...]

    def person(self) -> Person:
        """The same as the long way tells it."""
        own = {name: value for name in _COLUMNS if (value := getattr(self, name)) is not None}
        return replace(
            self.shared.person,
            address=self.address,
            external_id=self.external_id,
            visitor=self.visitor,
            columns={**self.shared.person.columns, **own},
            first_seen_at=self.first_seen_at,
            notes=self.notes,
        )


class UsualRows:
    """Reads the rows of one file; None for a row that takes the long way, which also says what is wrong with it."""

    def __init__(self, mapping: ColumnMapping, reader: PersonReader) -> None:
        own = [(place, name) for place, name in mapping.columns if name in OWN]
        rest = [(place, name) for place, name in mapping.columns if name not in OWN]
        self._width = len(mapping.header)
        self._own, self._reader = own, reader
        self._rest = _getter([place for place, _name in rest])
        self._mapping = _only(mapping, rest)
        self._shared = lru_cache(maxsize=_REMEMBERED)(self._read_shared)
        #: Where a row's own cells are not all there is to its own fields, every row goes the long way.
        self.serve = not (
            mapping.template_address
            or any(place in mapping.null for place, _name in own)
            or any(name in mapping.constant for name in OWN)
        )

    @property
    def remembered(self) -> int:
        """How many rests of rows are in memory."""
        return self._shared.cache_info().currsize

    def read(self, records: Sequence[Record]) -> Iterator[Told | None]:
        """Each row."""
        fit = [not record.fault and len(record.cells) == self._width for record in records]
        rows = [record.cells for record, is_fit in zip(records, fit, strict=True) if is_fit]
        told = iter(self._read(rows) if rows else ())
        return (next(told) if is_fit else None for is_fit in fit)

    def count(self, rows: Sequence[Told], counted: Accounting) -> None:
        """Note what `rows` did not say."""
        nulls, empty = counted.nulls, counted.empty
        for shared, n in Counter([row.shared for row in rows]).items():
            for null in shared.person.nulls.items():
                nulls[null] += n
            for name in shared.empty:
                empty[name] += n
        columns = dict(zip(Told._fields, zip(*rows, strict=True), strict=False))
        for _place, name in self._own:
            n = columns.get(OWN[name], ()).count(None)
            # A number that is none is kept out with a note.
            n -= sum(map(bool, columns.get("notes", ()))) if name == "phone" else 0
            if n:
                empty[name] += n

    def _read(self, rows: Sequence[tuple[str, ...]]) -> Sequence[Told | None]:
        odd: set[int] = set()
        shared = list(map(self._shared, map(self._rest, rows)))
        if not all(shared):
            odd.update(number for number, one in enumerate(shared) if one is None)
        cells = list(zip(*rows, strict=True))
        columns = {OWN[name]: self._column(name, cells[place], odd) for place, name in self._own if name != "phone"}
        notes: Any = repeat(())
        for place, name in self._own:
            if name == "phone":
                columns["phone"], notes = _phones(cells[place], shared)
        nothing = [None] * len(rows)
        keys = list(map(keys_of, *(columns.get(name, nothing) for name in ("address", "external_id", "visitor"))))
        if not all(keys):
            odd.update(number for number, some in enumerate(keys) if not some)
        own = [columns.get(name, nothing) for name in Told._fields[1:-2]]
        told: list[Told | None] = list(map(Told._make, zip(shared, *own, notes, keys, strict=False)))
        for number in odd:
            told[number] = None
        return told

    def _column(self, name: str, cells: Sequence[str], odd: set[int]) -> list[Any]:
        """The values of a column, None where it is empty; rows with a cell that cannot be read are `odd`."""
        read: dict[str, Any] = {}
        wrong = set()
        for cell in set(cells):
            text = cell.strip(" \t")
            try:
                read[cell] = self._value(name, text) if text else None
            except LeadflowError:
                read[cell] = None
            if text and read[cell] is None:
                wrong.add(cell)
        if wrong:
            odd.update(number for number, cell in enumerate(cells) if cell in wrong)
        return list(map(read.__getitem__, cells))

    def _value(self, name: str, text: str) -> Any:
        match name:
            case "email":
                return read_address(text)
            case "external_id" | "visitor":
                return read_id(text)
            case "first_seen":
                return self._reader.first_seen(text)
            case _:
                return self._reader.readers[name](text)

    def _read_shared(self, cells: tuple[str, ...]) -> Shared | None:
        try:
            said, nulls = self._mapping.said(Record(line=0, cells=cells, raw=b""))
            person = self._reader.read(said, nulls)
        except FieldError:
            return None
        country = person.columns.get("country")
        return Shared(
            person=person,
            country=country if isinstance(country, str) else None,
            empty=tuple(name for _place, name in self._mapping.columns if name not in said and name not in nulls),
        )


def _phones(cells: Sequence[str], shared: Sequence[Shared | None]) -> tuple[list[str | None], list[tuple[str, ...]]]:
    """The numbers of a column, and what is said of those that are none."""
    numbers: list[str | None] = []
    notes: list[tuple[str, ...]] = []
    for cell, one in zip(cells, shared, strict=True):
        number: str | None = None
        note: tuple[str, ...] = ()
        if (text := cell.strip(" \t")) and one:
            try:
                number = read_phone(text, one.country)
            except FieldError as error:
                note = (f"phone: {error}",)
        numbers.append(number)
        notes.append(note)
    return numbers, notes


def _getter(places: Sequence[int]) -> Any:
    """Takes the cells at `places` as one tuple."""
    match places:
        case []:
            return lambda _cells: ()
        case [place]:
            return lambda cells: (cells[place],)
        case _:
            return itemgetter(*places)


def _only(mapping: ColumnMapping, columns: Sequence[tuple[int, str]]) -> ColumnMapping:
    """`mapping` for rows that have these columns alone."""
    null: Mapping[int, frozenset[str]] = {
        place: mapping.null[old] for place, (old, _name) in enumerate(columns) if old in mapping.null
    }
    return replace(
        mapping,
        header=tuple(mapping.header[place] for place, _name in columns),
        columns=tuple((place, name) for place, (_old, name) in enumerate(columns)),
        null=null,
        template_address=(),
    )
