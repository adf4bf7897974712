"""From what marketers write to a mail: Markdown, the frame, links, and what may not be written."""

from typing import Any

import pytest

from leadflow.email.catalog import Email
from leadflow.email.compile import compile_email
from leadflow.email.preview import preview_email
from leadflow.email.render import MissingValueError, Rendered
from leadflow.errors import TemplateError
from leadflow.playbook.model import Base

LAYOUT = """<mjml lang="{{ language }}"><mj-head><mj-title>{{ subject }}</mj-title>
<mj-style>.mail p > strong > a { color: #fff; }</mj-style></mj-head><mj-body><mj-section><mj-column>
<mj-text css-class="mail">{{ content }}</mj-text>
<mj-text><a href="{{ links.unsubscribe }}">{{ strings.unsubscribe }}</a></mj-text>
</mj-column></mj-section></mj-body></mjml>"""
TEXT = "{{ brand.name }}\n\n{{ content }}\n--\n{{ strings.unsubscribe }}: {{ links.unsubscribe }}"
BASE = Base(layout=LAYOUT, text=TEXT, strings={"unsubscribe": {"en": "Stop & go", "fr": "Arrêter"}})
FACTS: dict[str, object] = {
    "brand.name": "Atelier",
    "brand.site": "https://a.example",
    "company.name": None,
    "lead.first_name": "Zoé",
    "lead.role": None,
}


def mail(body: str, *, kind: str = "md", facts: dict[str, object] | None = None, **parts: Any) -> Rendered:
    given: dict[str, Any] = {"subject": {"en": "Hello"}, "bodies": {"en": body}, "kinds": {"en": kind}} | parts
    return preview_email(Email(name="hello", **given), "en", FACTS | (facts or {}), BASE)


def test_markdown_becomes_html_in_the_frame_and_readable_text() -> None:
    done = mail("Hello **you**,\n\n- one\n- two\n\n1. a\n2. b\n\n> said\n")
    assert "<strong>you</strong>" in done.html
    assert (
        done.text
        == "Atelier\n\nHello you,\n\n- one\n- two\n\n1. a\n2. b\n\nsaid\n--\nStop & go: https://a.example/unsubscribe\n"
    )


def test_a_link_keeps_its_address_in_the_text() -> None:
    done = mail('See [prices]({{ links.page("pricing?a=1&b=2") }}) first.')
    assert "See prices (https://a.example/pricing?a=1&b=2) first." in done.text
    assert '<a href="https://a.example/pricing?a=1&amp;b=2"' in done.html


def test_a_paragraph_that_is_one_bold_link_is_a_button() -> None:
    assert '<p class="button"' in mail('**[Go]({{ links.page("x") }})**').html
    assert "Go\nhttps://a.example/x" in mail('**[Go]({{ links.page("x") }})**').text
    assert 'class="button"' not in mail('Text **[Go]({{ links.page("x") }})**').html
    assert 'class="button"' not in mail('**[a]({{ links.page("x") }})** **[b]({{ links.page("y") }})**').html


def test_styles_stand_in_the_tags() -> None:
    assert '<a href="https://a.example/x" style="color: #fff;"' in mail('**[Go]({{ links.page("x") }})**').html


@pytest.mark.parametrize(("role", "expected"), [("boss", "Dear boss."), (None, "Dear you.")])
def test_conditions_may_span_paragraphs(role: str | None, expected: str) -> None:
    body = "{% if lead.role %}\nDear {{ lead.role }}.\n\n{% else %}\nDear you.\n\n{% endif %}\nBye."
    done = mail(body, facts={"lead.role": role})
    assert f"{expected}\n\nBye." in done.text
    assert (done.html.count("<p"), "<p></p>" in done.html) == (2, False)


def test_what_a_person_is_called_is_text_and_nothing_else() -> None:
    done = mail("Hi {{ lead.first_name }}", facts={"lead.first_name": '<b onclick="x">{{ 7*7 }}\r\n\x00&'})
    assert "&lt;b onclick=&#34;x&#34;&gt;{{ 7*7 }} &amp;" in done.html
    assert "Hi <b onclick" in done.text


def test_a_missing_value_takes_its_default_in_the_language() -> None:
    defaults = {"company.name": {"fr": "votre entreprise", "en": "your company"}}
    assert "For your company" in mail("For {{ company.name }}", defaults=defaults).text


def test_a_missing_value_without_a_default_is_an_error_that_names_it() -> None:
    with pytest.raises(MissingValueError, match=r"company\.name has no value"):
        mail("For {{ company.name }}")


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_name_leaves_no_hole_in_a_greeting(value: str | None) -> None:
    done = mail('Hello{{ " " ~ lead.first_name if lead.first_name }},', facts={"lead.first_name": value})
    assert "\nHello,\n" in done.text


def test_subject_and_preheader_are_one_line_and_not_escaped() -> None:
    done = mail(
        "x", subject={"en": "A & {{ lead.first_name }}"}, preheader={"en": "é"}, facts={"lead.first_name": "b\r\nX: y"}
    )
    assert (done.subject, done.preheader) == ("A & b X: y", "é")
    assert "<title>A &amp; b X: y</title>" in done.html


def test_spaces_that_do_not_break_survive() -> None:
    done = mail("« Oui »", subject={"en": "Combien ?"})
    assert ("« Oui »" in done.text, done.subject) == (True, "Combien ?")


@pytest.mark.parametrize(
    "body",
    [
        "[x](javascript:alert(1))",
        '<a href="javascript:alert(1)">x</a>',
        '<a href="{{ lead.first_name }}">x</a>',
        '<a href="https://x.example/{{ lead.first_name }}">x</a>',
        '<a href="data:text/html,x">x</a>',
        '<a href=" JavaScript:x">x</a>',
    ],
)
def test_a_link_leads_only_where_links_may_lead(body: str) -> None:
    if body.startswith("["):
        assert mail(body).html.count("<a href") == 1
    else:
        with pytest.raises(TemplateError):
            mail(body, kind="html")


@pytest.mark.parametrize(
    "body",
    [
        "{{ 'a'|center(2000000000) }}",
        "{{ lead.first_name.__class__.__mro__ }}",
        "{{ ''.join.__globals__ }}",
        "{{ range(1000000000) }}",
        "{% include '/etc/passwd' %}",
        "{{ lead.first_name|safe }}",
        "{{ links.page(lead.first_name) }}",
        "{{ links.page() }}",
        "{{ links.evil('x') }}",
        "{{ 'a' * 1000000000 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ 9 ** 999999999 }}",
        "{{ nobody.knows }}",
        "{{ lead.unknown }}",
        "{% for",
        "LFTAG0X",
    ],
)
def test_what_templates_may_not_do_is_an_error(body: str) -> None:
    with pytest.raises(TemplateError):
        mail(body)


def test_literal_addresses_are_tracked_as_pages_are() -> None:
    email = Email(
        name="e",
        subject={"en": "x"},
        kinds={"en": "md"},
        bodies={"en": '[a](https://b.example/?q="1") [c]({{ links.page("d") }})'},
    )
    done = compile_email(email, "en", BASE)
    assert (done.pages, done.urls) == (("d",), ("https://b.example/?q=%221%22",))


def test_a_whole_document_does_without_the_frame() -> None:
    html = '<!doctype html><html lang="en"><body><p>Hi {{ lead.first_name }}</p></body></html>'
    inner = "<mj-column><mj-text>Hi {{ lead.first_name }}</mj-text></mj-column>"
    mjml = f"<mjml><mj-body><mj-section>{inner}</mj-section></mj-body></mjml>"
    for kind, body in (("html", html), ("mjml", mjml)):
        done = mail(body, kind=kind)
        assert ("Hi Zoé" in done.html, "Stop" in done.html, "Hi Zoé" in done.text) == (True, False, True)


def test_a_text_written_by_hand_is_kept() -> None:
    assert "By hand, Zoé" in mail("x", texts={"en": "By hand, {{ lead.first_name }}"}).text


def test_mjml_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(TemplateError):
        mail("<mjml><mj-body>", kind="mjml")
