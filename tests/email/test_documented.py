"""The reference of templates says what the code does, names and examples alike."""

import re
from pathlib import Path

from leadflow.email.catalog import Email
from leadflow.email.names import FILTERS, FRAMED, NAMES, OWN_FILTERS, TESTS
from leadflow.email.preview import preview_email
from leadflow.playbook.model import Base
from leadflow.playbook.model.look import COLORS, READ_ON

PAGE = (Path(__file__).parents[2] / "docs/reference/templates.md").read_text(encoding="utf-8")
BASE = Base(layout="<mjml><mj-body></mj-body></mjml>", text="{{ content }}", strings={})
FACTS: dict[str, object] = {"now": "2026-12-01T09:30:00+01:00", "lead.employees": 1200, "lead.civility": "mme"}


def rows(heading: str) -> list[list[str]]:
    """The cells below a heading, without backticks, header and rule apart."""
    section = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_every_name_has_its_row_with_its_type_and_whether_people_lack_it() -> None:
    said = {name: (kind, lack == "yes") for name, kind, lack, _words in rows("Names")}
    assert said == {name: (str(spec.kind), spec.may_lack) for name, spec in NAMES.items()}
    assert {row[0]: row[1] for row in rows("In the frame")} == {name: str(s.kind) for name, s in FRAMED.items()}


def test_every_colour_has_its_row() -> None:
    said = {row[0]: (row[1], row[2] or None) for row in rows("The look")}
    assert said == {name: (colour, READ_ON.get(name)) for name, colour in COLORS.items()}


def test_every_filter_writes_what_its_row_says() -> None:
    for written, *expected in rows("Filters"):
        body = "{{ " + written.replace("\\|", "|") + " }}"
        for language, text in zip(("fr", "en"), expected, strict=True):
            email = Email(name="a", subject={language: "x"}, bodies={language: body}, kinds={language: "md"})
            found = preview_email(email, language, FACTS, BASE).text.strip()
            assert re.sub(r"\s", " ", found) == text


def test_every_filter_and_test_is_named() -> None:
    section = PAGE.split("\n## Filters\n", 1)[1].split("\n## ", 1)[0]
    assert [name for name in OWN_FILTERS if not re.search(rf"\| {name}\b", section)] == []
    assert [name for name in FILTERS | TESTS if not re.search(rf"`(is )?{name}`", section)] == []
