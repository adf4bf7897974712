"""`leadflow report` as it is typed: each view, each format, and what is refused."""

import csv
import io
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy.orm import Session
from typer.testing import Result

from leadflow.app import open_app
from tests.ask.report_world import live_at_random
from tests.cli.conftest import Types


@pytest.fixture
def asked(types: Types, place: Path, monkeypatch: pytest.MonkeyPatch) -> Types:
    """`leadflow report …` in a workspace with a random history, on a wide screen."""
    monkeypatch.setattr("leadflow.cli.common.console._width", 200)
    with Session(open_app(place).engine) as session, session.begin():
        live_at_random(session, 3)

    def asked(*words: str) -> Result:
        return types("report", *words)

    return asked


def rows_of(said: Result) -> Sequence[dict[str, str]]:
    """What a CSV says."""
    return list(csv.DictReader(io.StringIO(said.output)))


def test_the_funnel_by_salesperson_as_json_ends_with_everybody(asked: Types) -> None:
    told = json.loads(asked("--by", "owner", "--format", "json").output)
    assert sum(row["people"] for row in told["rows"]) == told["total"]["people"] == 60
    assert (told["report"], next(iter(told["rows"][0]))) == ("funnel", "owner")


def test_csv_says_shares_as_fractions_and_a_cell_begins_no_formula(asked: Types) -> None:
    rows = rows_of(asked("--format", "csv"))
    total = rows[-1]
    assert float(total["of_people"]) == pytest.approx(int(total["customer"]) / int(total["people"]), abs=1e-4)
    assert "'=cmd" in [row["source"] for row in rows]


@pytest.mark.parametrize(("view", "first"), [("--sales", "salesperson"), ("--odd", "oddity")])
def test_a_view_is_the_same_as_table_and_csv(asked: Types, view: str, first: str) -> None:
    table, rows = asked(view), rows_of(asked(view, "--format", "csv"))
    assert next(iter(rows[0])) == first
    assert all(row[first] in table.output for row in rows[:3])


@pytest.mark.parametrize("view", [(), ("--emails",), ("--sales",)])
def test_a_narrow_screen_leaves_rates_out_and_cuts_nothing(
    asked: Types, monkeypatch: pytest.MonkeyPatch, view: Sequence[str]
) -> None:
    wide, columns = asked(*view).output, rows_of(asked(*view, "--format", "csv"))
    monkeypatch.setattr("leadflow.cli.common.console._width", 80)
    narrow = asked(*view).output
    assert "…" not in narrow
    assert max(map(len, narrow.splitlines())) <= 80
    assert narrow.count("%") <= wide.count("%")
    letters = "".join(narrow.split())
    for row in columns:
        # A name that is folded stands with its rest below it: its first letters begin the line.
        assert next(iter(row.values()))[:4].strip("'") in letters


def test_the_page_goes_to_a_file(asked: Types, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    assert str(target) in asked("--format", "html", "-o", str(target)).output.replace("\n", "")
    assert target.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_an_age_leaves_the_young_out_and_says_so(asked: Types) -> None:
    assert "as they were 400 days after first contact" in asked("--age", "400", "--at", "2026-12-31").output


def test_emails_tell_who_edited_them_last(asked: Types, place: Path) -> None:
    git = ["git", "-C", str(place), "-c", "user.name=Camille", "-c", "user.email=c@a.example"]
    for words in (["init", "-q"], ["add", "templates"], ["commit", "-qm", "all", "--date", "2026-03-02T12:00"]):
        subprocess.run([*git, *words], check=True)
    edited = {row["email"]: row["edited_by"] for row in rows_of(asked("--emails", "--format", "csv"))}
    assert (edited["welcome (original)"], edited["case"]) == ("Camille", "")


@pytest.mark.parametrize("words", [("--by", "colour"), ("--to", "2026-02-31"), ("--emails", "--sales")])
def test_what_cannot_be_asked_is_refused_in_words(types: Types, words: tuple[str, ...]) -> None:
    said = types("report", *words)
    assert said.exit_code == 2
    assert words[0] in said.output + said.stderr


def test_an_empty_workspace_says_so(types: Types) -> None:
    assert "nobody entered in these months" in types("report").output
