"""Real input: 8,000 leads and 842 deals of a marketplace are imported to the row and counted to the unit."""

import os
import shlex
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session
from typer import Typer
from typer.testing import CliRunner

from leadflow.cli import intake as commands
from leadflow.db import make_engine
from leadflow.models import event, lead, lead_state, lifecycle_change
from leadflow.types import DAY, micros
from tests.build import playbook

SHARED = Path(os.environ.get("LEADFLOW_SHARED") or Path(__file__).parents[2] / "shared")
LEADS = "olist_marketing_qualified_leads_dataset.csv"
DEALS = "olist_closed_deals_dataset.csv"

HOW_TO = Path(__file__).parents[1] / "docs" / "how-to" / "import.md"

#: Origin → deals, leads; None is an empty cell.
ORIGINS = {
    "organic_search": (271, 2296),
    "paid_search": (195, 1586),
    "social": (75, 1350),
    "unknown": (179, 1099),
    "direct_traffic": (56, 499),
    "email": (15, 493),
    "referral": (24, 284),
    "other": (4, 150),
    "display": (6, 118),
    "other_publicities": (3, 65),
    None: (14, 60),
}


def documented_commands() -> list[list[str]]:
    """The two imports as the how-to shows them."""
    text = HOW_TO.read_text(encoding="utf-8").replace("\\\n", " ")
    return [shlex.split(line)[1:] for line in text.splitlines() if line.startswith("leadflow import olist_")]


@pytest.fixture(scope="module")
def olist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the files, so that nothing is written beside them."""
    source = SHARED / "data" / "olist"
    if not (source / LEADS).exists():
        pytest.skip(f"the real leads are not there ({source}): nobody tried the import on real input")
    folder = tmp_path_factory.mktemp("olist")
    for name in (LEADS, DEALS):
        shutil.copy(source / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def imported(olist: Path, sqlite_template: Path) -> Iterator[tuple[Engine, str, str]]:
    """The engine, and what the two imports said."""
    database = olist / "leadflow.db"
    shutil.copyfile(sqlite_template, database)
    engine = make_engine(f"sqlite:///{database}")
    opened = SimpleNamespace(engine=engine, playbook=playbook(), settings=SimpleNamespace(key=lambda: "secret"))
    app = Typer()
    commands.add_to(app)

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(olist)
        patch.setattr(commands, "opened", lambda _workspace: opened)
        said = [CliRunner().invoke(app, command) for command in documented_commands()]
    assert [done.exit_code for done in said] == [0, 0], [done.output for done in said]
    leads, deals = (done.output for done in said)
    yield engine, leads, deals
    engine.dispose()


def test_all_leads_and_deals_are_accounted_for(imported: tuple[Engine, str, str]) -> None:
    _engine, leads, deals = imported
    nothing_else = "0 updated + 0 unchanged + 0 duplicate + 0 rejected"
    assert f"people: 8000 rows = 8000 created + {nothing_else}" in leads
    assert "source: empty in 60 rows" in leads
    assert "7940 of 8000 people may be mailed tonight" in leads
    assert "60  no legal basis" in leads
    assert f"deals: 842 rows = 842 created + {nothing_else}" in deals


def test_the_deal_won_before_the_first_contact_is_said(imported: tuple[Engine, str, str]) -> None:
    assert imported[2].count("before the first contact: kept as it is") == 1


def test_customers_by_origin_are_as_published(imported: tuple[Engine, str, str]) -> None:
    state = select(lead.c.source, lead_state.c.lifecycle, func.count()).join(
        lead_state, lead_state.c.lead_id == lead.c.id
    )
    with Session(imported[0]) as session:
        counted = session.execute(state.group_by(lead.c.source, lead_state.c.lifecycle)).all()
    people: Counter[str | None] = Counter()
    won: Counter[str | None] = Counter()
    for source, lifecycle, n in counted:
        people[source] += n
        won[source] += n if lifecycle == "customer" else 0
    assert {source: (won[source], people[source]) for source in people} == ORIGINS
    assert (won.total(), people.total()) == (842, 8000)


def test_deals_have_their_business_dates(imported: tuple[Engine, str, str]) -> None:
    moved = select(lifecycle_change.c.effective_at, lead.c.first_seen_at)
    moved = moved.join(lead, lead.c.id == lifecycle_change.c.lead_id).where(lifecycle_change.c.after == "customer")
    with Session(imported[0]) as session:
        spans = [(micros(row.effective_at) - micros(row.first_seen_at)) / DAY for row in session.execute(moved)]
        told = session.scalar(select(func.count()).select_from(event).where(event.c.kind == "deal_won"))
    assert (len(spans), told) == (842, 842)
    assert round(median(spans), 2) == 14.65
    assert sum(span > 90 or span < 0 for span in spans) == 152
    assert sum(span < 0 for span in spans) == 1
