"""Salespeople answer from a terminal: each command as it is typed, on a workspace of its own."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import RowMapping, select
from sqlalchemy.orm import Session
from typer import Typer
from typer.testing import CliRunner, Result

from leadflow.app import open_app
from leadflow.cli import main
from leadflow.cli.common import console
from leadflow.db import make_engine
from leadflow.models import escalation, lead, lead_state
from leadflow.playbook.example import copy_example
from tests.build import NIGHT
from tests.pipeline.sales import open_handover

AT = "2026-03-23T10:00"
Says = Callable[..., Result]


@cache
def commands() -> Typer:
    main._gather()
    return main.app


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated workspace with two hand-overs, 1 to Marc and 2 to Inès."""
    folder = tmp_path_factory.mktemp("sales") / "workspace"
    copy_example(folder)
    (folder / ".env").write_text("LEADFLOW_SIMULATED=true\n")
    app = open_app(folder)
    with Session(app.engine) as session, session.begin():
        open_handover(session, 1, lead={"first_name": "Claire [x]", "last_name": "Morel"})
        open_handover(session, 2, rep="Inès", due_at=NIGHT + timedelta(hours=1))
    app.engine.dispose()
    return folder


@pytest.fixture
def workspace(prepared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "workspace"))


@pytest.fixture
def says(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Says:
    """`leadflow handover …` in the workspace at ten o'clock of the night's day."""
    # The console reads COLUMNS when it is made, which another test may have brought about.
    monkeypatch.setattr(console, "_width", 160)

    def says(*words: str, at: str | None = AT) -> Result:
        when = () if at is None else ("--at", at)
        return CliRunner().invoke(commands(), ["handover", *words, "--workspace", str(workspace), *when])

    return says


def row(workspace: Path, number: int = 1) -> RowMapping:
    """A hand-over, and where its lead stands."""
    engine = make_engine(f"sqlite:///{workspace / 'var' / 'leadflow.db'}")
    joined = escalation.join(lead_state, lead_state.c.lead_id == escalation.c.lead_id)
    with engine.connect() as connection:
        columns = (*escalation.c, lead_state.c.lifecycle, lead_state.c.with_sales)
        found = connection.execute(select(*columns).select_from(joined).where(escalation.c.id == number))
        one = found.mappings().one()
    engine.dispose()
    return one


def test_the_list_shows_the_most_urgent_first_and_names_as_they_are_written(says: Says) -> None:
    lines = says("list").output.splitlines()

    assert "Inès" in lines[1]
    assert "late" in lines[1]
    assert "Claire [x] Morel" in lines[2]
    assert "2026-03-23 13:15" in lines[2]


def test_the_list_can_be_one_salespersons(says: Says) -> None:
    assert "Marc" not in says("list", "--rep", "Inès").output
    assert says("list", "--rep", "Sofia").output == "nobody is waiting for sales\n"


def test_accept_makes_a_prospect(says: Says, workspace: Path) -> None:
    assert says("accept", "1").output == "hand-over 1: accepted; now a prospect\n"
    assert (row(workspace)["state"], row(workspace)["lifecycle"]) == ("accepted", "prospect")


def test_whoever_accepts_may_take_it_over(says: Says, workspace: Path) -> None:
    says("accept", "1", "--by", "Sofia")

    assert row(workspace)["rep"] == "Sofia"


def test_later_keeps_the_day(says: Says, workspace: Path) -> None:
    assert says("later", "1", "--on", "2026-04-07").exit_code == 0
    assert row(workspace)["again_at"].isoformat() == "2026-04-07T07:00:00+00:00"


def test_reject_makes_a_lead_again(says: Says, workspace: Path) -> None:
    assert says("reject", "1", "--reason", "no_budget").output == "hand-over 1: rejected; now a lead\n"
    assert (row(workspace)["answer_reason"], row(workspace)["with_sales"]) == ("no_budget", False)


def test_some_rejections_disqualify(says: Says) -> None:
    assert says("reject", "1", "--reason", "not_a_fit").output == "hand-over 1: rejected; now disqualified\n"


@pytest.mark.parametrize(("typed", "cents"), [("12000", 12_000_00), ("12000.50", 12_000_50), ("12000,50", 12_000_50)])
def test_won_keeps_the_amount_in_cents(says: Says, workspace: Path, typed: str, cents: int) -> None:
    assert says("won", "1", "--amount", typed).output == "hand-over 1: won; now a customer\n"
    assert row(workspace)["amount"] == cents


def test_lost_closes_it(says: Says, workspace: Path) -> None:
    says("accept", "1")

    assert says("lost", "1", "--reason", "price", at="2026-03-24T10:00").output == "hand-over 1: lost; now a lead\n"
    assert row(workspace)["closed_at"] is not None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("accept", "9"), "there is no hand-over 9"),
        (("accept", "1", "--by", "Bob"), "Bob does not sell here. One of: Inès, Marc, Sofia, Hélène"),
        (("list", "--rep", "Bob"), "Bob does not sell here. One of: Inès, Marc, Sofia, Hélène"),
        (("reject", "1", "--reason", "bored"), "reject needs a reason, one of: no_project, no_budget"),
        (("lost", "1", "--reason", "bored"), "lost needs a reason, one of: price"),
        (("won", "1", "--amount", "12 k€"), "--amount 12 k€: write 12000 or 12000.50"),
        (("won", "1", "--amount", "1.234"), "--amount 1.234: write 12000 or 12000.50"),
        (("later", "1", "--on", "07/04/2026"), "--on 07/04/2026: write a date such as 2026-04-07"),
        (("later", "1", "--on", "2026-03-20"), "later needs a day to come back, after today"),
    ],
)
def test_what_cannot_be_is_said_in_words_and_writes_nothing(
    says: Says, workspace: Path, words: tuple[str, ...], told: str
) -> None:
    answered = says(*words)

    assert (2, told) == (answered.exit_code, answered.output[: len(told)])
    assert row(workspace)["state"] == "waiting"


def test_a_closed_hand_over_takes_no_answer(says: Says) -> None:
    says("reject", "1", "--reason", "no_budget")

    again = says("accept", "1")

    assert (again.exit_code, again.output) == (2, "hand-over 1 is closed: rejected\n")


def test_only_a_simulated_workspace_takes_another_day(says: Says, workspace: Path) -> None:
    (workspace / ".env").unlink()

    assert says("accept", "1").output == "--at is for simulated workspaces: an answer counts from now\n"
    assert says("accept", "1", at=None).output == "hand-over 1: accepted; now a prospect\n"


def test_the_installed_command_answers_the_same(workspace: Path) -> None:
    leadflow = Path(sys.executable).with_name("leadflow")
    words = [str(leadflow), "handover", "reject", "1", "--reason", "bored", "--workspace", str(workspace)]

    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("reject needs a reason")


def test_what_was_learned_is_kept_with_its_source_and_date(says: Says, workspace: Path) -> None:
    assert says("note", "1", "budget=5k_15k", "deadline=2026-05-07").output == "hand-over 1: noted budget, deadline\n"

    engine = make_engine(f"sqlite:///{workspace / 'var' / 'leadflow.db'}")
    with engine.connect() as connection:
        known = connection.execute(select(lead.c.attributes, lead.c.provenance).where(lead.c.id == 1)).one()
    engine.dispose()
    assert (known.attributes["budget"], known.attributes["deadline"]) == ("5k_15k", "2026-05-07")
    assert known.provenance["budget"] == {"source": "sales", "on": "2026-03-23"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("1", "budgt=5k_15k"), "budgt is no declared field. One of: job_title"),
        (("1", "budget=lots"), 'budget: "lots" is not a choice'),
        (("1", "budget"), "budget: write FIELD=VALUE"),
        (("9", "budget=5k_15k"), "there is no hand-over 9"),
    ],
)
def test_what_cannot_be_noted_is_refused(says: Says, words: tuple[str, ...], said: str) -> None:
    done = says("note", *words)
    assert (done.exit_code, said in " ".join(done.output.split())) == (2, True), done.output
