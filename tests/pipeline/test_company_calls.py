"""One call to one company: also around the day to which a salesperson put a colleague off."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from tests.build import NIGHT, add_lead
from tests.pipeline.sales import add_account, ask_quote, escalate, handed, look_at_prices, open_handover


@pytest.fixture
def put_off(session: Session, days: int) -> None:
    """Lead 50, long ago handed over, comes back `days` from now; lead 1 works for the same company."""
    add_account(session, 5)
    again_at, opened_at = NIGHT + timedelta(days=days), NIGHT - timedelta(days=40)
    open_handover(
        session, 50, lead={"account_id": 5}, account_id=5, opened_at=opened_at, state="later", again_at=again_at
    )
    add_lead(session, 1, account_id=5, score={"band": "A1"})


@pytest.mark.usefixtures("put_off")
@pytest.mark.parametrize(("days", "people"), [(3, [50]), (-3, [50]), (30, [50, 1]), (-30, [50, 1])])
def test_a_company_is_left_alone_around_that_day(session: Session, people: list[int]) -> None:
    look_at_prices(session, 1, 1)

    escalate(session)

    assert [lead_id for lead_id, *_more in handed(session)] == people


@pytest.mark.usefixtures("put_off")
@pytest.mark.parametrize("days", [3])
def test_a_raised_hand_comes_through_all_the_same(session: Session) -> None:
    ask_quote(session, 1, 1)

    escalate(session)

    assert [lead_id for lead_id, *_more in handed(session)] == [50, 1]
