"""Dates, money, counts and agreement as French and English write them, with spaces that do not break."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from jinja2 import Undefined, pass_context
from jinja2.runtime import Context

#: How `date` may be asked to write.
STYLES = ("long", "short", "month")

_HARD, _THIN, _MINUS = "\u00a0", "\u202f", "\u2212"
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(T.*)?")
_MONTHS = {
    "fr": (
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ),
    "en": (
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
}
_DAYS = {
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£"}
_WOMEN = frozenset(
    (
        "f",
        "female",
        "femme",
        "féminin",
        "feminin",
        "madame",
        "mademoiselle",
        "miss",
        "mlle",
        "mme",
        "mrs",
        "ms",
        "woman",
    )
)
_MEN = frozenset(("h", "homme", "m", "male", "man", "masculin", "mister", "monsieur", "mr"))


@pass_context
def date(context: Context, value: object, style: str = "") -> str:
    """`{{ lead.deadline | date("long") }}`: mardi 1er décembre 2026; what is no date stays as it is."""
    text = _shown(value)
    if not _ISO.fullmatch(text):
        return text
    day, language = datetime.fromisoformat(text), _language(context)
    if language not in _MONTHS:
        return f"{day:%Y-%m}" if style == "month" else f"{day:%Y-%m-%d}"
    month = _MONTHS[language][day.month - 1]
    if style == "short":
        return f"{day:%d/%m/%Y}" if language == "fr" else f"{day.day}{_HARD}{month[:3]}{_HARD}{day.year}"
    if style == "month":
        return f"{month}{_HARD}{day.year}"
    number = "1er" if language == "fr" and day.day == 1 else str(day.day)
    written = f"{number}{_HARD}{month}{_HARD}{day.year}"
    return f"{_DAYS[language][day.weekday()]} {written}" if style == "long" else written


@pass_context
def money(context: Context, value: object, currency: str = "EUR") -> str:
    """`{{ 1200 | money }}`: 1 200 € in French, €1,200 in English; cents only where there are some."""
    amount = _number(value)
    if amount is None:
        return _shown(value)
    language, sign = _language(context), _SIGNS.get(currency, currency)
    digits = _digits(amount, language, cents=amount != int(amount))
    if language == "en":
        minus, digits = (digits[:1], digits[1:]) if digits.startswith(_MINUS) else ("", digits)
        return f"{minus}{sign}{'' if currency in _SIGNS else _HARD}{digits}"
    return f"{digits}{_HARD}{sign}"


@pass_context
def plural(context: Context, value: object, one: str, many: str) -> str:
    """`{{ lead.employees | plural("person", "people") }}`: 1 person, 12 people; in French 0 and 1 are singular."""
    count = _number(value)
    if count is None:
        return _shown(value)
    language = _language(context)
    singular = abs(count) < 2 if language == "fr" else abs(count) == 1
    return f"{_digits(count, language, cents=False)}{_HARD}{one if singular else many}"


def gender(value: object, *, woman: str, man: str, other: str) -> str:
    """`{{ lead.civility | gender(woman="prête", man="prêt", other="prêt·e") }}`: `other` where nobody knows."""
    word = "" if isinstance(value, Undefined) else str(value).strip(" .").casefold()
    return woman if word in _WOMEN else man if word in _MEN else other


#: Name → what it does.
FILTERS: Mapping[str, Callable[..., Any]] = {"date": date, "money": money, "plural": plural, "gender": gender}


def _language(context: Context) -> str:
    return str(context.get("language", ""))[:2]


def _shown(value: object) -> str:
    """A missing value is an error here; a default may be words."""
    if isinstance(value, str | Undefined):
        return str(value)
    raise TypeError("this filter does not write such a value")


def _number(value: object) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _digits(number: int | float, language: str, *, cents: bool) -> str:
    whole = f"{abs(number):,.2f}" if cents or number != int(number) else f"{abs(int(number)):,}"
    if not cents and "." in whole:
        whole = whole.rstrip("0")
    if language != "en":
        whole = whole.replace(",", _THIN).replace(".", ",")
    return (_MINUS if number < 0 else "") + whole
