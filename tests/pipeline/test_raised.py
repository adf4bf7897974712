"""Somebody whom sales have asks again: whoever has them is told at once, and nothing that was put off stays so."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from leadflow.models import decision, escalation
from leadflow.pipeline.alert_facts import untold
from leadflow.pipeline.alert_text import Door, told_of
from tests.build import NIGHT, add_event
from tests.pipeline.sales import ask_quote, escalate, open_handover, selling

BEFORE = NIGHT - timedelta(days=3)
#: One business hour after the office opens.
DUE = NIGHT.replace(hour=9, minute=0)


def with_sales(session: Session, **columns: Any) -> None:
    """Hand-over 1 of three days ago, told then; its lead asked for a quote last evening."""
    dates = {"opened_at": BEFORE, "alerted_at": BEFORE, "due_at": NIGHT + timedelta(days=3)}
    open_handover(session, 1, **dates | columns)
    ask_quote(session, 1, 1)


def row(session: Session) -> Row[Any]:
    return session.execute(select(escalation)).one()


def test_what_was_put_off_is_due_now(session: Session) -> None:
    with_sales(session, state="later", again_at=NIGHT + timedelta(days=20), answered_at=BEFORE, reminders=1)

    outcome = escalate(session)

    found = row(session)
    assert (found.state, found.due_at, found.alerted_at, found.raised_at) == ("waiting", DUE, None, NIGHT)
    assert (found.again_at, found.reminders, found.rep) == (NIGHT, 0, "Marc")
    assert outcome.counts["raised_again"] == 1
    assert session.scalars(select(decision.c.reason)).all() == ["raised_again"]


@pytest.mark.parametrize(("due", "sooner"), [(NIGHT + timedelta(days=3), DUE), (BEFORE, BEFORE)])
def test_what_waits_is_due_sooner_and_never_later(session: Session, due: datetime, sooner: datetime) -> None:
    with_sales(session, due_at=due)

    escalate(session)

    assert (row(session).state, row(session).due_at, row(session).alerted_at) == ("waiting", sooner, None)


def test_what_was_accepted_is_told_once_more_and_has_no_clock(session: Session) -> None:
    with_sales(session, state="accepted", lead={"first_name": "Claire"})

    escalate(session)

    (facts,) = untold(session, selling(), NIGHT)
    told = told_of(facts, selling(), NIGHT, Door(key="k", public_url="https://a.example"))
    assert told.title == "Raised a hand again · Claire · A2 · yours already"
    assert (told.answers, told.silence) == ((), "")


def test_a_second_sweep_tells_nothing_more(session: Session) -> None:
    with_sales(session)
    escalate(session)
    before = session.execute(select(escalation)).all(), session.execute(select(decision)).all()

    escalate(session)
    assert (session.execute(select(escalation)).all(), session.execute(select(decision)).all()) == before
    escalate(session, now=NIGHT + timedelta(hours=1))

    assert row(session).raised_at == NIGHT


def test_a_third_hand_is_told_again(session: Session) -> None:
    with_sales(session)
    escalate(session)
    later = NIGHT + timedelta(hours=8)
    add_event(session, 2, 1, "meeting_booked", occurred_at=later - timedelta(hours=1))

    escalate(session, now=later)

    assert row(session).raised_at == later


@pytest.mark.parametrize("kind", ["page_viewed", "email_clicked"])
def test_other_acts_put_nothing_forward(session: Session, kind: str) -> None:
    open_handover(session, 1, state="later", again_at=NIGHT + timedelta(days=9), opened_at=BEFORE)
    add_event(session, 1, 1, kind, path="/tarifs")

    escalate(session)

    assert (row(session).state, row(session).raised_at) == ("later", None)
