"""`leadflow person` as it is typed: two records made one, a copy of what is held, an erasure."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Types

TWICE = "email,first_name\nada@x.example,Ada\na.byron@y.example,A.\n"


@pytest.fixture
def types(types: Types, place: Path) -> Types:
    """In a workspace that knows Ada twice."""
    (place / "two.csv").write_text(TWICE)
    lawful = ("--basis", "consent", "--source", "fair", "--informed-on", "2026-03-01")
    assert types("import", str(place / "two.csv"), *lawful).exit_code == 0
    return types


def test_two_records_are_made_one_handed_out_whole_and_erased_whole(types: Types, place: Path) -> None:
    merge = ("person", "merge", "ada@x.example", "a.byron@y.example")
    assert "nothing was merged" in types(*merge, input="n\n").output
    assert "L-0002 is part of L-0001 now" in types(*merge, "--yes").output
    assert "are the same person already" in types(*merge, "--yes").stderr

    assert types("person", "export", "a.byron@y.example", "--out", str(place / "ada.json")).exit_code == 0
    held = json.loads((place / "ada.json").read_text())["held"]
    assert [row["value"] for row in held["identity"]] == ["ada@x.example", "a.byron@y.example"]
    assert [row["first_name"] for row in held["lead"]] == ["Ada"]

    assert "nothing was erased" in types("person", "erase", "L-0001", input="n\n").output
    assert "erased L-0001" in types("person", "erase", "L-0001", "--yes").output
    assert "nobody is known as" in types("person", "export", "ada@x.example").stderr
