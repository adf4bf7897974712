"""Types what people and files say, field by field; what does not fit its type has a reason in plain words."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, tzinfo
from functools import cache
from zoneinfo import available_timezones

from leadflow.conditions.vocabulary import FieldSpec, FieldType
from leadflow.errors import LeadflowError
from leadflow.reading import countries, country_codes
from leadflow.text import _
from leadflow.types import Audience, Basis

Value = str | int | float | bool

LONGEST_TEXT = 1_000
_TRUE = frozenset({"true", "yes", "y", "1", "oui", "vrai", "x"})
_FALSE = frozenset({"false", "no", "n", "0", "non", "faux"})
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}([ \u00a0\u202f][0-9]{3})+")
_LARGEST = 2**53
#: Control characters and lone surrogates.
_ODD = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class FieldError(LeadflowError):
    """A value does not fit its field."""


def clean_text(text: str) -> str:
    """`text` composed (NFC), control characters and runs of white space turned into single spaces."""
    if text.isascii() and text.isprintable():
        return text.strip()
    if _ODD.search(text):
        if any("\ud800" <= sign <= "\udfff" for sign in text):
            raise FieldError(_("has half a character in it (a lone surrogate)"))
        text = _ODD.sub(" ", text)
    return unicodedata.normalize("NFC", " ".join(text.split()))


def read_value(spec: FieldSpec, text: str, *, date_format: str | None = None) -> Value:
    """What `text` says for a declared field; FieldError says why it says nothing."""
    bare = clean_text(text)
    match spec.type:
        case FieldType.TEXT:
            return _short(bare)
        case FieldType.INTEGER:
            return read_integer(bare)
        case FieldType.NUMBER:
            return read_number(bare)
        case FieldType.BOOLEAN:
            return read_boolean(bare)
        case FieldType.DATE:
            return read_day(bare, date_format=date_format).isoformat()
        case FieldType.CHOICE:
            return read_choice(bare, spec)


def _short(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise FieldError(_("is longer than {n} characters").format(n=LONGEST_TEXT))
    return text


def read_integer(text: str) -> int:
    """`1200`, `1 200` or `1200.0`."""
    if _GROUPED.fullmatch(text):
        text = re.sub(r"\s", "", text)
    whole = text[:-2] if text.endswith(".0") else text
    if not _INTEGER.fullmatch(whole) or abs(value := int(whole)) > _LARGEST:
        raise FieldError(_('"{text}" is not a whole number').format(text=_excerpt(text)))
    return value


def read_number(text: str) -> float:
    """`12.5`; a decimal comma counts where no full stop stands beside it."""
    bare = re.sub(r"\s", "", text) if _GROUPED.match(text) else text
    if bare.count(",") == 1 and "." not in bare:
        bare = bare.replace(",", ".")
    if not re.fullmatch(r"[+-]?([0-9]{1,15}(\.[0-9]*)?|\.[0-9]+)", bare):
        raise FieldError(_('"{text}" is not a number').format(text=_excerpt(text)))
    return float(bare)


def read_boolean(text: str) -> bool:
    """yes, true, 1, oui, x … or their opposites."""
    word = text.casefold()
    if word not in _TRUE | _FALSE:
        raise FieldError(_('"{text}" is neither yes nor no').format(text=_excerpt(text)))
    return word in _TRUE


def read_choice(text: str, spec: FieldSpec) -> str:
    """The choice of the file that `text` spells, letter case, spaces and hyphens aside, or the one it labels."""
    found = _choices(spec.choices).get(_loose(text))
    if found is None:
        words = _('"{text}" is not a choice. One of: {choices}')
        raise FieldError(words.format(text=_excerpt(text), choices=", ".join(spec.choices)))
    return found


def _loose(text: str) -> str:
    return re.sub(r"[\s_-]+", "_", text.casefold())


@cache
def _choices(choices: tuple[str, ...]) -> Mapping[str, str]:
    return {_loose(choice): choice for choice in choices}


def read_instant(text: str, *, zone: tzinfo, date_format: str | None = None) -> datetime:
    """The instant of an ISO date or date and time (local in `zone` unless it says), or of one as declared."""
    bare = text.strip()
    value = _in_format(bare, date_format) if date_format else _iso(bare)
    if value is None:
        raise FieldError(_no_date(bare, date_format))
    if not 1900 <= value.year <= 2200:
        raise FieldError(_('"{text}" is outside the years 1900 to 2200').format(text=_excerpt(bare)))
    return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)


def read_day(text: str, *, date_format: str | None = None) -> date:
    """The calendar day of an ISO date (a time after it is left out), or of one as declared."""
    bare = text.strip()
    value = _in_format(bare, date_format) if date_format else _iso(bare)
    if value is None:
        raise FieldError(_no_date(bare, date_format))
    return value.date()


def _iso(text: str) -> datetime | None:
    # fromisoformat also takes 20260324 and 2026-W13-2, which people write for numbers and never for days.
    if len(text) < 10 or text[4] != "-" or text[7] != "-":
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _in_format(text: str, date_format: str) -> datetime | None:
    try:
        return datetime.strptime(text, date_format)  # noqa: DTZ007 - the caller gives it a zone
    except ValueError:
        return _iso(text)


def _no_date(text: str, date_format: str | None) -> str:
    if date_format:
        words = _('"{text}" is neither {format} nor a date such as 2026-03-24')
        return words.format(text=_excerpt(text), format=date_format)
    words = _(
        '"{text}" is not a date such as 2026-03-24; if days come first, declare it: '
        '--date-format "COLUMN=%d/%m/%Y" (months first: %m/%d/%Y)'
    )
    return words.format(text=_excerpt(text))


def read_country(text: str) -> str:
    """An ISO 3166 code in capitals, from a code or an English name."""
    bare = text.strip()
    code = bare.upper() if len(bare) == 2 else countries().get(bare.casefold(), "")
    if code not in country_codes():
        words = _('"{text}" is not a country: write its two-letter code, such as FR')
        raise FieldError(words.format(text=_excerpt(bare)))
    return code


def read_language(text: str) -> str:
    """`fr` or `fr-be`, in small letters."""
    code = text.strip().lower().replace("_", "-")
    if not _LANGUAGE.fullmatch(code):
        raise FieldError(_('"{text}" is not a language code such as fr or fr-BE').format(text=_excerpt(text)))
    return code


def read_zone(text: str) -> str:
    """A time zone of the zone database."""
    if text.strip() not in _zones():
        raise FieldError(_('"{text}" is not a time zone such as Europe/Paris').format(text=_excerpt(text)))
    return text.strip()


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _word_of(words: type[Basis] | type[Audience]) -> Callable[[str], str]:
    spec = FieldSpec(name=words.__name__.lower(), type=FieldType.CHOICE, choices=tuple(words))
    return lambda text: read_choice(text.strip(), spec)


#: Built-in fields that a file or form may fill, but for addresses, ids, telephone, company and dates.
READERS: Mapping[str, Callable[[str], Value]] = {
    "first_name": lambda text: _short(clean_text(text)),
    "last_name": lambda text: _short(clean_text(text)),
    "source": lambda text: _short(clean_text(text)),
    "company": lambda text: _short(clean_text(text)),
    "country": read_country,
    "language": read_language,
    "zone": read_zone,
    "audience": _word_of(Audience),
    "basis": _word_of(Basis),
    "no_mail": lambda text: read_boolean(text.strip()),
}


def _excerpt(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
