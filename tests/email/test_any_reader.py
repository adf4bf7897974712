"""Whoever the reader is: nothing unresolved, only the headers that are meant, every link in the text too."""

import re
from email import message_from_bytes
from email.policy import default
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadflow.email.catalog import Email
from leadflow.email.compile import Compiled, compile_email
from leadflow.email.mime import write_message
from leadflow.email.names import ALWAYS, NAMES
from leadflow.email.render import Links, MissingValueError, Rendered, one_line, render_email
from leadflow.esp.sendgrid import build_body
from leadflow.playbook.load import load_playbook
from tests.esp.mail import a_mail

PLAYBOOK = load_playbook(Path(__file__).parents[2])
#: Every sign there is, half ones included; braces have a test of their own.
SIGNS = st.characters(exclude_characters="{}%", categories=None)
TEXTS = st.text(SIGNS, max_size=40) | st.sampled_from(
    ["O'Brien & <b>", "x" * 200, "مرحبا", "a\r\nBcc: b@c.example", " "]
)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
DATES = st.dates().map(str)
OF_TYPE: dict[str, st.SearchStrategy[object]] = {
    "text": TEXTS.filter(one_line),
    "integer": st.integers(),
    "number": NUMBERS,
    "date": DATES,
    "boolean": st.booleans(),
}
RICH = """Hi{{ " " ~ lead.first_name if lead.first_name }}, of {{ company.name | default("x", true) }},

{% if lead.deadline %}{{ lead.deadline | date("long") }}{% endif %}, {{ now | date }}
{{ lead.employees | plural("a", "b") }} {{ lead.employees | money }}
{{ lead.role | gender(woman="a", man="b", other="c") }}

{% for sign in lead.job_title or "" %}{{ sign }}{% endfor %}

[a]({{ links.page("a?b=1&c=2") }}) **[b](https://b.example/(c)?d='e')** <https://f.example/g.> [m](mailto:a@b.example)
"""
EMAILS = [
    *PLAYBOOK.emails.values(),
    Email(
        name="rich",
        subject={"fr": "A {{ lead.first_name | default('x', true) }} {{ lead.last_name or '' }}"},
        preheader={"fr": "{{ segment.title or 'x' }}"},
        bodies={"fr": RICH},
        kinds={"fr": "md"},
        needs={"fr": frozenset({"lead.employees"})},
    ),
]
_UNRESOLVED = re.compile(r"\{\{|\}\}|\{%|LFTAG\d|jinja2|Undefined")
HEADERS = [
    *("From", "Reply-To", "To", "Subject", "Date", "Content-Language", "Message-ID"),
    *("List-Unsubscribe", "List-Unsubscribe-Post", "MIME-Version", "Content-Type"),
]


@st.composite
def readers(draw: st.DrawFn) -> dict[str, object]:
    """All that is known of somebody: anything may be missing but what everybody has."""
    pools = {kind: draw(st.lists(values, min_size=3, max_size=5)) for kind, values in OF_TYPE.items()}
    kinds = {name: "text" for name in NAMES if not name.startswith(("links.", "now"))}
    kinds |= {f"lead.{name}": str(spec.type) for name, spec in PLAYBOOK.fields.items()}
    facts: dict[str, object] = {"now": f"{pools['date'][0]}T09:00:00+01:00"}
    for name, kind in kinds.items():
        known = pools["text" if kind == "choice" else kind]
        facts[name] = draw(st.sampled_from(known if name in ALWAYS else [None, *known]))
    return facts


def links_of(compiled: Compiled) -> Links:
    made = {slot: f"https://t.example/c/{number}.-_~x" for number, slot in enumerate(compiled.slots)}
    return Links(
        page=str, url=str, unsubscribe="https://t.example/u/a.b-c_", confirm="https://t.example/confirm/7.a", made=made
    )


def written(email: Email, language: str, facts: dict[str, object]) -> Rendered | None:
    """The mail; None for somebody who lacks what it needs, and only for them."""
    compiled = compile_email(email, language, PLAYBOOK.base)
    lacking = any(facts.get(name) in (None, "") for name in email.needs.get(language, ()))
    try:
        done = render_email(compiled, facts, links_of(compiled))
    except MissingValueError:
        assert lacking
        return None
    assert not lacking
    return done


class Hrefs(HTMLParser):
    """Where a page leads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found.append(dict(attrs)["href"] or "")


@pytest.mark.no_cover  # tests of single cases have counted the lines
@given(facts=readers())
def test_whoever_reads_it_gets_a_whole_mail_or_none(facts: dict[str, object]) -> None:
    for email in EMAILS:
        for language in email.bodies:
            done = written(email, language, facts)
            if done is not None:
                everything = f"{done.subject}\n{done.preheader}\n{done.html}\n{done.text}"
                assert _UNRESOLVED.findall(everything) == []
                assert [href for href in Hrefs(done.html).found if href not in done.text] == []
                assert done.subject == one_line(done.subject) != ""


@given(facts=readers())
def test_only_the_headers_that_are_meant(facts: dict[str, object]) -> None:
    facts["lead.employees"] = 1
    done = written(EMAILS[-1], "fr", facts)
    assert done is not None
    name = one_line(" ".join(str(facts[part]) for part in ("lead.first_name", "lead.last_name") if facts[part]))
    mail = a_mail(
        to_name=name,
        from_name=facts["sender.name"],
        subject=done.subject,
        html=done.html,
        text=done.text,
        headers={},
        unsubscribe_url="https://t.example/u/a.b-c_",
    )
    read = message_from_bytes(write_message(mail), policy=default)

    assert (read.keys(), read.defects) == (HEADERS, [])
    assert [part.keys() for part in read.walk()][1:] == [["Content-Type", "Content-Transfer-Encoding"]] * 2
    body: dict[str, Any] = build_body(mail)
    assert set(body["headers"]) <= {"List-Unsubscribe", "List-Unsubscribe-Post", "Content-Language", "Message-ID"}
    assert body["personalizations"][0].keys() <= {"to", "custom_args", "headers", "subject"}
    assert [len(body["personalizations"]), len(body["personalizations"][0]["to"])] == [1, 1]


def test_what_people_are_called_is_never_taken_for_a_template() -> None:
    facts: dict[str, object] = dict.fromkeys(NAMES, "{{ 7*7 }}{% if %}") | {"lead.employees": 2, "now": "2026-12-01"}
    facts |= {"lead.deadline": None, "lead.role": None, "lead.job_title": "{{ x }}"}
    done = written(EMAILS[-1], "fr", facts)
    assert done is not None
    assert done.subject == "A {{ 7*7 }}{% if %} {{ 7*7 }}{% if %}"
