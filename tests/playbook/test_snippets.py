"""Snippets and the brand's look: put in where they are named, faults at the place where somebody wrote them."""

from pathlib import Path

import pytest

from leadflow.email.preview import preview_email
from leadflow.email.snippets import blanked, included, put_in
from leadflow.playbook.company import brand_of
from leadflow.playbook.load import check_playbook, load_playbook
from leadflow.reading import read_yaml
from tests.playbook.conftest import WELCOME, change

SNIPPETS = "templates/emails/_base/snippets"
LOOK = {"brand.colors.text": "#123456"}


def write(workspace: Path, **files: str) -> None:
    """Snippets by name; `__` stands for a full stop."""
    (workspace / SNIPPETS).mkdir(exist_ok=True)
    for name, text in files.items():
        (workspace / SNIPPETS / name.replace("__", ".")).write_text(text)


def test_a_snippet_stands_where_it_is_named_and_takes_part_in_what_a_mail_needs(workspace: Path) -> None:
    write(workspace, hello__fr__md="Votre entreprise, {{ company.name }}.\n", tel__md="03 20 00 00 00")
    change(
        workspace / WELCOME / "body.fr.md", "{{ sender", 'Tel. {% include "tel" %}\n{% include "hello" %}\n{{ sender'
    )
    before = load_playbook(workspace)
    facts: dict[str, object] = {"company.name": "Acme", "sender.first_name": "Zoé", "lead.first_name": None}
    facts |= {f"brand.{name}": getattr(before.brand, name) for name in ("name", "site", "postal_address")}

    done = preview_email(before.emails["welcome"], "fr", facts, before.base)

    assert "Tel. 03 20 00 00 00\n\nVotre entreprise, Acme.\n\nZoé" in done.text
    assert before.emails["welcome"].needs["fr"] == {"company.name"}
    assert "welcome" in before.emails
    write(workspace, tel__md="03 20 11 11 11")
    assert load_playbook(workspace).emails["welcome"].version != before.emails["welcome"].version


def test_each_fault_is_told_where_it_was_written(workspace: Path) -> None:
    write(workspace, a__md='x\n{{ lead.frist_name }} {% include "a" %}', b__md="{% if lead.country %}", c__xyz="x")
    body = workspace / WELCOME / "body.fr.md"
    body.write_text('{% include "a" %} {% include "nothing" %}\n\n{% include "../layout" %} {% include lead.country %}')

    found = {(fault.file, fault.line, fault.column, fault.message) for fault in check_playbook(workspace)[1]}

    path = f"{WELCOME}/body.fr.md"
    for expected in (
        (f"{SNIPPETS}/a.md", 2, 4, "lead.frist_name: did you mean lead.first_name?"),
        (f"{SNIPPETS}/a.md", 2, 23, "a snippet includes no other snippet"),
        (f"{SNIPPETS}/b.md", 1, 1, "a block is never closed: write {% endif %} or {% endfor %} where it ends"),
        (f"{SNIPPETS}/c.xyz", 0, 0, "nobody reads this file: a snippet is called signature.fr.md"),
        (path, 1, 19, f"there is no snippet {SNIPPETS}/nothing.fr.md. One of: a, b"),
        (path, 3, 1, '"../layout" is no name of a snippet: small letters, digits and -, no path'),
        (path, 3, 30, 'include takes the name of a snippet between quotes: {% include "signature" %}'),
    ):
        assert expected in found


def test_subjects_take_neither_snippets_nor_colours_and_a_colour_stands_alone(workspace: Path) -> None:
    (workspace / WELCOME / "email.yaml").write_text(
        "title: x\nsubject: {fr: '{% include \"a\" %}', en: '{{ brand.font }}'}\n"
    )
    (workspace / WELCOME / "body.fr.md").write_text("{{ brand.colors.text | upper }}, {{ brand.colors.txet }}")

    found = {(fault.line, fault.column, fault.message) for fault in check_playbook(workspace)[1]}

    alone = "brand.{0} stands in bodies and layouts, alone between braces: {{{{ brand.{0} }}}}"
    for expected in (
        (2, 16, "subjects and preheaders include no snippet"),
        (2, 44, alone.format("font")),
        (1, 4, alone.format("colors.text")),
        (1, 37, "brand.colors.txet: did you mean brand.colors.text?"),
    ):
        assert expected in found


def test_colours_that_cannot_be_told_apart_are_faults() -> None:
    faults = told('colors: {text: "#888", button: green, link: "#0b5c63", buton: "#000"}')

    assert [fault.partition(";")[0] for fault in faults] == [
        '"buton" is not known here. Did you mean button?',
        '"green" is no colour: write it between quotes, such as "#0b5c63"',
        "text #888 on paper #ffffff: a contrast of 3.5, and people need 4.5 to read it",
    ]


@pytest.mark.parametrize("font", ["Georgia", "Georgia; color: red, serif", '"A", serif'])
def test_a_font_is_a_list_that_any_machine_can_end(font: str) -> None:
    assert len(told(f"font: '{font}'")) == 1


def told(brand: str) -> list[str]:
    faults: list[object] = []
    text = f"{{name: A, site: 'https://a.example', postal_address: b, languages: [fr], {brand}}}"
    root = read_yaml("config/leadflow.yaml", text, faults)  # type: ignore[arg-type]
    assert root is not None
    brand_of(root)
    return [fault.message for fault in faults]  # type: ignore[attr-defined]


def test_the_brand_colours_every_mail(workspace: Path) -> None:
    before = load_playbook(workspace)
    change(workspace / "config/leadflow.yaml", "  languages:", '  colors: {button: "#7a1f5c"}\n  languages:')

    after = load_playbook(workspace)

    assert ("#7a1f5c" in before.base.layout, "#7a1f5c" in after.base.layout) == (False, True)
    assert before.emails["welcome"].version != after.emails["welcome"].version


def test_tags_in_comments_and_raw_stretches_are_none() -> None:
    source = '{# {% include "a" %} #}{% raw %}{% include "b" %}{{ brand.font }}{% endraw %}{% include "c" %}'
    assert [one.snippet for one in included(source)] == ["c"]
    assert put_in(source, {"brand.font": "x"}, str.upper).endswith("{% endraw %}C")


def test_blanks_keep_every_place() -> None:
    source = 'a {% include\n"b" %} {{ brand.colors.text }} {{ brand.colors.txt }}'
    plain = blanked(source, LOOK)
    assert (len(plain), plain.count("\n"), plain.split()) == (len(source), 1, ["a", "{{", "brand.colors.txt", "}}"])


def test_a_snippet_alone_on_its_line_is_a_paragraph_of_its_own() -> None:
    assert put_in('a\n{% include "b" %}\nc', {}, str.upper, apart=True) == "a\n\n\nB\n\n\nc"
    assert put_in('a {% include "b" %}', {}, str.upper, apart=True) == "a B"
