"""Reads telephone numbers as people write them; the usual ways to write one are read without the library's long way."""

import re
from dataclasses import dataclass
from functools import cache

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

from leadflow.intake.fields import FieldError
from leadflow.text import _

#: Digits, between them single spaces, full stops or hyphens.
_USUAL = re.compile(r"\+?[0-9]++(?:[ .-][0-9]++)*+", re.ASCII)
_SIGNS = str.maketrans("", "", " .-")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """How the numbers of a country are made, as far as the short way goes."""

    code: str
    #: What a number begins with when it is dialled within the country, as a pattern.
    prefix: re.Pattern[str] | None
    #: Whether that is a plain 0, which is left out after the country's code.
    is_zero: bool
    pattern: re.Pattern[str]
    lengths: frozenset[int]


def read_phone(text: str, country: str | None) -> str:
    """The number as +33…; without a + it is read as one of `country`."""
    if (usual := short_way(text, country)) is not None:
        return usual
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        raise FieldError(_("is no telephone number; write it as +33 …, or give the country")) from None
    if not phonenumbers.is_possible_number(number):
        raise FieldError(_("is no telephone number; write it as +33 …, or give the country"))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def short_way(text: str, country: str | None) -> str | None:
    """What the library says of a usual number; None where only the library can tell."""
    if not _USUAL.fullmatch(text):
        return None
    digits = text.translate(_SIGNS)
    if digits[0] == "+":
        return _with_code(digits[1:])
    plan = _plan_within(country) if country else None
    # 00 may begin a number abroad.
    if plan is None or digits[0] != "0" or digits[1:2] in ("", "0"):
        return None
    rest = digits[1:]
    return f"+{plan.code}{rest}" if len(rest) in plan.lengths and not plan.pattern.fullmatch(digits) else None


def _with_code(digits: str) -> str | None:
    for n in (1, 2, 3):
        plan = _plan_of(digits[:n])
        if plan is not None:
            rest = digits[n:]
            bare = rest[:1] not in ("", "0") and not (plan.prefix and plan.prefix.match(rest))
            return f"+{digits}" if bare and len(rest) in plan.lengths else None
    return None


@cache
def _plan_within(country: str) -> _Plan | None:
    """The plan of a country whose numbers begin with a plain 0 at home, and which has its code for itself."""
    told = PhoneMetadata.metadata_for_region(country, None)
    if told is None or COUNTRY_CODE_TO_REGION_CODE.get(told.country_code or 0, ("",))[0] != country:
        return None
    plan = _plan_of(str(told.country_code))
    return plan if plan is not None and plan.is_zero and told.international_prefix == "00" else None


@cache
def _plan_of(code: str) -> _Plan | None:
    region = COUNTRY_CODE_TO_REGION_CODE.get(int(code or 0), (None,))[0]
    told = PhoneMetadata.metadata_for_region(region, None) if region else None
    # A country's own code never begins with 0.
    general = told.general_desc if told else None
    if told is None or general is None or code.startswith("0"):
        return None
    prefix = told.national_prefix_for_parsing
    return _Plan(
        code=code,
        prefix=re.compile(prefix) if prefix else None,
        is_zero=prefix == "0" and not told.national_prefix_transform_rule,
        pattern=re.compile(general.national_number_pattern or ""),
        lengths=frozenset(general.possible_length) - frozenset(general.possible_length_local_only),
    )
