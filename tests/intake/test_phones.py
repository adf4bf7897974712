"""A telephone number has one spelling, the library's, whichever way it was read."""

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from leadflow.intake.fields import FieldError
from leadflow.intake.phones import read_phone, short_way

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
_digits = st.text(alphabet="0123456789", min_size=1, max_size=14)


def by_the_library(text: str, country: str | None) -> str | None:
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    possible = phonenumbers.is_possible_number(number)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if possible else None


@given(st.sampled_from(["", "0", "00", "+"]), st.sampled_from([*phonenumbers.COUNTRY_CODE_TO_REGION_CODE, ""]), _digits)
@example("0", "", "477000000")
@example("+", 33, "477000000")
@example("+", 39, "0612345678")
def test_the_short_way_says_what_the_library_says(start: str, code: object, digits: str) -> None:
    number = f"{start}{code}{digits}"
    for country in ("FR", "BE", "DE", "IT", "GB", "US", "CA", "AR", "BR", "MX", "ZZ", None):
        said = short_way(number, country)
        assert said is None or said == by_the_library(number, country)


@given(st.sampled_from(REGIONS), st.from_regex(r"\A\+?0?[0-9]{1,4}([ .-]?[0-9]{2}){1,5}\Z"))
def test_it_holds_in_every_country_and_with_spaces(country: str, text: str) -> None:
    said = short_way(text, country)
    assert said is None or said == by_the_library(text, country)


@pytest.mark.parametrize("country", REGIONS)
def test_the_example_of_every_country_is_read_both_ways(country: str) -> None:
    number = phonenumbers.example_number(country)
    assert number is not None
    for form in (phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.NATIONAL):
        text = phonenumbers.format_number(number, form)
        assert read_phone(text, country) == by_the_library(text, country)


def test_french_numbers_take_the_short_way() -> None:
    assert {short_way(text, "FR") for text in ("04 77 00 00 00", "0477000000", "+33 4 77 00 00 00")} == {"+33477000000"}


@pytest.mark.parametrize("text", ["call me", "0", "+", "12", "+999 1234567", "٠٤٧٧٠٠٠٠٠٠0"])
def test_what_is_no_number_is_refused_in_words(text: str) -> None:
    with pytest.raises(FieldError, match="is no telephone number"):
        read_phone(text, "FR")
