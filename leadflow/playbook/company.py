"""`leadflow.yaml`, first half: brand, office, senders, and the words (`fields`, `events`) other files may use."""

import re
import zoneinfo
from collections.abc import Mapping

from email_validator import EmailNotValidError, validate_email
from holidays.registry import EntityLoader

from leadflow.conditions.vocabulary import EventSpec, FieldSpec, FieldType
from leadflow.playbook.look import look_of
from leadflow.playbook.model import Brand, Office, Sender
from leadflow.playbook.vocabulary import BUILTIN_EVENTS, OPENED, builtin_fields
from leadflow.reading import Node, countries, country_codes, did_you_mean, nearest
from leadflow.text import _

_LANGUAGE = re.compile(r"[a-z]{2}(-[A-Z]{2})?")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,47}")
#: Fields whose names do not depend on the playbook.
_TAKEN = frozenset(builtin_fields(stages=(), criteria=(), segments=()))


def brand_of(node: Node) -> Brand:
    """`brand: {name, site, postal_address, languages, colors, font}`."""
    node.only("name", "site", "postal_address", "languages", "colors", "font")
    site = node.part("site", needed=True)
    if site.raw and not re.fullmatch(r"https?://[^\s/?#]+[^\s?#]*", site.raw):
        site.fault(_("expected an address such as https://www.example.com"))
    languages = node.part("languages", needed=True)
    for element in languages.elements():
        if not _LANGUAGE.fullmatch(element.raw):
            element.fault(_('"{word}" is no language: write fr, en, de').format(word=element.raw))
    return Brand(
        name=node.part("name", needed=True).text() or "",
        site=(site.text() or "").rstrip("/"),
        postal_address=node.part("postal_address", needed=True).text() or "",
        languages=tuple(dict.fromkeys(languages.texts())) or ("en",),
        look=look_of(node),
    )


def office_of(node: Node) -> Office:
    """`office: {zone: Europe/Paris, country: FR}`."""
    node.only("zone", "country")
    zone, country = node.part("zone", needed=True), node.part("country", needed=True)
    if zone.raw and not _is_zone(zone.raw):
        near = did_you_mean(zone.raw, zoneinfo.available_timezones())
        zone.fault(_('"{word}" is no time zone.').format(word=zone.raw) + near)
    if country.raw and not _is_country(country.raw):
        wrong = _('"{word}" is no country code such as FR.').format(word=country.raw)
        country.fault(wrong + _near_country(country.raw))
    return Office(zone=zone.text() or "UTC", country=country.text() or "")


def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return False
    return True


def _is_country(code: str) -> bool:
    # To ask for its holidays would read those of all countries, at every start of a process.
    return code in country_codes() and code in EntityLoader.get_country_codes()


def _near_country(word: str) -> str:
    """` Did you mean FR?` for France, FRA or fr."""
    name = nearest(word, countries())
    return did_you_mean(countries()[name], country_codes()) if name else did_you_mean(word, country_codes())


def senders_of(node: Node, languages: tuple[str, ...]) -> Mapping[str, Sender]:
    """`sender: {fr: {name, address, reply_to}, …}`, one a language of the brand."""
    node.only(*languages)
    return {language: _sender(node.part(language, needed=True)) for language in languages}


def _sender(node: Node) -> Sender:
    node.only("name", "address", "reply_to")
    return Sender(
        name=node.part("name", needed=True).text() or "",
        address=_address(node.part("address", needed=True)),
        reply_to=_address(node.part("reply_to", needed=True)),
    )


def _address(node: Node) -> str:
    raw = node.text()
    if raw is None:
        return ""
    try:
        # test_environment lets .test pass, one of the reserved names examples are written with.
        return validate_email(raw, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        node.fault(_("this is no email address"))
        return raw


def fields_of(node: Node) -> Mapping[str, FieldSpec]:
    """`fields: {employees: {type: integer}, …}`."""
    return {name.raw: _field(name, spec) for name, spec in node.items()}


def _field(name: Node, node: Node) -> FieldSpec:
    _check_word(name)
    if name.raw in _TAKEN:
        name.fault(_("{name} is built in and cannot be declared again").format(name=name.raw))
    node.only("type", "choices", "label", "question")
    kind = FieldType(node.part("type", needed=True).choice([*FieldType]) or FieldType.TEXT)
    choices = node.part("choices")
    # `choices: {new_site: {fr: Un nouveau site, en: A new site}}` gives each the words of forms.
    named = choices.items() if choices.is_mapping else []
    if kind is FieldType.CHOICE and not (named or choices.elements()):
        name.fault(_("{name} is a choice: list its choices").format(name=name.raw))
    if kind is not FieldType.CHOICE and not choices.absent:
        node.key("choices").fault(_("only a field of type choice has choices"))
    return FieldSpec(
        name=name.raw,
        type=kind,
        choices=tuple(dict.fromkeys(choices.keys() if choices.is_mapping else choices.texts())),
        label=node.part("label").localised(),
        question=node.part("question").localised(),
        words={key.raw: value.localised() for key, value in named},
    )


def events_of(node: Node) -> Mapping[str, EventSpec]:
    """`events: {webinar_attended: {label: {…}, where: [topic]}}`: adds acts, or details of built-in ones."""
    return {name.raw: _event(name, spec) for name, spec in node.items()}


def _event(name: Node, node: Node) -> EventSpec:
    _check_word(name)
    if name.raw == OPENED:
        name.fault(_("opens are not tracked: machines open mails too"))
    node.only("label", "where")
    builtin = BUILTIN_EVENTS.get(name.raw, EventSpec(name=name.raw))
    for element in node.part("where").elements():
        _check_word(element)
    return EventSpec(
        name=name.raw,
        properties=tuple(dict.fromkeys([*builtin.properties, *node.part("where").texts()])),
        label={**builtin.label, **node.part("label").localised()},
    )


def _check_word(node: Node) -> None:
    if not _WORD.fullmatch(node.raw):
        node.fault(_('"{word}" cannot be a name: small letters, digits and _ only').format(word=node.raw))
