"""`leadflow init`, `check` and `schema`: start a workspace, and have its faults told."""

import json
from pathlib import Path

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from leadflow.db import make_engine
from leadflow.models import enrolment
from tests.build import NIGHT, add_lead
from tests.cli.conftest import Types, commands


def test_a_new_workspace_is_sound(tmp_path: Path) -> None:
    made = CliRunner().invoke(commands(), ["init", str(tmp_path / "new")], catch_exceptions=False)
    assert made.exit_code == 0
    done = CliRunner().invoke(commands(), ["check", "--workspace", str(tmp_path / "new")], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1].startswith("0 errors")


def test_init_overwrites_nothing(place: Path) -> None:
    (place / "config" / "scoring.yaml").write_text("mine")
    done = CliRunner().invoke(commands(), ["init", str(place)], catch_exceptions=False)
    assert done.exit_code == 2
    assert "already holds a workspace" in done.stderr
    assert (place / "config" / "scoring.yaml").read_text() == "mine"


def test_schemas_are_written_where_the_files_look_for_them(types: Types, place: Path) -> None:
    done = types("schema")
    assert done.exit_code == 0
    named = (place / "config" / "leadflow.yaml").read_text().splitlines()[0].rpartition("=")[2]
    schema = json.loads((place / "config" / named).read_text(encoding="utf-8"))
    assert schema["title"].startswith("leadflow: ")


def test_schemas_are_written_for_a_broken_workspace_too(types: Types, place: Path) -> None:
    (place / "config" / "scoring.yaml").write_text("fit: [")
    assert types("schema").exit_code == 0


def test_check_counts_errors_and_warnings_apart(types: Types, place: Path) -> None:
    scoring = place / "config" / "scoring.yaml"
    scoring.write_text(scoring.read_text().replace("event: page_viewed, points: 1", "event: page_veiwed, points: 1"))
    done = types("check")
    assert done.exit_code == 2
    assert 'error  event "page_veiwed" is not known. Did you mean page_viewed?' in done.output
    assert "1 error to mend before anything is sent" in done.output


def test_check_shows_five_warnings_and_says_how_many_more_there_are(types: Types, place: Path) -> None:
    segments = [f"extra-{n}" for n in range(7)]
    for country, name in zip("ABCDEFG", segments, strict=True):
        (place / f"segments/{name}.yaml").write_text(
            f"title: {{fr: a, en: b}}\nwhen: {{field: country, is: A{country}}}\n"
        )
    done = types("check")
    assert done.exit_code == 0
    assert done.output.count("is not in segment_order") == 5
    assert "2 more warnings with --all" in done.output
    every = types("check", "--all")
    assert every.output.count("is not in segment_order") == 7
    assert "7 warnings" in every.output


def test_check_asks_the_people_there_are_unless_told_not_to(types: Types, place: Path) -> None:
    engine = make_engine(f"sqlite:///{place / 'var/leadflow.db'}")
    with Session(engine) as session, session.begin():
        add_lead(session, 1)
        columns = {"lead_id": 1, "sequence": "discovery", "track": "nurture", "entry": 1, "position": "gone-now"}
        session.execute(insert(enrolment), columns | {"entered_at": NIGHT, "completed_at": NIGHT, "step": "wait-1"})
    engine.dispose()
    done = types("check")
    assert done.exit_code == 2
    assert 'error  step "gone-now" is gone; 1 person who has passed it would stand nowhere' in done.output
    assert types("check", "--files").exit_code == 0


@pytest.mark.parametrize("command", [["run"], ["plan"], ["report"], ["deliver"], ["why", "claire@x.example"]])
def test_a_broken_workspace_stops_every_command_with_its_faults(types: Types, place: Path, command: list[str]) -> None:
    (place / "segments" / "online-shops.yaml").write_text("title: {fr: a, en: b}\nwhen: {field: contry, is: FR}\n")
    before = (place / "var" / "leadflow.db").read_bytes()
    done = types(*command)
    assert done.exit_code == 2
    assert 'segments/online-shops.yaml:2:15  error  field "contry" is not known. Did you mean country?' in done.stderr
    assert "Traceback" not in done.output
    assert (place / "var" / "leadflow.db").read_bytes() == before
