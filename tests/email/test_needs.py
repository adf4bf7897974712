"""What a template uses, read without running it."""

import pytest

from leadflow.email.needs import Forbidden, Used, forbidden_words, names_used
from leadflow.errors import TemplateError


def guarded(source: str) -> list[bool]:
    return [used.guarded for used in names_used(source)]


def test_a_name_is_found_with_its_line_and_column() -> None:
    assert [Used("lead.first_name", 2, 4, False)] == names_used("Bonjour\n{{ lead.first_name }},")


@pytest.mark.parametrize(
    "source",
    [
        "{{ ' ' ~ lead.x if lead.x }}",
        "{{ lead.x | default('you') | upper }}",
        "{% if lead.x %}{{ lead.x }}{% endif %}",
        "{% if lead.x and lead.x > 3 %}{{ lead.x }}{% endif %}",
        "{% if not lead.x %}none{% else %}{{ lead.x }}{% endif %}",
        "{% if lead.x is defined %}{{ lead['x'] }}{% endif %}",
        "{% if not lead.x or lead.x > 3 %}a{% endif %}",
    ],
)
def test_a_name_is_guarded_where_a_missing_value_does_no_harm(source: str) -> None:
    assert all(guarded(source))


@pytest.mark.parametrize(
    "source",
    [
        "{{ lead.x }}",
        "{{ lead.x | upper | default('') }}",
        "{% if lead.x > 3 %}a{% endif %}",
        "{% if lead.x or lead.y %}{{ lead.x }}{% endif %}",
        "{% if lead.x %}a{% else %}{{ lead.x }}{% endif %}",
        "{% for item in lead.x %}{{ item }}{% endfor %}",
    ],
)
def test_a_name_is_not_guarded_where_a_missing_value_would_show(source: str) -> None:
    assert not all(guarded(source))


def test_names_that_the_template_binds_itself_are_not_asked_of_anybody() -> None:
    assert names_used("{% set a = 1 %}{{ a }}{% for b in [1] %}{{ b }}{{ loop.index }}{% endfor %}") == []


def test_a_template_that_does_not_parse_says_on_which_line() -> None:
    with pytest.raises(TemplateError) as caught:
        names_used("a\nb {{ lead. }}")
    assert caught.value.line == 2


def test_what_is_not_on_the_list_is_found_without_being_run() -> None:
    assert [Forbidden("center", 1, 8, "filter")] == forbidden_words("{{ 'a'|center(2000000000) }}")
    assert [f.word for f in forbidden_words("{% include 'a' %}{% import 'b' as c %}")] == ["include", "import"]
    assert [f.kind for f in forbidden_words("{{ lead.first_name.format(1) }}{{ links.page('x') }}")] == ["call"]
