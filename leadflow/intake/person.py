"""One person as a row, a form or an act tells of them: typed, and telling what was said apart from what was not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import lru_cache

from leadflow.conditions.vocabulary import FieldSpec
from leadflow.errors import LeadflowError
from leadflow.intake.addresses import Address, read_address
from leadflow.intake.fields import (
    READERS,
    FieldError,
    Value,
    clean_text,
    read_day,
    read_instant,
    read_value,
)
from leadflow.intake.phones import read_phone
from leadflow.text import _

#: What makes somebody known again.
KEYS = ("email", "external_id", "visitor")
_NOT_TYPED = frozenset((*KEYS, "phone", "first_seen"))
#: Answers of one field that are remembered: files repeat countries, choices, first names and days.
_REMEMBERED = 4_096
#: Every built-in field that intake may fill.
BUILTIN_FIELDS = (*KEYS, *READERS, "phone", "informed_on", "first_seen")

Reader = Callable[[str], Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A person agreed to a purpose or withdrew, with what proves it."""

    purpose: str
    given: bool
    #: Given once the owner of the address confirms it.
    asked: bool = False
    #: None: when it was told.
    at: datetime | None = None
    wording_hash: str | None = None
    wording_version: str | None = None
    page: str | None = None
    ip: str | None = None
    user_agent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What one source says of one person; a field it does not name is left as it is."""

    address: Address | None = None
    external_id: str | None = None
    visitor: str | None = None
    #: Built-in columns of `lead` and `company`; None where the source says that the value is missing.
    columns: Mapping[str, Value | None] = field(default_factory=dict)
    #: Declared fields; None likewise.
    attributes: Mapping[str, Value | None] = field(default_factory=dict)
    #: Field → the word that stood for a missing value (`Select`).
    nulls: Mapping[str, str] = field(default_factory=dict)
    first_seen_at: datetime | None = None
    agreements: tuple[Agreement, ...] = ()
    #: Columns filled in where nothing is known; `no_mail` for somebody new alone.
    defaults: Mapping[str, Value] = field(default_factory=dict)
    #: Who tells, where it is not who tells of the others.
    told_by: str | None = None
    #: What was kept out, in words; the rest counts.
    notes: tuple[str, ...] = ()

    #: (kind, value) of every identity, the strongest first.
    keys: tuple[tuple[str, str], ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", keys_of(self.address, self.external_id, self.visitor))


def keys_of(address: Address | None, external_id: str | None, visitor: str | None) -> tuple[tuple[str, str], ...]:
    """(kind, value) of every identity, the strongest first."""
    keys = (("email", address.value),) if address is not None else ()
    if external_id:
        keys = (*keys, ("external", external_id))
    return (*keys, ("visitor", visitor)) if visitor else keys


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonReader:
    """Turns texts by field into a Person; FieldError names the field and says what is wrong."""

    fields: Mapping[str, FieldSpec]
    #: Where a date without a zone lies.
    zone: tzinfo
    #: Field → strptime format, where one was declared.
    date_formats: Mapping[str, str] = field(default_factory=dict)
    #: Field → how its text is read; FieldError names the field.
    readers: Mapping[str, Reader] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = (*self.fields, *(name for name in (*READERS, "informed_on") if name not in self.fields))
        object.__setattr__(self, "readers", {name: self._reader(name) for name in names})

    @property
    def known(self) -> tuple[str, ...]:
        """Every field that can be read."""
        return (*BUILTIN_FIELDS, *self.fields)

    def read(
        self,
        said: Mapping[str, str],
        nulls: Mapping[str, str] | None = None,
        agreements: tuple[Agreement, ...] = (),
    ) -> Person:
        """The person of `said` (field → text, empty ones left out); `nulls`: fields said to be missing."""
        columns: dict[str, Value | None] = {}
        attributes: dict[str, Value | None] = {}
        fields, readers = self.fields, self.readers
        for name, text in said.items():
            if name in fields:
                attributes[name] = readers[name](text)
            elif name not in _NOT_TYPED:
                columns[name] = readers[name](text)
        for name in nulls or ():
            if name in fields:
                attributes[name] = None
            elif name in READERS and name not in ("audience", "no_mail"):
                columns[name] = None
        notes = self._phone(said, columns) if "phone" in said else ()
        return Person(
            address=_address(said.get("email")),
            external_id=read_id(said.get("external_id")),
            visitor=read_id(said.get("visitor")),
            columns=columns,
            attributes=attributes,
            nulls=nulls or {},
            first_seen_at=self.first_seen(said.get("first_seen")),
            agreements=agreements,
            notes=notes,
        )

    def _reader(self, name: str) -> Reader:
        spec, date_format = self.fields.get(name), self.date_formats.get(name)

        @lru_cache(maxsize=_REMEMBERED)
        def read(text: str) -> Value:
            try:
                if spec is not None:
                    return read_value(spec, text, date_format=date_format)
                if name == "informed_on":
                    return read_day(text, date_format=date_format).isoformat()
                return READERS[name](text)
            except FieldError as error:
                raise named(name, error) from None

        return read

    def first_seen(self, text: str | None) -> datetime | None:
        """The instant of the first contact."""
        if text is None:
            return None
        try:
            return read_instant(text, zone=self.zone, date_format=self.date_formats.get("first_seen"))
        except FieldError as error:
            raise named("first_seen", error) from None

    def _phone(self, said: Mapping[str, str], columns: dict[str, Value | None]) -> tuple[str, ...]:
        country = columns.get("country")
        try:
            columns["phone"] = read_phone(said["phone"], country if isinstance(country, str) else None)
        except FieldError as error:
            # A wrong number loses no lead: the rest of the row is good.
            return (f"phone: {error}",)
        return ()


def named(name: str, error: FieldError) -> FieldError:
    """`error` as one of the field `name`."""
    return FieldError(f"{name}: " + str(error).replace("COLUMN", name))


def _address(text: str | None) -> Address | None:
    if text is None:
        return None
    try:
        return read_address(text)
    except LeadflowError as error:
        raise FieldError(f"email: {error}") from None


def read_id(text: str | None) -> str | None:
    """An id of another system, cleaned; FieldError for one no index could hold."""
    if text is None:
        return None
    bare = clean_text(text)
    if len(bare) > 200:
        raise FieldError(_("an id is longer than {n} characters").format(n=200))
    return bare or None
