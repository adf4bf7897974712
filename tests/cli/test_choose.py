"""`leadflow choose` and `leadflow coverage` as they are typed."""

import json
import shutil
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from leadflow.app import open_app, sweep
from leadflow.cli.common import console
from leadflow.intake.people import upsert_people
from leadflow.intake.person import PersonReader
from tests.cli.conftest import Types

PARIS = ZoneInfo("Europe/Paris")
NIGHT = datetime(2026, 3, 23, 4, 15, tzinfo=PARIS)


@pytest.fixture(scope="module")
def lived(empty_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One night with Claire, who gets the welcome, and Luc, whose data nobody may use."""
    folder = Path(shutil.copytree(empty_workspace, tmp_path_factory.mktemp("choose") / "lived"))
    app = open_app(folder)
    known = {"basis": "legitimate_interest", "source": "fair", "informed_on": "2026-02-13", "language": "fr"}
    people = [{"email": "claire@makers.example", **known}, {"email": "luc@b.example", "language": "en"}]
    reader = PersonReader(fields=app.playbook.fields, zone=PARIS)
    with Session(app.engine) as session, session.begin():
        read = [reader.read(one, None) for one in people]
        upsert_people(session, app.playbook, read, key=app.settings.key(), now=NIGHT.replace(day=20), source="import")
    sweep(app, NIGHT)
    app.engine.dispose()
    return folder


@pytest.fixture
def place(lived: Path, tmp_path: Path) -> Path:
    """That workspace, for a test to change."""
    return Path(shutil.copytree(lived, tmp_path / "place"))


def test_a_choice_is_shown_with_what_each_asks_and_who_wins(types: Types, monkeypatch: pytest.MonkeyPatch) -> None:
    told = types("choose", "--lead", "claire@makers.example").output
    assert "discovery/learn-1 asks for the best email for discovery" in told
    assert "✗ professional-firms" in told
    (winner,) = [line for line in told.splitlines() if line.startswith("→ ") and ", in fr: " in line]
    monkeypatch.setattr(console, "_width", 80)
    narrow = types("choose", "--lead", "claire@makers.example").output
    assert winner in narrow
    assert max(map(len, narrow.splitlines())) <= 130
    assert "for professional-firms" in narrow


def test_the_variant_they_get_is_said(types: Types, place: Path) -> None:
    email = place / "templates/emails/welcome/email.yaml"
    email.write_text(email.read_text(encoding="utf-8") + "variants: {short: {share: 100 %, subject: Bien reçu}}\n")
    asked = ("choose", "--lead", "luc@b.example", "--step", "discovery/welcome", "--workspace", str(place))
    assert "of its variants they get short, like 100 % of those it goes to" in types(*asked).output
    assert json.loads(types(*asked, "--format", "json").output)["variant"] == "short"


def test_a_named_email_is_asked_less_and_the_next_choice_is_pointed_at(types: Types) -> None:
    told = types("choose", "--lead", "luc@b.example", "--step", "discovery/welcome").output
    assert "→ welcome, in en: the step names it" in told
    assert "the next step that chooses: --step discovery/learn-1" in told
    assert "⚠ whatever is chosen, they get no mail now: no legal basis (leadflow why luc@b.example --not)" in told


def test_machines_read_the_same_choice(types: Types) -> None:
    told = json.loads(types("choose", "--lead", "l-0001", "--format", "json").output)
    assert (told["step"], told["language"], told["blocked"]) == ("discovery/learn-1", "fr", None)
    fitting = [row["email"] for row in told["candidates"] if row["fits"]]
    assert fitting[0] == told["chosen"]
    assert told["candidates"][0]["asks"]["stage"] is True


def test_nobody_and_nothing_by_that_name(types: Types) -> None:
    done = types("choose", "--lead", "nobody@x.example")
    assert (done.exit_code, done.stderr) == (2, "nobody is known as nobody@x.example\n")


def test_the_grid_counts_whoever_may_be_mailed(types: Types) -> None:
    told = types("coverage").output
    assert "COVERAGE · 1 person who may be mailed, and the emails they have not had" in told
    for word in ("discovery", "evaluation", "decision", "professional-firms", "no segment"):
        assert word in told


def test_without_a_database_the_grid_counts_emails_alone_and_makes_none(types: Types, place: Path) -> None:
    shutil.rmtree(place / "var")
    lost = place / "templates/emails/faq-budget/email.yaml"
    lost.write_text(lost.read_text().replace("rank: 30", "rank: 30\npick: named"))
    told = types("coverage").output
    assert "nobody stands there yet" in told
    assert "NOBODY CAN EVER RECEIVE\n  faq-budget: it is picked by name only, and no step names it" in told
    assert not (place / "var").exists()
    cells = json.loads(types("coverage", "--format", "json").output)["cells"]
    assert len(cells) == 2 * 5 * 3 * 16
    assert {cell["people"] for cell in cells} == {0}


def test_a_grid_of_files_with_errors_is_their_errors(types: Types, place: Path) -> None:
    (place / "templates/emails/faq-budget/email.yaml").write_text("subject: x\n")
    done = types("coverage")
    assert done.exit_code == 2
    assert "faq-budget/email.yaml" in done.stderr
