"""One person has one spelling; what is no address is refused with a reason that does not repeat it."""

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from leadflow.intake.addresses import AddressError, read_address


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (" Claire.Morel@Vannes-Loire.EXAMPLE\t", "claire.morel@vannes-loire.example"),
        ("JÖRG@müller.example", "jörg@xn--mller-kva.example"),
        ("o'neil+news@x.example", "o'neil+news@x.example"),
    ],
)
def test_an_address_has_one_spelling(text: str, value: str) -> None:
    assert read_address(text).value == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a\n@b.example", "the address has a line break in it"),
        ("a@b.example\r\nBcc: c@d.example", "the address has a line break in it"),
        ("a\0@b.example", "the address has a NUL byte in it"),
        ("a b@c.example", "the address has a space or an invisible sign in it"),
        ("a\u200b@c.example", "the address has a space or an invisible sign in it"),
        ("nobody", "the address must have exactly one @"),
        ("a@b@c.example", "the address must have exactly one @"),
        ("@c.example", "the address needs something on both sides of the @"),
        ("a@", "the address needs something on both sides of the @"),
        ("a@localhost", "the address has no full domain after the @"),
        ("a..b@c.example", "the address has signs that no mailbox can have"),
        ("a" * 65 + "@c.example", "the address is too long"),
    ],
)
def test_what_is_no_address_is_refused_in_words(text: str, reason: str) -> None:
    with pytest.raises(AddressError, match=f"^{reason}$"):
        read_address(text)


def test_mailboxes_anybody_can_open_are_known() -> None:
    assert [read_address(f"a@{domain}").is_free for domain in ("GMAIL.com", "acme.example")] == [True, False]


@given(
    st.text(alphabet="ab.\"'@+-é _\\(", max_size=12), st.sampled_from(["c.example", "c..example", "-c.example", "é.fr"])
)
def test_the_short_way_accepts_what_the_library_accepts(local: str, domain: str) -> None:
    text = f"{local}@{domain}".strip()
    try:
        validate_email(text, check_deliverability=False, globally_deliverable=False)
        expected = not any(map(str.isspace, text))
    except EmailNotValidError:
        expected = False
    try:
        accepted = bool(read_address(text))
    except AddressError:
        accepted = False
    assert accepted == expected


_labels = st.from_regex(r"\A[a-zA-Z0-9-]{1,5}\Z") | st.sampled_from(
    ["xn--mller-kva", "a" * 63, "a" * 64, "1", "a--b", "é"]
)


@given(
    st.from_regex(r"\A[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,6}\Z") | st.sampled_from(["a" * 64, "a" * 65, "ſ", "K"]),
    st.lists(_labels, min_size=1, max_size=5).map(".".join),
)
@example("a" * 64, ".".join(["a" * 63] * 3))
@example("a" * 62, ".".join(["a" * 63] * 3))
def test_a_usual_address_is_spelt_as_the_library_spells_it(local: str, domain: str) -> None:
    text = f"{local}@{domain}"
    try:
        found = validate_email(text, check_deliverability=False, globally_deliverable=False, strict=True)
        expected = f"{found.local_part.casefold()}@{str(found.ascii_domain).lower()}"
    except EmailNotValidError:
        expected = ""
    try:
        said = read_address(text).value
    except AddressError:
        said = ""
    assert said == (expected if "." in domain else "")
