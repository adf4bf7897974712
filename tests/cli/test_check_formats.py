"""`leadflow check --format`: what programs and GitHub are told of faults."""

import json
from pathlib import Path

import pytest

from leadflow.cli._faults import as_github, as_json
from leadflow.errors import Fault, Severity
from leadflow.text import set_language
from tests.cli.conftest import Types

WELCOME = "templates/emails/welcome/body.en.md"


@pytest.fixture
def broken(place: Path) -> Path:
    """A workspace with one error, which has no code, and one warning, which has one."""
    body = place / WELCOME
    body.write_text(f"{body.read_text()}\n{{{{ lead.firstname }}}} [click here](https://a.example/)\n")
    return place


def test_json_is_a_list_of_all_faults(types: Types, broken: Path) -> None:
    done = types("check", "--format", "json")

    error, warning = json.loads(done.output)
    line = len((broken / WELCOME).read_text().splitlines())
    assert done.exit_code == 2
    assert error == {
        "file": WELCOME,
        "line": line,
        "column": 4,
        "severity": "error",
        "code": None,
        "message": "lead.firstname: did you mean lead.first_name?",
        "mend": None,
    }
    assert warning | {"message": "", "mend": ""} == error | {
        "column": 22,
        "severity": "warning",
        "code": "link-words",
        "message": "",
        "mend": "",
    }


def test_json_of_a_sound_workspace_is_an_empty_list(types: Types) -> None:
    done = types("check", "--format", "json")

    assert (done.exit_code, json.loads(done.output)) == (0, [])


def test_github_is_told_the_place_below_the_checkout(
    types: Types, broken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(broken.parent))

    done = types("check", "--format", "github")

    first, second = done.output.splitlines()
    assert done.exit_code == 2
    assert first.startswith(f"::error file=place/{WELCOME},line=")
    assert first.endswith(",col=4::lead.firstname: did you mean lead.first_name?")
    assert ",title=link-words::" in second


def test_what_would_end_a_command_of_github_is_escaped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    fault = Fault(file="a,b:c%.md", line=1, column=2, message="100 %: one\nand two", severity=Severity.WARNING)

    assert as_github(fault, tmp_path) == "::warning file=a%2Cb%3Ac%25.md,line=1,col=2::100 %25: one%0Aand two"
    assert as_github(Fault(file="a.md", message="gone"), tmp_path) == "::error file=a.md::gone"


def test_words_are_those_of_the_language_and_codes_are_the_same_in_all() -> None:
    fault = Fault(file="é.md", message="dit « non »", code="link-words")

    assert json.loads(as_json([fault]))[0]["severity"] == "error"
    assert "é" in as_json([fault])
    try:
        set_language("fr")
        assert json.loads(as_json([fault]))[0]["code"] == "link-words"
    finally:
        set_language(None)
