"""One line of JSON tells of an act or a form: `{"event": "page_viewed", "email": …, "path": "/tarifs", "at": …}`."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from typing import Any

from leadflow.conditions.vocabulary import EventSpec
from leadflow.errors import LeadflowError
from leadflow.intake.fields import FieldError, clean_text, read_instant, read_language
from leadflow.intake.networks import network_of
from leadflow.intake.person import Agreement, Person, PersonReader
from leadflow.intake.sources import Source, source_of
from leadflow.playbook.model import Playbook
from leadflow.reading import did_you_mean
from leadflow.text import _
from leadflow.types import Basis, Purpose

#: Keys of an act that are no details of it.
_OWN = frozenset(
    (
        *("event", "form", "email", "visitor", "external_id", "at", "id", "fields", "properties", "consent", "source"),
        # What a form tells besides: whether a mail asks again, its language, where the visitor came from.
        *("double_opt_in", "language", "source_of", "click"),
    )
)
_PROOF = frozenset(("wording_hash", "wording_version", "page", "ip", "user_agent", "basis", "double_opt_in"))
_PURPOSES = (*Purpose, "open_tracking", "click_tracking", "profiling")
_LARGEST = 65_536
#: Both stand in indexes, which hold no more than some 2,700 bytes.
_LONGEST_PATH = 500
_LONGEST_ID = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What somebody did, and what they said of themselves with it."""

    #: Its sender's own id, else the fingerprint of its bytes: told twice, it counts once.
    external_id: str
    #: None: only something of the person is told.
    kind: str | None
    occurred_at: datetime
    person: Person
    path: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    #: Where the visit came from, when it began with this.
    touch: Source | None = None
    #: A signed word that says in whose mail the link was that led here.
    click: str | None = None


class ActError(LeadflowError):
    """This line tells of no act."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActReader:
    """Reads acts in the words of a playbook."""

    playbook: Playbook
    people: PersonReader

    def read(self, body: bytes, received_at: datetime, *, form: bool = False) -> Act:
        """The act in `body`; ActError says in words what is wrong. A form without an event is `form_submitted`."""
        told = read_object(body)
        try:
            return self._act(told, body, received_at, form=form)
        except FieldError as error:
            raise ActError(str(error)) from None

    def _act(self, told: dict[str, Any], body: bytes, received_at: datetime, *, form: bool) -> Act:
        kind = _word(told, "event") or ("form_submitted" if form else None)
        if kind is None:
            raise ActError(_('"event" is missing: what happened?'))
        spec = self.playbook.vocabulary.events.get(kind)
        if spec is None:
            words = _('event "{kind}" is not known.').format(kind=kind)
            raise ActError(words + did_you_mean(kind, self.playbook.vocabulary.events))
        when = _word(told, "at")
        at = None if when is None else _instant(when, self.people.zone)
        answers = self._answers(told, spec)
        path, properties = _details(told, spec, answers)
        person = self._person(told, at, answers)
        if form or kind == "form_submitted":
            day = received_at.astimezone(self.people.zone).date().isoformat()
            person = replace(person, told_by="form", defaults=_grounds(told, person, day) if form else {})
        return Act(
            external_id=_id(_word(told, "id"), body),
            kind=kind,
            occurred_at=at or received_at,
            person=person,
            path=path,
            properties=properties,
            touch=self.came_from(told),
            click=_word(told, "click"),
        )

    def came_from(self, told: Mapping[str, Any]) -> Source | None:
        """Where the visit came from, as `source_of` tells; None when it says nothing, or the site itself."""
        return source_of(told.get("source_of"), own=self.playbook.brand.site)

    def _answers(self, told: dict[str, Any], spec: EventSpec) -> dict[str, Any]:
        """What people said of themselves: under `fields`, or a declared field that is no detail of the act."""
        answers = told.get("fields") or {}
        if not isinstance(answers, dict):
            raise ActError(_('"fields" must be an object: field → answer'))
        plain = {name: told[name] for name in told if name in self.people.fields and name not in spec.properties}
        return {**plain, **answers}

    def _person(self, told: dict[str, Any], at: datetime | None, answers: Mapping[str, Any]) -> Person:
        said = {name: text for name in ("email", "visitor", "external_id") if (text := _word(told, name))}
        if not said:
            raise ActError(_('who? "email", "visitor" or "external_id" is missing'))
        for name, value in answers.items():
            if name not in self.people.known:
                words = _('field "{name}" is not known.').format(name=name)
                raise ActError(words + did_you_mean(name, self.people.known))
            if text := plain_text(name, value):
                said[name] = text
        return self.people.read(said, agreements=agreements_of(told, at))


def read_object(body: bytes) -> dict[str, Any]:
    """The object in a line of JSON, strictly: no NaN, no name twice; ActError says what is wrong."""
    if len(body) > _LARGEST:
        raise ActError(_("the line is longer than 64 kB"))
    try:
        told = json.loads(body.strip().decode("utf-8"), parse_constant=_no_number, object_pairs_hook=_once)
    except UnicodeDecodeError as error:
        raise ActError(_("byte {n} is not UTF-8").format(n=error.start + 1)) from None
    except json.JSONDecodeError as error:
        raise ActError(_("column {n}: this is no JSON").format(n=error.colno)) from None
    except RecursionError:
        raise ActError(_("the line is nested too deeply")) from None
    if not isinstance(told, dict):
        raise ActError(_("an act is a JSON object, in braces"))
    return told


def _no_number(name: str) -> float:
    raise ActError(_("{name} is no number").format(name=name))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) != len(pairs):
        raise ActError(_("a name stands twice in one object"))
    return told


def _id(told: str | None, body: bytes) -> str:
    """The sender's id, else the fingerprint of the line; a very long id is known by its fingerprint."""
    if told and len(told) <= _LONGEST_ID:
        return told
    return hashlib.sha256(told.encode() if told else body.strip()).hexdigest()


def _word(told: Mapping[str, Any], name: str) -> str | None:
    value = told.get(name)
    return plain_text(name, value) if value is not None else None


def plain_text(name: str, value: Any) -> str | None:
    """A value as text, as a file would have it; None when it says nothing."""
    match value:
        case None | "":
            return None
        case bool():
            return "true" if value else "false"
        case int() | float() if math.isfinite(value):
            return str(value)
        case str():
            return _cleaned(name, value) if name != "email" else value
        case _:
            raise FieldError(f"{name}: " + _("a text, a number, true or false is expected"))


def _cleaned(name: str, text: str) -> str:
    try:
        return clean_text(text)
    except FieldError as error:
        raise FieldError(f"{name}: {error}") from None


def _instant(text: str, zone: tzinfo) -> datetime:
    try:
        return read_instant(text, zone=zone)
    except FieldError:
        raise ActError(_('"at": "{text}" is not an instant such as 2026-03-20T10:00:00Z').format(text=text)) from None


def _details(told: Mapping[str, Any], spec: EventSpec, answers: Mapping[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """The path of an act and its other declared details."""
    nested = told.get("properties") or {}
    if not isinstance(nested, dict):
        raise ActError(_('"properties" must be an object: detail → value'))
    flat = {name: value for name, value in told.items() if name not in _OWN | _PROOF and name not in answers}
    if "form" in told and "form" in spec.properties:
        flat["form"] = told["form"]
    details: dict[str, Any] = {}
    for name, value in {**flat, **nested}.items():
        if name != "path" and name not in spec.properties:
            words = _('"{name}" is no detail of {event}.').format(name=name, event=spec.name)
            raise ActError(words + did_you_mean(name, ("path", *spec.properties)))
        if (text := plain_text(name, value)) is not None:
            details[name] = value if isinstance(value, bool | int | float) else text
    path = details.pop("path", None)
    if len(str(path)) > _LONGEST_PATH:
        raise ActError(_("path: is longer than {n} characters").format(n=_LONGEST_PATH))
    return (None if path is None else str(path)), details


def agreements_of(told: Mapping[str, Any], at: datetime | None) -> tuple[Agreement, ...]:
    """What was agreed to or withdrawn, with what proves it."""
    given = told.get("consent") or {}
    if isinstance(given, list):
        given = dict.fromkeys(given, True)
    if not isinstance(given, dict):
        raise ActError(_('"consent" must be a list of purposes, or purpose → true or false'))
    unknown = next((purpose for purpose in given if purpose not in _PURPOSES), None)
    if unknown is not None:
        words = _('"{purpose}" is no purpose of consent.').format(purpose=unknown)
        raise ActError(words + did_you_mean(str(unknown), [str(purpose) for purpose in _PURPOSES]))
    return tuple(
        Agreement(
            purpose=str(purpose),
            given=state is True,
            asked=told.get("double_opt_in") is True,
            at=at,
            wording_hash=_word(told, "wording_hash"),
            wording_version=_word(told, "wording_version"),
            page=_word(told, "page"),
            ip=network_of(_word(told, "ip")),
            user_agent=_word(told, "user_agent"),
        )
        for purpose, state in given.items()
    )


def _grounds(told: Mapping[str, Any], person: Person, day: str) -> dict[str, str]:
    """Who fills in a form gives the data themselves: they know the source, and learn on that page what it is for.

    With double opt-in nobody knows yet who filled it in: there is no basis to write on before they confirm.
    """
    ground = {"source": _word(told, "source") or _word(told, "form") or "form", "informed_on": day}
    if spoken := _word(told, "language"):
        ground["language"] = read_language(spoken)
    if any(one.asked and one.given for one in person.agreements):
        return ground
    agreed = any(one.purpose == Purpose.NURTURE and one.given for one in person.agreements)
    return {"basis": str(Basis.CONSENT if agreed else Basis.LEGITIMATE_INTEREST)} | ground
