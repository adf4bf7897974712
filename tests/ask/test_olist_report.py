"""The report of the real leads gives the published figures to the unit."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from leadflow.ask.funnel import Cohort, cohorts
from leadflow.cli import report as command
from tests.build import playbook
from tests.test_olist import ORIGINS, imported, olist

# The fixtures of the import's own test; where the files are missing, both say so.
__all__ = ["imported", "olist"]

STAGES = ("discovery", "evaluation", "decision")


@pytest.fixture
def session(imported: tuple[object, str, str]) -> Iterator[Session]:
    """A session on the imported leads and deals."""
    engine = imported[0]
    with Session(engine) as session:  # type: ignore[arg-type]
        yield session


def found(session: Session, by: str, first: str | None = None, last: str | None = None) -> list[Cohort]:
    return cohorts(session, by=by, stages=STAGES, zone=ZoneInfo("UTC"), first=first, last=last)


def test_people_and_customers_by_origin_with_the_empty_one_apart_from_unknown(session: Session) -> None:
    *origins, total = found(session, "source")
    assert {one.name: (one.customers, one.people) for one in origins} == ORIGINS
    assert (total.people, total.customers) == (8000, 842)
    assert round(100 * (total.win_rate or 0), 3) == 10.525


def test_the_median_deal_and_those_won_before_and_late(session: Session) -> None:
    total = found(session, "source")[-1]
    assert round(total.days_to_customer or 0, 2) == 14.65
    assert (total.won_before, total.won_late) == (1, 151)


def test_months_hold_everybody_once(session: Session) -> None:
    *months, total = found(session, "month")
    names = [month.name or "" for month in months]
    assert names == sorted(names)
    assert sum(month.people for month in months) == total.people == 8000
    assert sum(month.customers for month in months) == total.customers == 842
    some = found(session, "month", first=names[2], last=names[4])
    assert [month.people for month in some[:-1]] == [month.people for month in months[2:5]]


def test_the_command_prints_them_and_the_odd_ones(
    imported: tuple[object, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from types import SimpleNamespace

    from typer import Typer

    settings = SimpleNamespace(simulated=False)
    opened = SimpleNamespace(engine=imported[0], playbook=playbook(), office=ZoneInfo("UTC"), settings=settings)
    monkeypatch.setattr(command, "opened", lambda _workspace: opened)
    monkeypatch.setattr("leadflow.cli.common.console._width", 200)
    app = Typer()
    command.add_to(app)
    told = " ".join(CliRunner().invoke(app, []).output.split())
    assert "organic_search 2,296" in told
    assert "(source empty) 60" in told
    assert "842 · 10.5 %" in told
    assert "14.65" in told
    assert "1 customer was won before first contact (imported)" in told
    assert "151 customers were won more than 90 days after first contact." in told
