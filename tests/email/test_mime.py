"""The MIME message: what mailboxes ask for, and no way in for what people typed."""

from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage, Message
from email.policy import default
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadflow.email.mime import _PLAIN, write_message
from leadflow.email.render import one_line
from leadflow.errors import BuildError, RefusedError
from tests.email.long_way import build_message
from tests.esp.mail import a_mail


def raw(**changes: object) -> str:
    return write_message(a_mail(**changes)).decode("ascii")


def read(**changes: object) -> EmailMessage:
    message = message_from_bytes(write_message(a_mail(**changes)), policy=default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def test_the_unsubscribe_header_stays_on_one_line_however_long_the_token() -> None:
    url = "https://mail.a.example/u/" + "a" * 120
    assert f"\r\nList-Unsubscribe: <{url}>\r\n" in raw(unsubscribe_url=url)


def test_no_line_is_longer_than_the_standard_allows() -> None:
    text = raw(subject="é" * 200, to_name="ü" * 100, html="<p>" + "x" * 5000, text="y" * 5000)
    headers, _blank, body = text.partition("\r\n\r\n")
    assert max(map(len, headers.split("\r\n"))) <= 78
    assert max(map(len, body.split("\r\n"))) <= 78


def test_its_id_comes_from_our_attempt_and_its_date_from_the_plan() -> None:
    assert (read()["Message-ID"], read()["Date"]) == ("<t0-7@a.example>", "Mon, 23 Mar 2026 09:05:00 +0100")


def test_text_comes_before_html_and_each_part_says_its_type_alone() -> None:
    assert [part.get_content_type() for part in read().iter_parts()] == ["text/plain", "text/html"]
    assert raw().count("MIME-Version") == 1


def test_nothing_marks_it_as_bulk_or_automatic() -> None:
    assert not {"precedence", "auto-submitted"} & {name.lower() for name in read()}


@pytest.mark.parametrize("field", ["subject", "to_name", "from_name", "attempt_id", "unsubscribe_url"])
@pytest.mark.parametrize("poison", ["a\r\nBcc: b@x.example", "a\nX: 1", "a\rX: 1", "a\0b", "a\u2028Bcc: x", "a\udcff"])
def test_no_field_can_add_a_header(field: str, poison: str) -> None:
    assert read(**{field: poison}).keys() == read().keys()
    assert "\0" not in raw(**{field: poison})


NAMES = st.one_of(
    st.text(max_size=90),
    st.text(st.sampled_from("Zoé Petit,\"\\.<>()@=?_ü漢🙂-'"), max_size=90),
    st.sampled_from(["=?utf-8?q?x?=", "a" * 200, "a b" * 40, "Petit, Zoé", "", " "]),
)
SIGNS = st.characters(exclude_categories=["Cs"], exclude_characters="\r")
BODIES = st.text(SIGNS, max_size=200).map("{}\n".format)


# The standard library's own folding never ends on some of these: what was given is what the message must say.
@given(to_name=NAMES, from_name=NAMES, subject=NAMES, text=BODIES, html=BODIES)
def test_a_reader_reads_what_was_written(**said: str) -> None:
    message = read(**said)
    names = [message[header].addresses[0].display_name for header in ("To", "From")]
    # Its reading of names puts a space between two encoded words.
    assert [_bare(one_line(said[name])) for name in ("to_name", "from_name")] == [_bare(name) for name in names]
    assert one_line(said["subject"]) == message["Subject"]
    assert [said["text"], said["html"]] == _bodies(message)


def _bare(name: str) -> str:
    return name.replace(" ", "")


@pytest.mark.parametrize("said", [{}, {"to_name": "", "subject": "Prices, and 'offers'"}, {"headers": {"X-A": "b"}}])
def test_it_says_what_the_standard_librarys_own_classes_say(said: dict[str, Any]) -> None:
    ours = read(**said)
    theirs = message_from_bytes(build_message(a_mail(**said)).as_bytes(), policy=default)
    # Those set Content-Language on the text alone, and choose a boundary of their own.
    names = [name for name in ours if not name.startswith("Content-")]
    assert [str(theirs[name]) for name in names] == [str(ours[name]) for name in names]
    assert [body.strip() for body in _bodies(theirs)] == [body.strip() for body in _bodies(ours)]


def _bodies(message: Message) -> list[str]:
    assert isinstance(message, EmailMessage)
    return [part.get_content().replace("\r\n", "\n") for part in message.iter_parts()]


@given(st.from_regex(_PLAIN, fullmatch=True).filter(lambda address: len(address) < 80))
def test_an_address_that_is_let_through_at_a_glance_is_one_the_long_way_too(address: str) -> None:
    assert Address(addr_spec=address).addr_spec == address


def test_a_mail_that_cannot_be_written_is_refused_by_its_kind_alone() -> None:
    with pytest.raises(BuildError, match=r"^AttributeError$"):
        write_message(a_mail(text=None))


@pytest.mark.parametrize("field", ["to", "reply_to", "from_address"])
@pytest.mark.parametrize("poison", ["", "a", "a@b\r\nBcc: c@d", "a@b, c@d", "<a@b>", "a b@c", "é@x.example", "a@b\0"])
def test_an_address_is_one_plain_address_or_the_mail_is_refused(field: str, poison: str) -> None:
    with pytest.raises(RefusedError):
        write_message(a_mail(**{field: poison}))


def test_names_with_quotes_and_commas_stay_names() -> None:
    (address,) = read(to_name='Petit, "Zoé" <x@y.example>')["To"].addresses
    assert (address.display_name, address.addr_spec) == ('Petit, "Zoé" <x@y.example>', "zoe@x.example")
