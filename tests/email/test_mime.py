"""The MIME message: what mailboxes ask for, and no way in for what people typed."""

from email import message_from_bytes
from email.policy import default

import pytest

from leadflow.email.mime import build_message
from leadflow.errors import RefusedError
from tests.esp.mail import a_mail


def raw(**changes: object) -> str:
    return build_message(a_mail(**changes)).as_bytes().decode("ascii")


def test_the_unsubscribe_header_stays_on_one_line_however_long_the_token() -> None:
    url = "https://mail.a.example/u/" + "a" * 120
    assert f"\r\nList-Unsubscribe: <{url}>\r\n" in raw(unsubscribe_url=url)


def test_no_line_is_longer_than_the_standard_allows() -> None:
    text = raw(subject="é" * 200, to_name="ü" * 100, html="<p>" + "x" * 5000, text="y" * 5000)
    headers, _blank, body = text.partition("\r\n\r\n")
    assert max(map(len, headers.split("\r\n"))) <= 78
    assert max(map(len, body.split("\r\n"))) <= 78


def test_its_id_comes_from_our_attempt_and_its_date_from_the_plan() -> None:
    message = build_message(a_mail())
    assert (message["Message-ID"], message["Date"]) == ("<t0-7@a.example>", "Mon, 23 Mar 2026 09:05:00 +0100")


def test_text_comes_before_html_and_each_part_says_its_type_alone() -> None:
    message = build_message(a_mail())
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert raw().count("MIME-Version") == 1


def test_nothing_marks_it_as_bulk_or_automatic() -> None:
    assert not {"precedence", "auto-submitted"} & {name.lower() for name in build_message(a_mail())}


@pytest.mark.parametrize("field", ["subject", "to_name", "from_name", "attempt_id", "unsubscribe_url"])
@pytest.mark.parametrize("poison", ["a\r\nBcc: b@x.example", "a\nX: 1", "a\rX: 1", "a\0b", "a\u2028Bcc: x", "a\udcff"])
def test_no_field_can_add_a_header(field: str, poison: str) -> None:
    message = build_message(a_mail(**{field: poison}))
    read = message_from_bytes(message.as_bytes(), policy=default)
    assert read.keys() == build_message(a_mail()).keys()
    assert b"\0" not in message.as_bytes()


@pytest.mark.parametrize("field", ["to", "reply_to", "from_address"])
@pytest.mark.parametrize("poison", ["", "a", "a@b\r\nBcc: c@d", "a@b, c@d", "<a@b>", "a b@c", "é@x.example", "a@b\0"])
def test_an_address_is_one_plain_address_or_the_mail_is_refused(field: str, poison: str) -> None:
    with pytest.raises(RefusedError):
        build_message(a_mail(**{field: poison}))


def test_names_with_quotes_and_commas_stay_names() -> None:
    read = message_from_bytes(build_message(a_mail(to_name='Petit, "Zoé" <x@y.example>')).as_bytes(), policy=default)
    (address,) = read["To"].addresses
    assert (address.display_name, address.addr_spec) == ('Petit, "Zoé" <x@y.example>', "zoe@x.example")
