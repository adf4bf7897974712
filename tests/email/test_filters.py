"""Dates, money, counts and agreement, as they stand in a mail."""

import re

import pytest

from leadflow.email.catalog import Email
from leadflow.email.filters import FILTERS
from leadflow.email.misuse import misused
from leadflow.email.names import FILTERS as NAMED
from leadflow.email.names import OWN_FILTERS, kinds_of
from leadflow.email.preview import preview_email
from leadflow.email.render import MissingValueError
from leadflow.errors import TemplateError
from leadflow.playbook.model import Base

BASE = Base(layout="<mjml><mj-body></mj-body></mjml>", text="{{ content }}", strings={})
FACTS: dict[str, object] = {"now": "2026-12-01T09:30:00+01:00", "lead.employees": 1200, "lead.deadline": None}


def written(body: str, language: str = "fr", **facts: object) -> str:
    email = Email(name="a", subject={language: "x"}, bodies={language: body}, kinds={language: "md"})
    dotted = {name.replace("_", ".", 1): value for name, value in facts.items()}
    return preview_email(email, language, FACTS | dotted, BASE).text.strip()


def plain(text: str) -> str:
    """`text` with every kind of space as the usual one."""
    return re.sub(r"\s", " ", text)


@pytest.mark.parametrize(
    ("expression", "french", "english"),
    [
        ("now | date", "1er décembre 2026", "1 December 2026"),
        ('now | date("long")', "mardi 1er décembre 2026", "Tuesday 1 December 2026"),
        ('now | date("short")', "01/12/2026", "1 Dec 2026"),
        ('now | date("month")', "décembre 2026", "December 2026"),
        ("1200 | money", "1 200 €", "€1,200"),
        ("1200.5 | money", "1 200,50 €", "€1,200.50"),
        ("-90 | money('USD')", "−90 $", "−$90"),
        ("1200 | money('CHF')", "1 200 CHF", "CHF 1,200"),
        ('0 | plural("page", "pages")', "0 page", "0 pages"),
        ('1 | plural("page", "pages")', "1 page", "1 page"),
        ('1.5 | plural("page", "pages")', "1,5 page", "1.5 pages"),
        ('2 | plural("page", "pages")', "2 pages", "2 pages"),
        ('lead.employees | plural("page", "pages")', "1 200 pages", "1,200 pages"),
    ],
)
def test_each_language_writes_in_its_own_way(expression: str, french: str, english: str) -> None:
    found = [plain(written(f"{{{{ {expression} }}}}", language)) for language in ("fr", "en")]
    assert found == [french, english]


def test_spaces_inside_numbers_and_dates_do_not_break() -> None:
    assert " " not in written('{{ 12000 | money }}{{ now | date }}{{ 3 | plural("mot", "mots") }}')


@pytest.mark.parametrize(
    ("civility", "expected"),
    [("Mme", "prête"), ("F", "prête"), ("M.", "prêt"), ("man", "prêt"), ("x", "prêt·e"), (None, "prêt·e")],
)
def test_words_agree_with_those_of_whom_something_is_known(civility: str | None, expected: str) -> None:
    body = '{{ lead.civility | gender(woman="prête", man="prêt", other="prêt·e") }}'
    assert written(body, lead_civility=civility) == expected


def test_a_language_without_words_of_its_own_gets_what_everybody_reads() -> None:
    assert plain(written("{{ now | date }}, {{ 1200 | money }}", "de")) == "2026-12-01, 1 200 €"


def test_words_that_stand_in_for_a_missing_value_stay_as_they_are() -> None:
    assert written("{{ lead.deadline | default('bientôt', true) | date }}") == "bientôt"


@pytest.mark.parametrize(
    "expression", ["lead.deadline | date", "lead.deadline | money", "lead.deadline | plural('', '')"]
)
def test_a_missing_value_is_missing_for_every_filter_that_writes_it(expression: str) -> None:
    with pytest.raises(MissingValueError):
        written(f"{{{{ {expression} }}}}")


@pytest.mark.parametrize("value", ["2026-02-31", float("nan"), float("inf")])
def test_a_value_that_is_none_of_its_kind_is_an_error(value: object) -> None:
    with pytest.raises(TemplateError):
        written("{{ lead.x | date }}{{ lead.x | money }}", lead_x=value)


def test_every_filter_that_is_named_is_there() -> None:
    assert (tuple(FILTERS), {*FILTERS} <= NAMED) == (OWN_FILTERS, True)


KINDS = kinds_of({"deadline": "date", "employees": "integer", "civility": "choice", "ok": "boolean"})


@pytest.mark.parametrize(
    "source",
    [
        '{{ now | date }}{{ lead.deadline | date("long") }}{{ lead.deadline | default("x") | date }}',
        '{{ lead.employees | money("USD") }}{{ lead.employees | plural("a", "b") }}{{ 3 | money }}',
        '{{ lead.civility | gender(woman="a", man="b", other="c") }}',
        "{% if lead.deadline > now %}x{% endif %}",
    ],
)
def test_filters_that_can_write_what_they_are_given_are_in_order(source: str) -> None:
    assert misused(source, KINDS) == []


@pytest.mark.parametrize(
    ("source", "column", "words"),
    [
        (
            "{{ company.name | date }}",
            19,
            "date cannot write company.name, which is of type text; it writes now, lead.d",
        ),
        ("{{ lead.deadline | money }}", 20, "money cannot write lead.deadline, which is of type date"),
        ("{{ lead.ok | plural('a', 'b') }}", 14, "plural cannot write lead.ok, which is of type boolean"),
        ("a {{ now }}", 6, "people would read 2026-12-01 here: write {{ now | date }}"),
        ("{{ now | date('lang') }}", 10, 'write date, or date("long"), date("short"), date("month")'),
        ("{{ 3 | money('euro') }}", 8, 'write money, or money("USD")'),
        ("{{ 3 | plural('a') }}", 8, 'write plural("page", "pages")'),
        ("{{ lead.civility | gender('a', 'b') }}", 20, "write gender(woman="),
    ],
)
def test_a_filter_that_cannot_write_it_says_what_to_write(source: str, column: int, words: str) -> None:
    (found,) = misused(source, KINDS)
    assert (found.line, found.column, found.message[: len(words)]) == (1, column, words)
