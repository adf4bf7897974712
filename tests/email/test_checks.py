"""The checks of emails: all documented and tried, none slow whatever it is given, colours as mailboxes show them."""

import re
import time
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from leadflow.email.checks import CHECKS
from leadflow.email.checks.body import Around, check_body
from leadflow.email.checks.colours import looks
from leadflow.email.checks.html import tokens
from leadflow.playbook.graph_rows import GRAPH_CHECKS

ROOT = Path(__file__).parents[2]


def test_every_check_has_its_row_in_the_reference_in_the_order_of_the_code() -> None:
    page = (ROOT / "docs/reference/checks.md").read_text(encoding="utf-8")

    assert re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE) == [*CHECKS, *GRAPH_CHECKS]


def test_every_check_is_tried_by_a_faulty_workspace() -> None:
    cases = (ROOT / "tests/faulty").glob("*/*.yaml")
    codes = {YAML(typ="safe", pure=True).load(case.read_text(encoding="utf-8")).get("code") for case in cases}

    assert {*CHECKS, *GRAPH_CHECKS} - codes == set()


def test_every_check_says_what_is_wrong_and_what_to_write() -> None:
    for check in (*CHECKS.values(), *GRAPH_CHECKS.values()):
        message, mend = check.words()
        assert message, check.code
        assert mend, check.code
        assert not message.endswith(".")


#: What is written again and again until a file is full.
ENDLESS = [
    "{{ ",
    '{{ "',
    '<a "',
    "<div>",
    "<table><tr><td>",
    "[a](",
    "![",
    "`",
    "```\n",
    " :",
    "«",
    ' "a',
    "a.",
    "[a]: b\n",
]


@pytest.mark.parametrize("piece", ENDLESS)
@pytest.mark.parametrize("kind", ["md", "html"])
def test_no_text_takes_the_checks_long(piece: str, kind: str) -> None:
    source = piece * (40_000 // len(piece))
    started = time.process_time()

    list(check_body(source, kind=kind, language="fr", around=Around()))

    # Forty thousand signs take a few hundredths of a second; squared they would take minutes.
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("html", "colour", "behind"),
    [
        ("<p style='color:#FFF'>a", "#ffffff", "#ffffff"),
        ("<p style='color:rgb(1, 2, 3); background: #000 none'>a", "#010203", None),
        ("<div style='background-color:black'><p style='color:red'>a", "#ff0000", "#000000"),
        ("<style>p{color:#111} .b{color:#222} @media x{p{color:#333}}</style><p class=b>a", "#222222", "#ffffff"),
        ("<style>.a p{color:#111}</style><p>a", None, "#ffffff"),
        ("<style>.a p{color:#111}</style><div class=a><p>a", "#111111", "#ffffff"),
        ("<p style='color:{{ brand.x }}'>a", None, "#ffffff"),
        ("<p style='color:#111'><a href=x>a", None, "#ffffff"),
        ("<mj-button>a", "#ffffff", "#414141"),
        ("<mj-section background-color='#123456'><mj-column><mj-text>a", "#000000", "#123456"),
        ("<div style='background: url(x.png)'>a", None, None),
    ],
)
def test_the_colours_of_a_text_are_those_a_mailbox_shows(html: str, colour: str | None, behind: str | None) -> None:
    from leadflow.email.checks.source import Written

    ((look, _opened),) = looks(tokens(Written(html).plain), "#ffffff")

    assert (look.colour, look.behind) == (colour, behind)
