"""The reference pages name what exists, all of it and nothing else."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from leadflow.ask.words import reason_words
from leadflow.cli import main
from leadflow.conditions.operators import OPERATORS
from leadflow.models import lead
from leadflow.playbook.vocabulary import BUILTIN_EVENTS, builtin_fields
from leadflow.settings import Settings
from leadflow.steps import step_types
from leadflow.text import set_language
from leadflow.types import Reason

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
_LINK = re.compile(r"\]\((?!https?:|#|\{)([^)#\s]+)")


def rows(page: str, heading: str = "") -> list[tuple[str, ...]]:
    """The cells of the tables of a reference page, below a heading where one is named, header and rule apart."""
    text = (DOCS / "reference" / page).read_text(encoding="utf-8")
    if heading:
        text = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = text.splitlines()
    after_rule = {place for place, line in enumerate(lines) if set(line) <= set("| -") and line}
    heads = {place - 1 for place in after_rule}
    return [
        tuple(cell.strip() for cell in line.strip("|").split("|"))
        for place, line in enumerate(lines)
        if line.startswith("|") and place not in after_rule | heads
    ]


def words(page: str, heading: str = "") -> list[str]:
    """The first column, without its backticks."""
    return [row[0].strip("`") for row in rows(page, heading)]


def test_every_operator_has_its_row_in_the_order_of_the_code() -> None:
    assert words("conditions.md", "`field`: one value of the person") == list(OPERATORS)


def test_every_built_in_field_has_its_row_with_its_type() -> None:
    known = builtin_fields(stages=(), criteria=(), segments=())

    written = {row[0].strip("`"): row[1] for row in rows("fields-and-events.md", "Built-in fields")}

    assert written == {name: str(spec.type) for name, spec in known.items()}


def test_every_built_in_event_has_its_row_with_its_properties() -> None:
    written = {row[0].strip("`"): row[1] for row in rows("fields-and-events.md", "Built-in events")}

    assert written == {
        name: ", ".join(f"`{word}`" for word in spec.properties) for name, spec in BUILTIN_EVENTS.items()
    }


def test_every_step_type_has_its_row_and_every_key_its_word() -> None:
    text = (DOCS / "reference" / "steps.md").read_text(encoding="utf-8")
    keys = {key for kind in step_types().values() for key in kind.keys}

    assert set(step_types()) <= set(words("steps.md"))
    assert [key for key in sorted(keys) if f"`{key}`" not in text] == []


def test_every_setting_has_its_row() -> None:
    assert words("settings.md") == [f"LEADFLOW_{name.upper()}" for name in Settings.model_fields]


def test_every_reason_has_its_row_with_the_words_people_read() -> None:
    set_language("en")

    written = {row[0].strip("`"): row[1] for row in rows("reasons.md")}

    assert written == {str(reason): reason_words(reason) for reason in Reason}


def test_every_reason_says_what_it_means_and_when_it_lifts() -> None:
    assert [row[0] for row in rows("reasons.md") if len(row) != 4 or not all(row)] == []


def test_every_table_has_one_line() -> None:
    assert sorted(words("tables.md")) == sorted(lead.metadata.tables)


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every command as it is typed, and its long options."""
    main._gather()
    waiting: list[tuple[str, Any]] = [("leadflow", typer.main.get_command(main.app))]
    while waiting:
        name, command = waiting.pop()
        if hasattr(command, "commands"):
            waiting += [(f"{name} {word}", inner) for word, inner in command.commands.items()]
        else:
            yield name, [option for found in command.params for option in found.opts if option.startswith("--")]


def test_every_command_has_its_heading_and_every_option_is_named_below_it() -> None:
    text = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### `(leadflow [a-z -]*[a-z])[^`]*`\n(.*?)(?=^#|\Z)", text, re.DOTALL | re.MULTILINE))
    known = dict(commands())

    assert sorted(sections) == sorted(known)
    assert [
        (name, option) for name, options in known.items() for option in options if option not in sections[name]
    ] == []


def test_every_dependency_has_a_line_saying_why() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[\[<>=!~ ]", wish)[0] for wish in wanted}
    page = (DOCS / "adr" / "0002-dependencies.md").read_text(encoding="utf-8")
    first = (line.split("|")[1] for line in page.splitlines() if line.startswith("| "))

    explained = {word.strip("*() ") for cell in first for word in re.split(r"[, ]+", cell)}

    assert names - explained == set()


def test_links_between_pages_lead_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")]
    links = [(page, link) for page in pages for link in _LINK.findall(page.read_text(encoding="utf-8"))]

    assert [f"{page.relative_to(ROOT)}: {link}" for page, link in links if not (page.parent / link).exists()] == []


def test_every_page_is_named_by_the_index() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    pages = (str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md") if page.parent.name != "adr")

    assert [page for page in sorted(pages) if page != "index.md" and f"({page})" not in index] == []


def test_every_test_that_holds_the_door_is_there() -> None:
    named = re.findall(r"`(tests/[^`]+)`", (DOCS / "security.md").read_text(encoding="utf-8"))
    assert [path for path in named if not (DOCS.parent / path).is_file()] == []
    assert len(named) > 20
