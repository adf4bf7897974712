"""Writes the rows of a file: people nobody knew go into the tables as they were read, the others are merged in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, repeat
from operator import itemgetter

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from leadflow.db import among, reserve_ids
from leadflow.intake.bulk import Tail, as_json, begin_columns, insert_columns, insert_rows
from leadflow.intake.companies import account_key, find_accounts
from leadflow.intake.draft import Draft, Telling
from leadflow.intake.importing import Read, Taken
from leadflow.intake.people import CONSENT, Change, consent_row, seeds_of, take_turn, upsert_people
from leadflow.intake.person import Agreement, Person
from leadflow.intake.usual import Shared, Told
from leadflow.links import address_hashes
from leadflow.models import consent, identity, lead, lead_score, lead_state
from leadflow.playbook.model import Playbook
from leadflow.types import Lifecycle, micros

#: Columns of a lead that a row fills by itself; what stands in the others is common to many rows.
_OWN = (
    *("id", "seed", "account_id", "address_id", "first_name", "last_name", "phone"),
    *("email_domain", "email_is_free", "first_seen_at"),
)
_JSON = ("attributes", "folded", "provenance")
_AT = ("created_at", "updated_at")
_COMMON = tuple(column.name for column in lead.c if column.name not in (*_OWN, *_JSON, *_AT))
_COLUMNS = (*_OWN, *_COMMON, *_JSON, *_AT)
_common = itemgetter(*_COMMON)
_STATE = ("lead_id", "stage", "stage_since", "lifecycle", "lifecycle_since")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """The common part of new leads, and what they agreed to."""

    tail: Tail
    agreements: tuple[Agreement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What holds for every row of a file of people."""

    playbook: Playbook
    key: str
    telling: Telling
    #: `find_accounts`' memory.
    companies: dict[str, int] = field(default_factory=dict)

    def batch(self, rows: Sequence[Told | Read[Person]]) -> "PeopleBatch":
        """`rows`, no two of which are told of as the same."""
        return PeopleBatch(self, rows)


class PeopleBatch:
    """Rows on their way into the tables: of them becomes what `upsert_people` makes of their people."""

    def __init__(self, about: Import, rows: Sequence[Told | Read[Person]]) -> None:
        self._about, self._rows = about, rows
        self._is_new = [isinstance(row, Told) for row in rows]
        self._new = _Newcomers(about, [row for row in rows if isinstance(row, Told)])
        self._keys: dict[str, list[str]] = {}
        for row in rows:
            for kind, value in keys_of_row(row):
                self._keys.setdefault(kind, []).append(value)

    def look_up(self, session: Session) -> None:
        """Tell those nobody knew from the others, and hand them over."""
        take_turn(session)
        known = self._known(session)
        if known:
            self._is_new = [isinstance(row, Told) and known.isdisjoint(row.keys) for row in self._rows]
            new = [row for row, is_new in zip(self._rows, self._is_new, strict=True) if is_new]
            self._new = _Newcomers(self._about, [row for row in new if isinstance(row, Told)])
        self._new.begin(session)

    def write(self, session: Session) -> Sequence[Taken]:
        """What became of each row, in their order."""
        made = self._new.write(session)
        if len(made) == len(self._rows):
            return made
        others = [row for row, is_new in zip(self._rows, self._is_new, strict=True) if not is_new]
        people = [row.person() if isinstance(row, Told) else row.value for row in others]
        about, telling = self._about, self._about.telling
        merged = upsert_people(
            session,
            about.playbook,
            people,
            key=about.key,
            now=telling.now,
            source=telling.source,
            defaults=telling.defaults,
        )
        first, second = iter(made), (Taken(one.change, one.lead_id, one.notes) for one in merged)
        return [next(first) if is_new else next(second) for is_new in self._is_new]

    def _known(self, session: Session) -> frozenset[tuple[str, str]]:
        """Which identities of the rows somebody has, or is waiting for its owner."""
        asked = [
            and_(identity.c.kind == kind, among(session, identity.c.value, some)) for kind, some in self._keys.items()
        ]
        if not asked:
            return frozenset()
        found = session.execute(select(identity.c.kind, identity.c.value).where(or_(*asked)))
        return frozenset((row.kind, row.value) for row in found)


class _Newcomers:
    """People nobody knew, column by column."""

    def __init__(self, about: Import, rows: Sequence[Told]) -> None:
        self._about, self._rows = about, rows
        since = micros(about.telling.now)
        columns = zip(*rows, strict=True) if rows else [()] * len(Told._fields)
        shared, addresses, _external, _visitor, first, last, phones, companies, seen, notes, keys = columns
        self._made = [one.made or _make(one, about.telling) for one in shared]
        self._accounts = [account_key(address, told) for address, told in zip(addresses, companies, strict=True)]
        self._companies: dict[str, str | None] = {}
        for key, told in zip(self._accounts, companies, strict=True):
            if key:
                self._companies[key] = self._companies.get(key) or told
        self._own = (
            *(first, last, phones),
            [address.domain if address else None for address in addresses],
            [address.is_free if address else False for address in addresses],
            [micros(at) if at else since for at in seen],
        )
        self._has_address = [address is not None for address in addresses]
        self._many, self._notes = [len(some) for some in keys], notes
        self._kinds = [kind for some in keys for kind, _value in some]
        self._values = [value for some in keys for _kind, value in some]
        self._hashes = list(address_hashes(about.key, self._values))

    def begin(self, session: Session) -> None:
        """Give everybody ids and a company, and hand the leads over."""
        if not self._rows:
            return
        about = self._about
        found = find_accounts(session, self._companies, now=about.telling.now, seen=about.companies)
        accounts = [found[key] if key else None for key in self._accounts]
        self._leads = reserve_ids(session, lead.c.id, len(self._rows))
        ids = self._identities = reserve_ids(session, identity.c.id, len(self._values))
        strongest = [ids[end - n] for end, n in zip(accumulate(self._many), self._many, strict=True)]
        self._mailed = [id if has else None for id, has in zip(strongest, self._has_address, strict=True)]
        own = (self._leads, seeds_of(self._leads, about.key), accounts, self._mailed, *self._own)
        self._finish = begin_columns(session, lead, _COLUMNS, own, [one.tail for one in self._made])

    def write(self, session: Session) -> list[Taken]:
        """Six COPYs in all, or as many prepared statements."""
        if not self._rows:
            return []
        self._finish()
        leads, ids, many, mailed = self._leads, self._identities, self._many, self._mailed
        insert_columns(session, lead_score, ("lead_id",), [leads], repeat(Tail()))
        stage, since = self._about.playbook.journey.stages[0].name, micros(self._about.telling.now)
        state = Tail(stage, since, str(Lifecycle.LEAD), since)
        insert_columns(session, lead_state, _STATE, [leads], repeat(state))
        owners = [lead_id for lead_id, n in zip(leads, many, strict=True) for _ in range(n)]
        known_by = (ids, self._kinds, self._values, self._hashes, owners)
        insert_columns(session, identity, ("id", "kind", "value", "hash", "lead_id"), known_by, repeat(Tail()))
        telling = self._about.telling
        agreed = [
            consent_row(lead_id, address_id, one, telling.source, telling.now)
            for lead_id, address_id, made in zip(leads, mailed, self._made, strict=True)
            for one in made.agreements
        ]
        insert_rows(session, consent, CONSENT, agreed)
        return list(map(Taken, repeat(Change.CREATED), leads, self._notes))


def keys_of_row(row: Told | Read[Person]) -> tuple[tuple[str, str], ...]:
    """(kind, value) of every identity of a row, the strongest first."""
    return row.keys if isinstance(row, Told) else row.value.keys


def _make(shared: Shared, telling: Telling) -> _Made:
    """What the long way makes of a new lead of whom only this is told."""
    draft = Draft.new(telling)
    draft.tell(shared.person, telling)
    row, at = draft.row, micros(telling.now)
    tail = Tail(*_common(row), *(as_json(row[name]) for name in _JSON), at, at)
    made = shared.made = _Made(tail=tail, agreements=tuple(draft.agreed()))
    return made
