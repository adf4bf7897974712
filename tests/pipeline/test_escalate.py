"""Hot is a crossing: who is handed over, why, and who is left in peace."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from leadflow.conditions.tree import FieldLeaf
from leadflow.models import decision, escalation, lead_state, metadata
from leadflow.pipeline.score import score_leads
from leadflow.playbook.model import NeverRule
from leadflow.types import DAY, EVERYONE, Leads, Reason, Scope, micros
from tests.build import NIGHT, add_event, add_lead
from tests.counting import counting
from tests.pipeline.sales import (
    add_account,
    ask_quote,
    escalate,
    handed,
    look_at_prices,
    selling,
)

TOMORROW = NIGHT + timedelta(days=1)


def close(session: Session, lead_id: int, **columns: Any) -> None:
    """Close the hand-over of a lead as a salesperson's answer does."""
    session.execute(update(escalation).where(escalation.c.lead_id == lead_id).values(closed_at=NIGHT, state="rejected"))
    session.execute(
        update(lead_state).where(lead_state.c.lead_id == lead_id).values({"with_sales": False, "hot": 0} | columns)
    )


def test_a_quote_request_is_handed_over_with_its_reason_and_clock(session: Session) -> None:
    add_lead(session, 1, score={"band": "C3"})
    ask_quote(session, 1, 1)

    assert escalate(session).changed == 1

    row = session.execute(select(escalation)).one()
    assert (row.lead_id, row.rule, row.band, row.number, row.state) == (1, "hand-raise", "C3", 1, "waiting")
    assert row.opened_at == NIGHT
    assert row.due_at > NIGHT
    assert session.scalar(select(lead_state.c.with_sales)) is True


def test_the_first_rule_of_the_file_gives_the_reason(session: Session) -> None:
    add_lead(session, 1, score={"band": "A1"})
    look_at_prices(session, 1, 1)
    ask_quote(session, 3, 1)

    escalate(session)

    assert [rule for _, rule, _ in handed(session)] == ["hand-raise"]


def test_what_held_at_the_last_sweep_opens_nothing_tonight(session: Session) -> None:
    add_lead(session, 1, score={"band": "A1"}, state={"hot": 2})
    look_at_prices(session, 1, 1)

    assert escalate(session).changed == 0


def test_what_stops_holding_is_forgotten_and_may_cross_again(session: Session) -> None:
    add_lead(session, 1, score={"band": "A1"}, state={"hot": 2})

    escalate(session)
    assert session.scalar(select(lead_state.c.hot)) == 0

    look_at_prices(session, 1, 1, occurred_at=NIGHT + timedelta(hours=1))
    assert escalate(session, now=TOMORROW).changed == 1


def test_a_second_run_at_the_same_instant_changes_no_row(session: Session) -> None:
    for lead_id in range(1, 9):
        add_lead(session, lead_id, score={"band": "A1"})
        (ask_quote if lead_id % 2 else look_at_prices)(session, lead_id * 10, lead_id)

    first = escalate(session)
    before = rows_of(session)
    second = escalate(session)

    assert (first.changed, second.changed) == (8, 0)
    assert rows_of(session) == before


def rows_of(session: Session) -> dict[str, list[Any]]:
    """Every row of every table."""
    return {table.name: sorted(map(repr, session.execute(select(table)))) for table in metadata.sorted_tables}


def test_an_import_of_old_acts_alerts_nobody(session: Session) -> None:
    for lead_id in range(1, 30):
        add_lead(session, lead_id, score={"band": "A1"}, attributes={"deadline": "2026-04-01"})
        for i in range(12):
            at: dict[str, Any] = {
                "occurred_at": NIGHT - timedelta(days=2 + 30 * i),
                "received_at": NIGHT - timedelta(hours=1),
            }
            look_at_prices(session, lead_id * 100 + 3 * i, lead_id, **at)
            add_event(session, lead_id * 100 + 3 * i + 2, lead_id, "quote_requested", **at)

    assert escalate(session).read == 0
    assert handed(session) == []


@pytest.mark.parametrize(("late", "told"), [(DAY, 1), (DAY + 1, 0)])
def test_acts_told_up_to_a_day_late_hand_over_and_later_ones_change_history_alone(
    session: Session, late: int, told: int
) -> None:
    add_lead(session, 1, score={"band": "A1"})
    came = NIGHT - timedelta(hours=1)
    look_at_prices(session, 1, 1, occurred_at=came - timedelta(microseconds=late), received_at=came)

    assert escalate(session).changed == told
    assert score_leads(session, selling(), NIGHT, EVERYONE).counts["folded"] == 2


def test_a_near_deadline_alone_alerts_nobody_but_with_an_act_it_does(session: Session) -> None:
    add_lead(session, 1, attributes={"deadline": "2026-04-01"})
    escalate(session)
    assert handed(session) == []

    add_event(session, 1, 1, "page_viewed", occurred_at=NIGHT + timedelta(hours=3), path="/")
    escalate(session, now=TOMORROW)

    assert [rule for _, rule, _ in handed(session)] == ["deadline-near"]


@pytest.mark.parametrize("kind", ["email_clicked", "call_logged", "deal_lost"])
def test_a_click_in_a_mail_or_an_act_of_ours_is_no_reason_to_call(session: Session, kind: str) -> None:
    add_lead(session, 1, attributes={"deadline": "2026-04-01"})
    add_event(session, 1, 1, kind)

    assert escalate(session).changed == 0


def test_an_act_at_the_very_instant_is_for_the_next_sweep(session: Session) -> None:
    add_lead(session, 1)
    ask_quote(session, 1, 1, ago=timedelta(0))

    assert escalate(session).changed == 0
    assert escalate(session, now=NIGHT + timedelta(microseconds=1)).changed == 1


def test_acts_before_a_rejection_are_spent(session: Session) -> None:
    add_lead(session, 1, state={"spent_before": NIGHT - timedelta(hours=1)})
    ask_quote(session, 1, 1)

    assert escalate(session).changed == 0


@pytest.mark.parametrize(
    ("state", "columns", "reason"),
    [
        ({"lifecycle": "customer"}, {}, Reason.CUSTOMER),
        ({"lifecycle": "disqualified"}, {}, Reason.DISQUALIFIED),
        ({"with_sales": True}, {}, Reason.WITH_SALES),
        ({}, {"deal_state": "open"}, Reason.OPEN_DEAL),
        ({}, {"email_domain": "rival.example"}, Reason.NEVER_LIST),
    ],
)
def test_nobody_is_handed_over_against_a_block_even_with_a_raised_hand(
    session: Session, state: dict[str, Any], columns: dict[str, Any], reason: Reason
) -> None:
    rivals = FieldLeaf(field="email_domain", operator="in", value=("rival.example",))
    add_lead(session, 1, state=state, **columns)
    ask_quote(session, 1, 1)

    outcome = escalate(session, selling(never=(NeverRule(name="rivals", when=rivals),)))

    assert (outcome.changed, outcome.skipped) == (0, {reason: 1})


def test_a_resting_lead_is_left_alone_until_it_raises_a_hand(session: Session) -> None:
    add_lead(session, 1, score={"band": "A1"}, state={"rest_until": NIGHT + timedelta(days=9)})
    look_at_prices(session, 1, 1)
    assert escalate(session).skipped == {Reason.RESTING: 1}

    ask_quote(session, 3, 1, ago=timedelta(hours=-1))
    escalate(session, now=TOMORROW)

    assert [rule for _, rule, _ in handed(session)] == ["hand-raise"]


def test_the_same_lead_comes_again_after_sixty_days_not_before(session: Session) -> None:
    add_lead(session, 1, score={"band": "A1"})
    look_at_prices(session, 1, 1)
    escalate(session)
    close(session, 1)
    for days, expected in ((59, 1), (60, 2)):
        now = NIGHT + timedelta(days=days)
        look_at_prices(session, days * 10, 1, occurred_at=now - timedelta(hours=3))
        session.execute(update(lead_state).values(hot=0))
        escalate(session, now=now)
        assert len(handed(session)) == expected


def test_a_second_quote_request_raises_the_hand_again_although_the_rule_held_all_along(session: Session) -> None:
    add_lead(session, 1)
    ask_quote(session, 1, 1)
    escalate(session)
    close(session, 1, hot=1)

    assert escalate(session, now=NIGHT + timedelta(hours=1)).changed == 0
    ask_quote(session, 2, 1, ago=timedelta(hours=-2))
    assert escalate(session, now=NIGHT + timedelta(hours=3)).changed == 1

    assert session.scalars(select(escalation.c.number).order_by(escalation.c.id)).all() == [1, 2]


def test_one_call_to_a_company_in_seven_days(session: Session) -> None:
    add_account(session, 5)
    for lead_id, engagement in ((1, 20), (2, 90)):
        add_lead(session, lead_id, account_id=5, score={"band": "A1", "engagement": engagement})
        look_at_prices(session, lead_id * 10, lead_id)

    outcome = escalate(session)

    assert [lead_id for lead_id, _, _ in handed(session)] == [2]
    assert outcome.counts["same_account"] == 1


def test_a_colleague_is_blocked_for_seven_days_unless_a_hand_is_raised(session: Session) -> None:
    add_account(session, 5)
    for lead_id in (1, 2, 3):
        add_lead(session, lead_id, account_id=5, score={"band": "A1"})
    look_at_prices(session, 1, 1)
    escalate(session)
    later = NIGHT + timedelta(hours=5)
    look_at_prices(session, 10, 2, occurred_at=later)
    add_event(session, 20, 3, "quote_requested", occurred_at=later)

    escalate(session, now=TOMORROW)

    assert [lead_id for lead_id, _, _ in handed(session)] == [1, 3]


def test_two_raised_hands_of_one_company_are_both_heard(session: Session) -> None:
    add_account(session, 5)
    for lead_id in (1, 2):
        add_lead(session, lead_id, account_id=5)
        ask_quote(session, lead_id, lead_id)

    assert escalate(session).changed == 2


def test_the_fast_lane_sees_only_its_lead(session: Session) -> None:
    for lead_id in (1, 2):
        add_lead(session, lead_id)
        ask_quote(session, lead_id, lead_id)

    escalate(session, scope=Leads((2,)))

    assert [lead_id for lead_id, _, _ in handed(session)] == [2]
    assert session.scalars(select(lead_state.c.hot).order_by(lead_state.c.lead_id)).all() == [0, 1]


def test_a_lead_seen_by_a_later_sweep_is_left_alone(session: Session) -> None:
    add_lead(session, 1, state={"as_of": NIGHT + timedelta(hours=1)})
    ask_quote(session, 1, 1)

    assert escalate(session).changed == 0


def test_the_decision_says_who_and_which_routes_had_nobody(session: Session) -> None:
    add_lead(session, 1, language="fr", state={"segment_main": "professional-firms"})
    ask_quote(session, 1, 1)

    escalate(session)

    row = session.execute(select(decision)).one()
    assert (row.kind, row.subject) == ("escalate", "hand-raise")
    assert (row.detail["rep"], row.detail["route"]) == ("Sofia", "knows-the-segment")
    assert row.detail["skipped"]["known-company"] == "no_owner"
    assert row.detail["due_at"] > micros(NIGHT)


def statements_of(engine: Engine, leads: int, scope: Scope = EVERYONE) -> int:
    """How many statements the phase takes for so many leads, each of whom asks for a quote."""
    with Session(engine) as session:
        for lead_id in range(1, leads + 1):
            add_lead(session, lead_id)
            ask_quote(session, lead_id, lead_id)
        with counting(engine) as statements:
            escalate(session, scope=scope)
        assert len(handed(session)) == (leads if scope is EVERYONE else 1)
        session.rollback()
    return len(statements)


def test_ten_leads_and_two_thousand_and_one_alone_take_the_same_statements(engine: Engine) -> None:
    assert statements_of(engine, 10) == statements_of(engine, 2000) == statements_of(engine, 10, Leads((3,)))
