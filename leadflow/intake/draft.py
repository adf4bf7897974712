"""The row of one lead while a source tells of it: what is told is merged in, and what changed can be read off."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any

from leadflow.conditions.vocabulary import FieldSpec, FieldType
from leadflow.conditions.words import fold, fold_words
from leadflow.intake.addresses import Address
from leadflow.intake.companies import account_key
from leadflow.intake.person import Agreement, Person
from leadflow.types import Basis, Purpose

Key = tuple[str, str]

#: First told, first kept: where somebody was first met does not change.
_FIRST_WINS = frozenset({"source", "informed_on"})
#: A basis is replaced by a stronger one only.
_STRENGTH = {None: 0, Basis.LEGITIMATE_INTEREST: 1, Basis.CUSTOMER: 2, Basis.CONSENT: 3}
#: Columns whose past can be asked for; declared fields have one too.
_HISTORY = (
    *("first_name", "last_name", "phone", "language", "country", "zone", "email_domain", "email_is_free"),
    *("audience", "basis", "source", "informed_on", "no_mail", "account_id", "address_id"),
)
_EMPTY: Mapping[str, Any] = {
    **dict.fromkeys(_HISTORY),
    "email_is_free": False,
    "audience": "b2b",
    "no_mail": False,
    "deal_state": None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Who tells, when, and what holds for everybody they tell of."""

    fields: Mapping[str, FieldSpec]
    source: str
    now: datetime
    #: ISO date of the office, for provenance.
    on: str
    #: Columns filled in where nothing is known; `no_mail` for new people alone.
    defaults: Mapping[str, Any]
    #: Provenance of what they tell.
    origin: Mapping[str, str] = field(init=False)
    #: Declared fields that are compared without letter case.
    texts: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "origin", {"source": self.source, "on": self.on})
        texts = frozenset(name for name, spec in self.fields.items() if spec.type is FieldType.TEXT)
        object.__setattr__(self, "texts", texts)


@lru_cache(maxsize=4_096)
def _folded(text: str) -> tuple[str, str]:
    return fold(text), fold_words(text)


@dataclass(slots=True)
class Draft:
    """One lead of a batch."""

    #: As stored; None for somebody new.
    before: Mapping[str, Any] | None
    row: dict[str, Any]
    #: Identity → id; 0 until one is reserved.
    identities: dict[Key, int]
    #: Identities of somebody not known so far that are now this lead's.
    claimed: list[int] = field(default_factory=list)
    #: Identities to write.
    added: list[Key] = field(default_factory=list)
    agreements: list[Agreement] = field(default_factory=list)
    #: Who told last.
    told_by: str = ""
    address: Address | None = None
    company: str | None = None
    account_key: str | None = None

    @classmethod
    def new(cls, telling: Telling) -> "Draft":
        """Somebody nobody told of before."""
        row = {**_EMPTY, "id": 0, "attributes": {}, "folded": {}, "provenance": {}}
        row["first_seen_at"] = row["created_at"] = row["updated_at"] = telling.now
        return cls(before=None, row=row, identities={})

    @classmethod
    def of(cls, row: Mapping[str, Any], key: str | None) -> "Draft":
        """A lead as stored, and the key of its company."""
        return cls(before=row, row=dict(row), identities={}, account_key=key)

    def tell(self, person: Person, telling: Telling) -> None:
        """Merge in what `person` says: a field not named stays as it is."""
        self.told_by = person.told_by or telling.source
        for name, value in person.columns.items():
            self._tell_column(name, value)
        self._fill({**telling.defaults, **person.defaults} if person.defaults else telling.defaults)
        origin = telling.origin if self.told_by == telling.source else {"source": self.told_by, "on": telling.on}
        for name, value in person.attributes.items():
            self._tell_attribute(name, value, person.nulls.get(name), origin, telling)
        if person.address and self.row["address_id"] is None and self.address is None:
            self.address = person.address
            self.row["email_domain"] = person.address.domain
            self.row["email_is_free"] = person.address.is_free
        first_seen = person.first_seen_at
        if first_seen and (self.before is None or first_seen < self.row["first_seen_at"]):
            self.row["first_seen_at"] = first_seen
        self.agreements += person.agreements
        self._tell_account()

    def _fill(self, defaults: Mapping[str, Any]) -> None:
        for name, value in defaults.items():
            if self.row[name] is None or (name == "no_mail" and self.before is None):
                self.row[name] = value

    def _tell_column(self, name: str, value: Any) -> None:
        if name == "company":
            self.company = value or self.company
        elif name == "basis":
            if _STRENGTH[value] > _STRENGTH[self.row["basis"]]:
                self.row["basis"] = value
        elif name not in _FIRST_WINS or self.row[name] is None:
            self.row[name] = value

    def _tell_attribute(
        self, name: str, value: Any, null: str | None, origin: Mapping[str, str], telling: Telling
    ) -> None:
        known = self.row["provenance"].get(name)
        if self.row["attributes"].get(name) == value and (known.get("null") if known else None) == null:
            return
        self._put("provenance", name, {**origin, "null": null} if null else origin)
        self._put("attributes", name, value)
        if name in telling.texts:
            folded, words = (None, None) if value is None else _folded(str(value))
            self._put("folded", name, folded)
            self._put("folded", f"{name}#words", words)

    def _put(self, column: str, name: str, value: Any) -> None:
        """Set `name` in a JSON column of the row, or take it out; what is stored stays as it is."""
        values = self.row[column]
        if self.before is not None and values is self.before[column]:
            values = self.row[column] = dict(values)
        if value is None:
            values.pop(name, None)
        else:
            values[name] = value

    def _tell_account(self) -> None:
        if self.account_key is None or self.account_key.startswith("name:"):
            self.account_key = account_key(self.address, self.company) or self.account_key

    def changes(self) -> Iterator[tuple[str, Any, Any]]:
        """(field, before, after) of everything that differs from what is stored."""
        if self.before is None:
            return
        for name in _HISTORY:
            if self.before[name] != self.row[name]:
                yield name, self.before[name], self.row[name]
        old, new = self.before["attributes"], self.row["attributes"]
        if old is not new:
            for name in sorted({*old, *new}):
                if old.get(name) != new.get(name):
                    yield name, old.get(name), new.get(name)

    @property
    def is_changed(self) -> bool:
        """Whether the stored row is to be written again."""
        return self.before is not None and self.before != self.row

    def agreed(self) -> Iterator[Agreement]:
        """What goes into the ledger: what was told, and a basis that is consent for the first time."""
        yield from self.agreements
        was = self.before["basis"] if self.before else None
        told = any(one.purpose == Purpose.NURTURE for one in self.agreements)
        if self.row["basis"] == Basis.CONSENT and was != Basis.CONSENT and not told:
            yield Agreement(purpose=str(Purpose.NURTURE), given=True, at=self._informed_at())

    def _informed_at(self) -> datetime | None:
        # A file tells the day people were informed; nothing nearer to the moment they agreed is known.
        day = self.row["informed_on"]
        return datetime.combine(date.fromisoformat(day), time(), UTC) if day else None
