"""Reads a row of people the short way: what rows have in common is read once, what is a row's own each time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any

from leadflow.errors import LeadflowError
from leadflow.intake.addresses import Address, read_address
from leadflow.intake.csvfile import Record
from leadflow.intake.fields import FieldError
from leadflow.intake.mapping import ColumnMapping
from leadflow.intake.person import Person, PersonReader, keys_of, read_id
from leadflow.intake.phones import read_phone
from leadflow.links import address_hash

#: Fields that seldom say the same in two rows.
OWN = ("email", "external_id", "visitor", "first_name", "last_name", "phone", "company", "first_seen")
_NAMES = ("first_name", "last_name", "company")
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


@dataclass(slots=True, kw_only=True, eq=False)
class Told:
    """One row, read the short way."""

    shared: Shared
    address: Address | None = None
    external_id: str | None = None
    visitor: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    phone: str | None = None
    first_seen_at: datetime | None = None
    notes: tuple[str, ...] = ()
    #: (kind, value) of every identity, the strongest first, and the keyed hash of each value.
    keys: tuple[tuple[str, str], ...] = ()
    hashes: tuple[str, ...] = ()

    def person(self) -> Person:
        """The same as the long way tells it."""
        own = {name: value for name in (*_NAMES, "phone") if (value := getattr(self, name)) is not None}
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

    def __init__(self, mapping: ColumnMapping, reader: PersonReader, key: str) -> None:
        own = [(place, name) for place, name in mapping.columns if name in OWN]
        rest = [(place, name) for place, name in mapping.columns if name not in OWN]
        self._width = len(mapping.header)
        self._own, self._reader, self._key = own, reader, key
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

    def read(self, record: Record) -> tuple[Told, Sequence[str]] | None:
        """The row, and the fields whose cells are empty."""
        cells = record.cells
        if record.fault or len(cells) != self._width:
            return None
        shared = self._shared(self._rest(cells))
        if shared is None:
            return None
        try:
            return self._told(cells, shared)
        except LeadflowError:
            return None

    def _told(self, cells: Sequence[str], shared: Shared) -> tuple[Told, Sequence[str]]:
        told, empty = Told(shared=shared), list(shared.empty)
        for place, name in self._own:
            text = cells[place].strip(" \t")
            if not text:
                empty.append(name)
            elif name == "email":
                told.address = read_address(text)
            elif name in _NAMES:
                setattr(told, name, self._reader.readers[name](text))
            elif name == "phone":
                self._tell_phone(told, text)
            elif name == "first_seen":
                told.first_seen_at = self._reader.first_seen(text)
            else:
                setattr(told, name, read_id(text))
        told.keys = keys_of(told.address, told.external_id, told.visitor)
        told.hashes = tuple([address_hash(self._key, value) for _kind, value in told.keys])
        return told, empty

    def _tell_phone(self, told: Told, text: str) -> None:
        try:
            told.phone = read_phone(text, told.shared.country)
        except FieldError as error:
            told.notes = (f"phone: {error}",)

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
