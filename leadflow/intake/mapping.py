"""`--map email=Email`: which column of a file fills which field, and how its words are read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from string import Formatter

from leadflow.conditions.vocabulary import FieldSpec
from leadflow.errors import UsageError
from leadflow.intake.csvfile import CsvFile, Record
from leadflow.intake.fields import FieldError
from leadflow.intake.person import BUILTIN_FIELDS
from leadflow.reading import did_you_mean
from leadflow.text import _

#: What people call the columns of an address book; the fields' own labels are known from the playbook.
_ALIASES: Mapping[str, str] = {
    **dict.fromkeys(("e_mail", "mail", "email_address", "adresse_email", "adresse_e_mail", "courriel"), "email"),
    **dict.fromkeys(("firstname", "given_name", "prénom", "prenom"), "first_name"),
    **dict.fromkeys(("lastname", "surname", "family_name", "nom", "nom_de_famille"), "last_name"),
    **dict.fromkeys(("phone_number", "telephone", "téléphone", "tel", "mobile"), "phone"),
    **dict.fromkeys(("company_name", "organisation", "organization", "entreprise", "société", "societe"), "company"),
    **dict.fromkeys(("pays", "country_code"), "country"),
    **dict.fromkeys(("langue", "lang"), "language"),
    **dict.fromkeys(("timezone", "time_zone", "fuseau_horaire"), "zone"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a person typed after the file's name, or wrote in a mapping file."""

    #: Field → column.
    map: Mapping[str, str] = field(default_factory=dict)
    #: Field → value for every row.
    constant: Mapping[str, str] = field(default_factory=dict)
    #: Column → words that stand for a missing value.
    null: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: Column → strptime format.
    date_format: Mapping[str, str] = field(default_factory=dict)
    #: `{mql_id}@example.com`: makes addresses from columns.
    template_address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMapping:
    """Which cell fills which field."""

    #: Names of the header.
    header: tuple[str, ...]
    #: (place in the row, field).
    columns: tuple[tuple[int, str], ...]
    constant: Mapping[str, str]
    #: Place in the row → folded words that stand for a missing value.
    null: Mapping[int, frozenset[str]]
    #: Field → strptime format.
    date_formats: Mapping[str, str]
    #: Text before a column, and the column's place; made into an address.
    template_address: tuple[tuple[str, int | None], ...] = ()

    @property
    def fields(self) -> frozenset[str]:
        """Every field that gets a value from somewhere."""
        made = {"email"} if self.template_address else set()
        return frozenset({name for _place, name in self.columns} | set(self.constant) | made)

    @property
    def unused(self) -> tuple[str, ...]:
        """Columns that fill nothing."""
        used = {place for place, _name in self.columns} | {place for _text, place in self.template_address}
        return tuple(name for place, name in enumerate(self.header) if place not in used and name)

    def said(self, record: Record) -> tuple[dict[str, str], dict[str, str]]:
        """(field → text, field → null word) of a row; FieldError for a row that is none."""
        if record.fault:
            raise FieldError(record.fault)
        cells = record.cells
        if len(cells) != len(self.header):
            words = _("the row has {n} cells and the header has {columns}")
            raise FieldError(words.format(n=len(cells), columns=len(self.header)))
        said = dict(self.constant)
        nulls: dict[str, str] = {}
        for place, name in self.columns:
            text = cells[place].strip(" \t")
            if not text:
                continue
            if place in self.null and text.casefold() in self.null[place]:
                nulls[name] = text
            else:
                said[name] = text
        if self.template_address and "email" not in said:
            address = self._made_address(cells)
            if address:
                said["email"] = address
        return said, nulls

    def _made_address(self, cells: Sequence[str]) -> str | None:
        made = ""
        for text, place in self.template_address:
            value = "" if place is None else cells[place].strip()
            if place is not None and not value:
                return None
            made += text + value
        return made


def map_columns(
    file: CsvFile, wishes: Wishes, fields: Mapping[str, FieldSpec], *, builtin: Iterable[str] = BUILTIN_FIELDS
) -> ColumnMapping:
    """The mapping `wishes` asks for; columns not spoken of are matched by name, label or a usual other name.

    UsageError for a field or column that does not exist, with the nearest one.
    """
    places = {name: place for place, name in enumerate(file.header) if name}
    known = (*builtin, *fields)
    for name in (*wishes.map, *wishes.constant):
        _must_know(name, known, places)
    chosen = {name: _place(column, places) for name, column in wishes.map.items()}
    for name, place in _matched_by_name(file.header, fields, known).items():
        if place not in chosen.values():
            chosen.setdefault(name, place)
    columns = tuple(sorted((place, name) for name, place in chosen.items() if name not in wishes.constant))
    return ColumnMapping(
        header=file.header,
        columns=columns,
        constant=wishes.constant,
        null={
            _place_or_field(column, places, chosen): frozenset(word.casefold() for word in words)
            for column, words in wishes.null.items()
        },
        date_formats=_date_formats(wishes, places, columns),
        template_address=_template(wishes.template_address, places),
    )


def _must_know(name: str, known: Sequence[str], places: Mapping[str, int]) -> None:
    if name in known:
        return
    words = _('"{name}" is no field.').format(name=name) + did_you_mean(name, known)
    if name in places:
        words += " " + _("(Write the field first: --map FIELD={column})").format(column=f'"{name}"')
    raise UsageError(words)


def _place(column: str, places: Mapping[str, int]) -> int:
    if column in places:
        return places[column]
    raise UsageError(_('the file has no column "{name}".').format(name=column) + did_you_mean(column, places))


def _place_or_field(name: str, places: Mapping[str, int], chosen: Mapping[str, int]) -> int:
    return chosen[name] if name in chosen and name not in places else _place(name, places)


def _matched_by_name(header: Sequence[str], fields: Mapping[str, FieldSpec], known: Iterable[str]) -> dict[str, int]:
    names = {_plain(label): name for name, spec in fields.items() for label in spec.label.values()}
    names = {**_ALIASES, **names, **{name: name for name in known}}
    allowed = set(known)
    found: dict[str, int] = {}
    for place, column in enumerate(header):
        name = names.get(_plain(column))
        if name in allowed:
            found.setdefault(name, place)
    return found


def _plain(column: str) -> str:
    return column.strip().casefold().replace("-", "_").replace(" ", "_")


def _date_formats(wishes: Wishes, places: Mapping[str, int], columns: Iterable[tuple[int, str]]) -> Mapping[str, str]:
    chosen = {name: place for place, name in columns}
    by_place = {_place_or_field(column, places, chosen): said for column, said in wishes.date_format.items()}
    for said in by_place.values():
        if "%" not in said:
            raise UsageError(_('"{format}" is no date format; write %d/%m/%Y, say').format(format=said))
    return {name: by_place[place] for name, place in chosen.items() if place in by_place}


def _template(template: str | None, places: Mapping[str, int]) -> tuple[tuple[str, int | None], ...]:
    if template is None:
        return ()
    try:
        parts = list(Formatter().parse(template))
    except ValueError:
        raise UsageError(_('"{template}": write a column between braces').format(template=template)) from None
    return tuple((text, None if column is None else _place(column, places)) for text, column, _spec, _how in parts)
