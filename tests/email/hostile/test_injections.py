"""5,000 values of strangers in text, attributes, addresses and headers: each stays where it was put."""

import re
from html.parser import HTMLParser

import pytest
from playwright.sync_api import Page

from leadflow.email.catalog import Email
from leadflow.email.mime import write_message
from leadflow.email.pool import Renderers, Task
from leadflow.email.render import Rendered, one_line
from tests.email.hostile.chromium import look_at
from tests.email.hostile.frame import BASE
from tests.email.hostile.payloads import payloads
from tests.email.test_pool import email
from tests.esp.mail import a_mail

BODY = """<!doctype html><html lang="en"><head><title>{{ subject }}</title></head><body>
<p title="{{ lead.first_name }}">{{ lead.first_name }}</p><img alt="For {{ lead.first_name }}" src="cid:a">
<a href="{{ links.page("x") }}">{{ lead.first_name|upper }}</a></body></html>"""
TAGS = ["html", "head", "title", "body", "p", "img", "a"]
BUILT_IN = {"title", "alt", "href"}
PAYLOADS = list(payloads())


@pytest.fixture(scope="module")
def mails() -> list[Rendered]:
    """The mail of each payload."""
    parts = {"subject": {"en": "{{ lead.first_name }}, hello"}, "preheader": {"en": "{{ lead.first_name }}"}}
    with Renderers() as renderers:
        shape = renderers.compile(_email(**parts), "en", BASE)
        tasks = [
            Task(
                shape=shape,
                facts={"lead.first_name": payload},
                links=[_url(payload)],
                unsubscribe="https://t.example/u",
            )
            for payload in PAYLOADS
        ]
        written = renderers.render(tasks)
    return [mail for mail in written if isinstance(mail, Rendered)]


def _email(**parts: dict[str, str]) -> Email:
    defaults = {"lead.first_name": {"en": "friend"}}
    return email(BODY, kinds={"en": "html"}, defaults=defaults, **parts)


def _url(payload: str) -> str:
    # Not even our own addresses are safe from quotes in this test.
    return f"https://t.example/c/{shown(payload)}"


def shown(payload: str) -> str:
    """`payload` as it may stand in a line."""
    return one_line(payload.encode("utf-8", "replace").decode()) or "friend"


class _Read(HTMLParser):
    """The tags of a page, its attributes that show values, and its words."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.values: dict[str, str | None] = {}
        self.words: dict[str, str] = {}
        self.names: set[str] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.names |= {name for name, _value in attrs}
        self.values |= dict(attrs)

    def handle_data(self, data: str) -> None:
        self.words[self.tags[-1] if self.tags else ""] = self.words.get(self.tags[-1] if self.tags else "", "") + data


def test_no_mail_is_lost(mails: list[Rendered]) -> None:
    assert (len(PAYLOADS), len(set(PAYLOADS)), len(mails)) == (5000, 5000, 5000)


def test_a_value_stays_in_its_text_attribute_and_address(mails: list[Rendered]) -> None:
    wrong = []
    for payload, mail in zip(PAYLOADS, mails, strict=True):
        name, read = shown(payload), _Read(mail.html)
        said = (read.values["title"], read.values["alt"], read.values["href"], read.words["p"].strip(), read.tags)
        if said != (name, f"For {name}", _url(payload), name, TAGS) or read.names - {
            "lang",
            "title",
            "alt",
            "src",
            "href",
        }:
            wrong.append((payload, said))
    assert wrong == []


def test_a_value_stays_in_its_header(mails: list[Rendered]) -> None:
    expected = _names(write_message(a_mail()))
    wrong = []
    for payload, mail in zip(PAYLOADS, mails, strict=True):
        outgoing = a_mail(subject=mail.subject, to_name=payload, from_name=payload, html=mail.html, text=mail.text)
        if _names(write_message(outgoing)) != expected:
            wrong.append(payload)
    assert wrong == []


def _names(message: bytes) -> list[str]:
    """The headers of `message`: whatever ends a line for anybody begins a header here."""
    head = message.partition(b"\r\n\r\n")[0].decode("ascii")
    assert "\0" not in head
    return [line.partition(":")[0] for line in re.split(r"\r\n(?![ \t])|\r(?!\n)|(?<!\r)\n", head)]


def test_subject_and_preheader_are_one_line_of_what_was_typed(mails: list[Rendered]) -> None:
    expected = [(one_line(f"{shown(payload)}, hello"), shown(payload)) for payload in PAYLOADS]
    assert [(mail.subject, mail.preheader) for mail in mails] == expected


@pytest.mark.browser
def test_nothing_runs_or_loads_in_a_real_browser(mails: list[Rendered], page: Page) -> None:
    bodies = [re.split(r"</?body[^>]*>", mail.html)[1] for mail in mails]
    for start in range(0, len(bodies), 1000):
        some = bodies[start : start + 1000]
        seen = look_at(page, "<!doctype html><meta charset=utf-8>" + "".join(some))
        assert (seen.dialogs, seen.requests, seen.handlers, seen.active, seen.schemes) == ([], [], 0, 0, ["https:"])
        assert seen.titled == len(some)
