"""The founding table, lead against prospect: each row names the files that carry it out, and they exist."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "why" / "lead-and-prospect.md"
_LINK = re.compile(r"\]\(([^)]+)\)")
#: How the product tells the two apart: semantics of a lead, semantics of a prospect.
FOUNDING = (
    ("gets information", "has a project"),
    ("has not said that it wants to buy", "has: a quote, a demo, a meeting"),
    ("may or may not be qualified", "is, by written criteria"),
    ("is at the start of its journey", "is at the end"),
    ("needs to be informed and taught", "needs to be convinced and reassured"),
    ("belongs to marketing", "belongs to sales"),
)


def rows() -> list[list[str]]:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_table_tells_a_lead_from_a_prospect_in_six_ways() -> None:
    assert [(row[0], row[1]) for row in rows()] == list(FOUNDING)


@pytest.mark.parametrize("place", range(len(FOUNDING)))
def test_each_row_names_its_rules_and_the_files_that_carry_them_out(place: int) -> None:
    _lead, _prospect, decided, carried_out = rows()[place]

    code = [target for target in _LINK.findall(carried_out) if target.startswith("../../leadflow/")]
    assert code, "no file of leadflow/ carries it out"
    assert _LINK.findall(decided), "no file of the playbook decides it"
    for target in (*_LINK.findall(decided), *_LINK.findall(carried_out)):
        assert (PAGE.parent / target).is_file(), target
