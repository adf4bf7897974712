"""The funnel as cohorts."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from leadflow.ask.funnel import Cohort, cohorts, rate
from leadflow.ask.report.period import month_bounds
from leadflow.models import deal, lead, lifecycle_change, stage_change

PARIS = ZoneInfo("Europe/Paris")
STAGES = ("discovery", "evaluation", "decision")
ENTERED = datetime(2026, 1, 10, 12, tzinfo=UTC)


def add_person(session: Session, number: int, *, source: str | None, won_after: timedelta | None = None) -> None:
    session.execute(
        insert(lead).values(
            id=number, seed=number, source=source, first_seen_at=ENTERED, created_at=ENTERED, updated_at=ENTERED
        )
    )
    if won_after is not None:
        won_at = ENTERED + won_after
        session.execute(
            insert(lifecycle_change).values(
                lead_id=number, before="lead", after="customer", cause="crm", effective_at=won_at, recorded_at=won_at
            )
        )
        session.execute(
            insert(deal).values(lead_id=number, external_id=f"d{number}", state="won", amount=100_00, updated_at=won_at)
        )


def by_source(session: Session) -> dict[str | None, Cohort]:
    return {cohort.name: cohort for cohort in cohorts(session, by="source", stages=STAGES, zone=PARIS)}


def test_an_empty_source_is_not_the_source_called_unknown(session: Session) -> None:
    add_person(session, 1, source=None)
    add_person(session, 2, source="unknown")
    found = by_source(session)
    assert (found[None].people, found["unknown"].people, found["total"].people) == (1, 1, 2)


@pytest.mark.parametrize(("days", "median"), [((10, 20, 60), 20.0), ((10, 20, 40, 90), 30.0), ((7,), 7.0)])
def test_the_median_is_the_middle_or_the_mean_of_the_two_middle_ones(
    session: Session, days: tuple[int, ...], median: float
) -> None:
    for number, after in enumerate(days, start=1):
        add_person(session, number, source="web", won_after=timedelta(days=after))
    assert median == by_source(session)["web"].days_to_customer == by_source(session)["total"].days_to_customer


def test_a_deal_won_before_first_contact_is_counted_and_told_apart(session: Session) -> None:
    add_person(session, 1, source="web", won_after=timedelta(days=-3))
    add_person(session, 2, source="web", won_after=timedelta(days=91))
    total = by_source(session)["total"]
    assert (total.customers, total.won_before, total.won_late, total.amount) == (2, 1, 1, 200_00)


def test_a_stage_counts_once_however_often_it_was_reached(session: Session) -> None:
    add_person(session, 1, source="web")
    for day, stage in enumerate(("evaluation", "discovery", "evaluation")):
        session.execute(
            insert(stage_change).values(lead_id=1, at=ENTERED + timedelta(days=day), after=stage, playbook="p")
        )
    assert by_source(session)["web"].stages == (1, 0)


def test_cohorts_by_month_follow_the_office_s_calendar(session: Session) -> None:
    add_person(session, 1, source="web")
    late = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)  # half past midnight on 1 February in Paris
    session.execute(
        insert(lead).values(id=2, seed=2, source="web", first_seen_at=late, created_at=late, updated_at=late)
    )
    found = cohorts(session, by="month", stages=STAGES, zone=PARIS)
    assert [(c.name, c.people) for c in found] == [("2026-01", 1), ("2026-02", 1), ("total", 2)]


def test_no_rate_is_shown_on_fewer_than_twenty_people() -> None:
    assert (rate(10, 19), rate(10, 20)) == (None, 0.5)


def test_no_rate_is_shown_where_some_skipped_a_step() -> None:
    assert rate(29, 25) is None


def test_months_go_on_over_the_turn_of_the_year() -> None:
    assert [name for name, _, _ in month_bounds("2025-12", "2026-01", PARIS)] == ["2025-12", "2026-01"]


def test_an_empty_database_has_no_cohort(session: Session) -> None:
    assert cohorts(session, by="source", stages=STAGES, zone=PARIS) == []
