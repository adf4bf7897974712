"""Events count once, late claims are clamped, and only those of known leads wait for scoring."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leadflow.intake.events import NewEvent, record_events
from leadflow.models import event, event_inbox, event_key
from leadflow.types import month_of

NOW = datetime(2026, 3, 23, 3, 15, tzinfo=UTC)


def told(external_id: str, **more: object) -> NewEvent:
    values = {"kind": "page_viewed", "occurred_at": NOW - timedelta(hours=1), "lead_id": 7, "path": "/tarifs", **more}
    return NewEvent(source="replay", external_id=external_id, **values)  # type: ignore[arg-type]


def test_an_event_told_twice_counts_once(session: Session) -> None:
    first = record_events(session, [told("a"), told("b"), told("a")], received_at=NOW)
    second = record_events(session, [told("b"), told("c")], received_at=NOW)
    assert (first, second) == (2, 1)
    assert {"a", "b", "c"} == set(session.scalars(select(event_key.c.external_id)))
    assert session.scalar(select(func.count()).select_from(event)) == 3


def test_the_same_id_from_two_sources_is_two_events(session: Session) -> None:
    other = NewEvent(source="form", external_id="a", kind="form_submitted", occurred_at=NOW, lead_id=7)
    assert record_events(session, [told("a"), other], received_at=NOW) == 2


def test_an_event_from_the_future_is_clamped_and_its_claim_kept(session: Session) -> None:
    claim = NOW + timedelta(days=40)
    record_events(session, [told("a", occurred_at=claim)], received_at=NOW)
    row = session.execute(select(event)).one()
    assert (NOW, claim, 202603) == (row.occurred_at, row.claimed_at, row.month)


def test_events_of_nobody_and_without_weight_do_not_wait_for_scoring(session: Session) -> None:
    record_events(session, [told("a"), told("b", lead_id=None), told("c", weight=0)], received_at=NOW)
    assert session.scalar(select(func.count()).select_from(event_inbox)) == 1


def test_the_month_is_of_utc() -> None:
    new_year_in_paris = datetime(2026, 1, 1, 0, 30, tzinfo=ZoneInfo("Europe/Paris"))
    assert month_of(new_year_in_paris) == 202512


def test_many_events_take_as_many_statements_as_few(session: Session, statements: list[str]) -> None:
    record_events(session, [told(str(n)) for n in range(10)], received_at=NOW)
    few = len(statements)
    assert record_events(session, [told(str(n)) for n in range(2_500)], received_at=NOW) == 2_490
    assert len(statements) == 2 * few
