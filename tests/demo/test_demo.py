"""The demo: the same for the same seed, its sample as shipped, its screen counted from the rows."""

import io
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leadflow.app import App, sweep
from leadflow.ask.report.flows import standing
from leadflow.ask.report.period import ALWAYS
from leadflow.demo.claims import failed_claims
from leadflow.demo.ending import show_ending
from leadflow.demo.figures import mail_figures, sales_figures
from leadflow.demo.nights import Lived, import_sample, live, make_workspace
from leadflow.demo.people import sample_csv, sample_deals_csv, sample_people
from leadflow.eligibility import Tonight
from leadflow.errors import UsageError
from leadflow.models import escalation, hit, message
from tests.demo.recount import counted, numbers_on, screen
from tests.soak import SOAK

SAMPLE = Path(__file__).parents[2] / "sample" / "leads.csv"
NIGHTS = 4


def in_process(app: App, now: datetime) -> None:
    sweep(app, now)


def short_demo(folder: Path) -> tuple[Lived, list[Tonight]]:
    make_workspace(folder, 42)
    import_sample(folder)
    told: list[Tonight] = []
    lived = live(folder, 42, lambda _now, night: told.append(night), nights=NIGHTS, run_night=in_process)
    return lived, told


def history(lived: Lived) -> Sequence[tuple[object, ...]]:
    """Who was mailed what and when, who was handed over, how many links were followed."""
    with Session(lived.app.engine) as session:
        mails = session.execute(
            select(message.c.lead_id, message.c.email, message.c.language, message.c.state, message.c.send_at).order_by(
                message.c.id
            )
        ).all()
        sales = session.execute(select(escalation.c.lead_id, escalation.c.rep, escalation.c.opened_at)).all()
        clicks = session.execute(select(func.count()).select_from(hit)).all()
    return [tuple(row) for row in (*mails, *sales, *clicks)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    return short_demo(tmp_path_factory.mktemp("demo") / "one")[0]


def test_the_same_seed_lives_the_same_weeks(demo: Lived, tmp_path: Path) -> None:
    again, _told = short_demo(tmp_path / "two")
    assert history(demo) == history(again)


def test_every_night_mailed_and_skipped_are_everybody(demo: Lived) -> None:
    assert [night.mailed + sum(night.skipped.values()) for night in demo.told] == [300] * NIGHTS


def test_the_screen_s_numbers_are_the_rows(demo: Lived) -> None:
    out = io.StringIO()
    show_ending(Console(file=out, width=140), demo, seconds=1.0, ui="http://127.0.0.1:4200")
    screen = out.getvalue()
    with Session(demo.app.engine) as session:
        planned = session.scalar(select(func.count()).select_from(message))
        given = session.scalar(select(func.count()).select_from(escalation))
        mails, people = mail_figures(session), sum(standing(session, ALWAYS).values())
        sales = sales_figures(session, demo.nights[-1])
    assert people == 300
    assert planned == mails.accepted + mails.suppressed + mails.failed + mails.unknown + mails.waiting
    assert given == sales.accepted + sales.rejected + sales.lapsed + sales.late + sales.waiting
    assert f"{planned} planned = {mails.accepted} accepted" in screen
    assert f"{demo.told[-1].mailed} mails for 300 people" in screen


def test_the_funnel_mails_and_hand_overs_are_counted_from_the_rows(demo: Lived) -> None:
    read, wanted = numbers_on(screen(demo, width=115)), counted(demo)
    assert {place: read[place] for place in wanted} == wanted
    assert sum(read["reasons"].values()) == wanted["TONIGHT"][-1]


def test_too_few_nights_do_not_live_up_to_the_claims(demo: Lived) -> None:
    assert any("still-useful" in claim for claim in failed_claims(demo))


def test_the_shipped_sample_is_the_one_the_generator_makes() -> None:
    assert SAMPLE.read_text(encoding="utf-8") == sample_csv()
    assert SAMPLE.with_name("deals.csv").read_text(encoding="utf-8") == sample_deals_csv()


def test_sample_addresses_are_reserved_and_all_different() -> None:
    addresses = [row["Email"] for row in sample_people()]
    assert len(set(addresses)) == 300
    assert all(address.endswith(".example") for address in addresses)


def test_a_folder_that_is_no_demo_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError):
        make_workspace(tmp_path, 42)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


@pytest.mark.slow
@pytest.mark.no_cover  # a shorter demo above has counted the lines
def test_three_weeks_live_up_to_the_claims(tmp_path: Path) -> None:
    make_workspace(tmp_path / "demo", 42)
    import_sample(tmp_path / "demo")
    lived = live(tmp_path / "demo", 42, lambda _now, _night: None, run_night=in_process)
    assert failed_claims(lived) == []


@pytest.mark.slow
@pytest.mark.skipif(not SOAK, reason="three weeks as runs of Prefect take a minute: `make demo` lives them, and a soak")
@pytest.mark.no_cover  # a shorter demo above has counted the lines
def test_the_whole_demo_lives_up_to_its_claims(tmp_path: Path) -> None:
    # Unmeasured: counting lines takes a third of the time, and the short demo and the nights of tests/flows count them.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    command = [str(Path(sys.executable).with_name("leadflow")), "demo", "--workspace", str(tmp_path / "demo")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "21 nights lived" in done.stdout
