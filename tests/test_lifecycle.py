"""Only the moves that exist are made, by those who own them, each with its history."""

from datetime import timedelta

import pytest
from sqlalchemy import BigInteger, literal, select, update
from sqlalchemy.orm import Session

from leadflow.errors import UsageError
from leadflow.intake.lifecycle import Cause, Moved, may_move, move_lifecycle, move_one
from leadflow.models import decision, lead_state, lifecycle_change
from leadflow.types import Lifecycle, micros
from tests.build import NIGHT, add_lead


def _everybody(session: Session, to: Lifecycle, cause: Cause) -> Moved:
    at = literal(micros(NIGHT - timedelta(days=3)), BigInteger).label("effective_at")
    people = select(lead_state.c.lead_id, at)
    return move_lifecycle(session, NIGHT, people=people, to=to, cause=cause, playbook="p")


def _lifecycles(session: Session) -> dict[int, str]:
    return {row.lead_id: row.lifecycle for row in session.execute(select(lead_state))}


def test_moves_whom_the_cause_may_move_and_counts_the_refused(session: Session) -> None:
    for lead_id, before in enumerate(("lead", "prospect", "customer", "disqualified"), start=1):
        add_lead(session, lead_id, state={"lifecycle": before})

    assert _everybody(session, Lifecycle.PROSPECT, Cause.SALES) == Moved(moved=1, refused=2)

    assert _lifecycles(session) == {1: "prospect", 2: "prospect", 3: "customer", 4: "disqualified"}


def test_a_move_leaves_its_business_date_and_a_decision(session: Session) -> None:
    add_lead(session, 1)

    _everybody(session, Lifecycle.CUSTOMER, Cause.CRM)

    change = session.execute(select(lifecycle_change)).one()
    assert (change.before, change.after, change.cause) == ("lead", "customer", "crm")
    assert (change.effective_at, change.recorded_at) == (NIGHT - timedelta(days=3), NIGHT)
    told = session.execute(select(decision)).one()
    assert (told.kind, told.subject, told.reason, told.detail) == ("lifecycle", "customer", "crm", {"before": "lead"})
    assert (told.at, told.month) == (NIGHT, 202603)


def test_a_second_run_changes_nothing(session: Session) -> None:
    add_lead(session, 1)

    _everybody(session, Lifecycle.CUSTOMER, Cause.CRM)

    assert _everybody(session, Lifecycle.CUSTOMER, Cause.CRM) == Moved()
    assert len(session.execute(select(lifecycle_change)).all()) == 1


def test_a_refused_move_of_one_person_says_so(session: Session) -> None:
    add_lead(session, 1, state={"lifecycle": "customer"})

    with pytest.raises(UsageError, match="sales cannot make a customer a lead"):
        move_one(session, NIGHT, lead_id=1, to=Lifecycle.LEAD, cause=Cause.SALES, playbook="p")


def test_standing_there_already_is_no_error(session: Session) -> None:
    add_lead(session, 1)
    session.execute(update(lead_state).values(lifecycle="prospect"))

    done = move_one(session, NIGHT, lead_id=1, to=Lifecycle.PROSPECT, cause=Cause.SALES, playbook="p")

    assert done == Moved()


@pytest.mark.parametrize("cause", list(Cause))
def test_nobody_makes_a_lead_of_a_customer(cause: Cause) -> None:
    assert not may_move("customer", Lifecycle.LEAD, cause)
