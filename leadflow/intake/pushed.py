"""What programs push in by the API, item by item: what can be taken in is told from what is wrong, and why."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from leadflow.errors import LeadflowError
from leadflow.intake.acts import Act, ActError, ActReader, agreements_of, plain_text, read_object
from leadflow.intake.deal_rows import NewDeal
from leadflow.intake.deals import DEAL_FIELDS, DealReader
from leadflow.intake.fields import FieldError, read_instant
from leadflow.intake.person import PersonReader
from leadflow.playbook.model import Playbook
from leadflow.reading import did_you_mean
from leadflow.text import _

#: Told of a lead beside their fields.
_BESIDE = ("fields", "consent", "source_of", "at", "wording_hash", "wording_version", "page", "ip", "user_agent")
#: Nothing here is deeper; what is, nobody means well by.
DEEPEST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """An item that was not taken in."""

    #: Its place in the list, from 0.
    item: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """Items told apart."""

    #: As they are stored.
    good: tuple[bytes, ...]
    wrong: tuple[Wrong, ...]
    #: What the good ones tell of: the word of an act, or None.
    kinds: frozenset[str | None] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class PushReader:
    """Reads what is pushed in the words of a playbook: at the door, to answer, and in capture, to take it in."""

    playbook: Playbook
    acts: ActReader

    @classmethod
    def of(cls, playbook: Playbook) -> "PushReader":
        """A reader of items in the zone of the office."""
        people = PersonReader(fields=playbook.fields, zone=ZoneInfo(playbook.office.zone))
        return cls(playbook=playbook, acts=ActReader(playbook=playbook, people=people))

    def event(self, body: bytes, received_at: datetime) -> Act:
        """An act of somebody."""
        return self.acts.read(body, received_at)

    def lead(self, body: bytes, received_at: datetime) -> Act:
        """A person, known by an address or another system's id: `{"email": …, "first_name": …, "fields": {…}}`."""
        told = read_object(body)
        try:
            return self._lead(told, received_at)
        except FieldError as error:
            raise ActError(str(error)) from None

    def _lead(self, told: Mapping[str, Any], received_at: datetime) -> Act:
        people, nested = self.acts.people, told.get("fields") or {}
        if not isinstance(nested, dict):
            raise ActError(_('"fields" must be an object: field → answer'))
        flat = {name: value for name, value in told.items() if name not in _BESIDE}
        said: dict[str, str] = {}
        for name, value in {**flat, **nested}.items():
            if name not in people.known:
                words = _('"{name}" is not known here.').format(name=name)
                raise ActError(words + did_you_mean(name, (*people.known, *_BESIDE)))
            if (text := plain_text(name, value)) is not None:
                said[name] = text
        if not {"email", "external_id"} & said.keys():
            raise ActError(_('who? "email" or "external_id" is missing'))
        at = read_instant(str(told["at"]), zone=people.zone) if told.get("at") else received_at
        person = people.read(said, agreements=agreements_of(told, at))
        return Act(external_id="", kind=None, occurred_at=at, person=person, touch=self.acts.came_from(told))

    def deal(self, body: bytes, received_at: datetime) -> NewDeal:
        """A deal of somebody known: `{"email": …, "deal_id": …, "state": "won", "amount": 4200, "date": …}`."""
        told = read_object(body)
        unknown = next((name for name in told if name not in DEAL_FIELDS), None)
        if unknown is not None:
            words = _('"{name}" is not known here.').format(name=unknown)
            raise ActError(words + did_you_mean(unknown, DEAL_FIELDS))
        said = {name: text for name, value in told.items() if (text := plain_text(name, value)) is not None}
        reader = DealReader(zone=ZoneInfo(self.playbook.office.zone), date_formats={}, now=received_at)
        return reader.read(said, {})


def sort_items(items: Sequence[Any], read: Callable[[bytes, datetime], Act | NewDeal], now: datetime) -> Sorted:
    """`items` as `read` finds them."""
    good: list[bytes] = []
    wrong: list[Wrong] = []
    kinds: set[str | None] = set()
    for place, item in enumerate(items):
        try:
            body = json.dumps(item, ensure_ascii=False).encode()
            told = read(body, now)
        except LeadflowError as error:
            wrong.append(Wrong(item=place, error=str(error)))
            continue
        good.append(body)
        kinds.add(told.kind if isinstance(told, Act) else None)
    return Sorted(good=tuple(good), wrong=tuple(wrong), kinds=frozenset(kinds))


def is_deep(value: Any, left: int = DEEPEST) -> bool:
    """Whether lists and objects stand in each other more often than anything here has them."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if not isinstance(value, list):
        return False
    return not left or any(is_deep(inner, left - 1) for inner in value)
