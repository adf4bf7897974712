"""Nobody answers: a reminder, somebody else, the manager, and at last the lead is a lead again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, Row, insert, select
from sqlalchemy.orm import Session

from leadflow.models import assignment, deal, decision, escalation, lead_state, lifecycle_change
from leadflow.pipeline.clocks import latest_before, run_clocks
from leadflow.types import EVERYONE, HOUR, Leads, Span, SpanKind
from leadflow.windows import due_after
from tests.build import NIGHT, add_event, add_lead
from tests.counting import counting
from tests.pipeline.sales import (
    INES,
    MARC,
    SOFIA,
    add_account,
    away,
    escalate,
    handed,
    open_handover,
    sales,
    selling,
)

#: Monday 13:00 in Paris: four business hours after nine.
DUE = datetime(2026, 3, 23, 12, tzinfo=UTC)


def clocks(session: Session, now: datetime, **parts: Any) -> dict[str, int]:
    """Run the clocks; the counts that are not zero."""
    counts = run_clocks(session, selling(sales=sales(**parts)), now, EVERYONE)
    return {word: n for word, n in counts.items() if n}


def row(session: Session) -> Row[Any]:
    return session.execute(select(escalation)).one()


def test_before_the_clock_has_run_nothing_happens(session: Session) -> None:
    open_handover(session, 1, due_at=DUE)

    assert clocks(session, DUE - timedelta(seconds=1)) == {}


def test_at_the_whole_clock_the_salesperson_is_told_again(session: Session) -> None:
    open_handover(session, 1, due_at=DUE)

    assert clocks(session, DUE) == {"at_100": 1}

    assert (row(session).rep, row(session).reminders, row(session).alerted_at) == ("Marc", 1, None)


def test_at_twice_the_clock_somebody_else_is_asked(session: Session) -> None:
    open_handover(session, 1, due_at=DUE, lead={"language": "fr"}, state_of_lead={"segment_main": "manufacturers"})
    at_five = DUE + timedelta(hours=4)

    assert clocks(session, at_five - timedelta(seconds=2)) == {"at_100": 1}
    assert clocks(session, at_five) == {"at_200": 1}

    assert (row(session).rep, row(session).route, row(session).reminders) == ("Sofia", "knows-the-segment", 2)
    told = session.execute(select(decision)).one()
    assert (told.subject, told.reason) == ("hot-profile", "next_in_route")
    skipped = {"known-company": "no_owner", "knows-the-segment": None, "speaks-the-language": None}
    assert told.detail == {"from": "Marc", "rep": "Sofia", "route": "knows-the-segment", "skipped": skipped}


def test_with_nobody_else_there_the_manager_gets_it_at_twice_the_clock(session: Session) -> None:
    open_handover(session, 1, due_at=DUE, lead={"language": "fr"})

    clocks(session, DUE + timedelta(hours=4), team=(MARC,))

    assert (row(session).rep, row(session).route) == ("Hélène", "nobody-free")


def test_at_three_times_the_clock_the_manager_gets_it(session: Session) -> None:
    open_handover(session, 1, due_at=DUE)

    # The office closes at five: the fourth hour of the third clock is one o'clock on Tuesday.
    assert clocks(session, DUE + timedelta(days=1) - timedelta(seconds=2)) == {"at_200": 1}
    assert clocks(session, DUE + timedelta(days=1)) == {"at_300": 1}

    assert (row(session).rep, row(session).reminders) == ("Hélène", 3)


def test_a_second_run_at_the_same_instant_does_nothing(session: Session) -> None:
    for lead_id in (1, 2, 3):
        open_handover(session, lead_id, due_at=DUE - timedelta(hours=4 * lead_id))
    now = DUE + timedelta(hours=4)
    clocks(session, now)
    before = session.execute(select(escalation)).all(), session.execute(select(decision)).all()

    assert clocks(session, now) == {}

    assert (session.execute(select(escalation)).all(), session.execute(select(decision)).all()) == before


def test_after_fourteen_days_the_lead_is_a_lead_again_and_rests(session: Session) -> None:
    open_handover(session, 1, state_of_lead={"lifecycle": "prospect"})
    now = NIGHT + timedelta(days=14)

    assert clocks(session, now - timedelta(seconds=1)).get("lapsed") is None
    assert clocks(session, now) == {"lapsed": 1}

    assert (row(session).state, row(session).closed_at) == ("lapsed", now)
    state = session.execute(select(lead_state)).one()
    assert (state.lifecycle, state.with_sales, state.hot) == ("lead", False, 0)
    assert (state.spent_before, state.rest_until) == (now, now + timedelta(days=60))
    change = session.execute(select(lifecycle_change)).one()
    assert (change.before, change.after, change.cause) == ("prospect", "lead", "sweep")


def test_an_accepted_hand_over_has_no_clock(session: Session) -> None:
    open_handover(session, 1, state="accepted")

    assert clocks(session, NIGHT + timedelta(days=90)) == {}


def test_later_comes_back_on_its_day_with_a_whole_clock(session: Session) -> None:
    day = datetime(2026, 4, 20, 7, tzinfo=UTC)
    open_handover(session, 1, state="later", again_at=day, answered_at=NIGHT, reminders=1)

    assert clocks(session, day - timedelta(seconds=1)) == {}
    assert clocks(session, day) == {"reopened": 1}

    found = row(session)
    assert (found.state, found.alerted_at, found.reminders) == ("waiting", None, 0)
    assert found.due_at == day + timedelta(hours=4)
    assert clocks(session, day + timedelta(days=14))["lapsed"] == 1


def test_a_customer_made_by_the_crm_closes_the_hand_over_as_won(session: Session) -> None:
    open_handover(session, 1, state="accepted", state_of_lead={"lifecycle": "customer"})

    assert clocks(session, DUE) == {"settled": 1}

    assert (row(session).state, row(session).closed_at) == ("won", DUE)
    assert session.scalar(select(lead_state.c.with_sales)) is False


@pytest.mark.parametrize(("updated", "settled"), [(NIGHT + timedelta(days=2), 1), (NIGHT - timedelta(days=2), 0)])
def test_a_deal_lost_since_closes_the_hand_over_and_one_lost_before_does_not(
    session: Session, updated: datetime, settled: int
) -> None:
    open_handover(session, 1, state="accepted", state_of_lead={"lifecycle": "prospect"})
    session.execute(insert(deal), {"lead_id": 1, "external_id": "d1", "state": "lost", "updated_at": updated})

    assert clocks(session, NIGHT + timedelta(days=3)).get("settled", 0) == settled

    assert session.scalar(select(lead_state.c.lifecycle)) == ("lead" if settled else "prospect")


def test_only_the_scope_is_touched(session: Session) -> None:
    for lead_id in (1, 2):
        open_handover(session, lead_id, due_at=DUE)

    run_clocks(session, selling(), DUE, Leads((2,)))

    assert session.scalars(select(escalation.c.reminders).order_by(escalation.c.id)).all() == [0, 1]


def test_whoever_is_away_is_not_the_next_in_route(session: Session) -> None:
    open_handover(session, 1, due_at=DUE, lead={"language": "fr"})
    gone = SOFIA.__class__(name="Sofia", languages=("fr",), away=away("2026-03-20", "2026-03-23"))

    clocks(session, DUE + timedelta(hours=4), team=(MARC, gone))

    assert row(session).rep == "Hélène"


def test_a_rule_no_file_names_any_more_keeps_its_clock(session: Session) -> None:
    open_handover(session, 1, rule="gone", opened_at=DUE - timedelta(hours=4), due_at=DUE)

    assert clocks(session, DUE + timedelta(hours=4) - timedelta(seconds=1)) == {"at_100": 1}
    assert clocks(session, DUE + timedelta(hours=4)) == {"at_200": 1}


@pytest.mark.parametrize("hours", range(0, 24 * 9, 7))
@pytest.mark.parametrize(
    "span",
    [
        Span(kind=SpanKind.BUSINESS_HOURS, amount=4),
        Span(kind=SpanKind.BUSINESS_DAYS, amount=2),
        Span(kind=SpanKind.ELAPSED, amount=3 * HOUR),
    ],
)
def test_latest_before_is_the_last_instant_whose_clock_has_run(span: Span, hours: int) -> None:
    session = Session()
    now = NIGHT + timedelta(hours=hours)
    made = selling()

    found = latest_before(session, made, now, span)

    assert due_after(session, made, found, span) <= now < due_after(session, made, found + timedelta(seconds=1), span)


def statements_of(engine: Engine, handovers: int) -> int:
    """How many statements the clocks take: a third is due, a third twice over, a third for a fortnight."""
    with Session(engine) as session:
        for lead_id in range(1, handovers + 1):
            at = NIGHT - timedelta(days=7 * (lead_id % 3))
            open_handover(session, lead_id, opened_at=at, due_at=at + timedelta(hours=9))
        with counting(engine) as statements:
            clocks(session, DUE)
        session.rollback()
    return len(statements)


def test_six_hand_overs_and_three_hundred_take_the_same_statements(engine: Engine) -> None:
    assert statements_of(engine, 6) == statements_of(engine, 300)


def given(session: Session) -> list[tuple[str, str | None]]:
    """Who was given hand-over 1, and from whom, in order."""
    rows = select(assignment.c.rep, assignment.c.taken_from).where(assignment.c.escalation_id == 1)
    return [(row.rep, row.taken_from) for row in session.execute(rows.order_by(assignment.c.at))]


def test_it_is_kept_through_whose_hands_a_hand_over_went(session: Session) -> None:
    open_handover(session, 1, due_at=DUE, lead={"language": "fr"}, state_of_lead={"segment_main": "manufacturers"})

    clocks(session, DUE + timedelta(hours=4))
    clocks(session, DUE + timedelta(days=1))

    assert given(session) == [("Marc", None), ("Sofia", "Marc"), ("Hélène", "Sofia")]


def test_what_was_taken_away_again_counts_for_the_day_but_takes_no_turn_from_who_steps_in(session: Session) -> None:
    pair = (replace(INES, per_day=1), replace(SOFIA, per_day=3))
    open_handover(session, 100, rep="Inès", due_at=DUE, state_of_lead={"segment_main": "online-shops"})
    clocks(session, DUE + timedelta(hours=4), team=pair)
    assert row(session).rep == "Sofia"
    later = DUE + timedelta(hours=5)
    for lead_id in (2, 3):
        add_lead(session, lead_id, language="fr", state={"segment_main": "online-shops"})
        add_event(session, lead_id, lead_id, "quote_requested", occurred_at=later - timedelta(hours=1))

    escalate(session, selling(sales=sales(team=pair)), later)

    # Inès had her one of the day, though it is Sofia's by now.
    assert [rep for lead_id, _rule, rep in handed(session) if lead_id < 100] == ["Sofia", "Sofia"]


def test_whoever_had_it_and_was_silent_is_the_reason_a_route_gave_nobody(session: Session) -> None:
    owned = {"account_id": add_account(session, 5, owner="Marc"), "language": "en"}
    open_handover(session, 1, due_at=DUE, lead=owned, state_of_lead={"segment_main": "manufacturers"})

    clocks(session, DUE + timedelta(hours=4), team=(MARC,))

    told = session.scalars(select(decision.c.detail)).one()
    assert (told["rep"], told["skipped"]["known-company"]) == ("Hélène", "silent")
