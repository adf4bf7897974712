"""A CRM's word and a salesperson's word about one sale: said twice, sold once; whoever sells knows the company."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from leadflow.intake.answers import answer
from leadflow.intake.deal_rows import NewDeal, write_deals
from leadflow.intake.deal_words import DealState
from leadflow.models import account, escalation, event, lead_state
from leadflow.types import Answer
from tests.build import NIGHT, add_lead
from tests.pipeline.sales import add_account, open_handover, selling

NOW = NIGHT + timedelta(hours=6)
PLAYBOOK = selling()


def tell(session: Session, state: str, *, deal_id: str = "d1", now: datetime = NOW, **columns: Any) -> None:
    """The CRM's export says how a deal with lead 1 stands."""
    plain: dict[str, Any] = {"amount": None, "owner": None, "reason": None, "closed_at": None}
    new = NewDeal(key=("email", "p1@x.example"), external_id=deal_id, state=DealState(state), **plain | columns)
    write_deals(session, PLAYBOOK, [new], now=now)


def say(session: Session, said: Answer, **more: Any) -> None:
    answer(session, PLAYBOOK, NOW, 1, said, **more)


def acts(session: Session) -> list[str]:
    return list(session.scalars(select(event.c.kind).order_by(event.c.id)))


def state(session: Session) -> dict[str, Any]:
    return dict(session.execute(select(lead_state)).one()._mapping)


def test_won_by_sales_and_then_by_the_crm_is_won_once(session: Session) -> None:
    open_handover(session, 1)
    say(session, Answer.WON, amount=900_000)

    tell(session, "won", now=NOW + timedelta(days=3), amount=900_000)
    # The same deal, its amount mended: still no second sale.
    tell(session, "won", now=NOW + timedelta(days=4), amount=950_000)

    assert acts(session) == ["deal_won"]


def test_a_second_deal_of_the_crm_is_a_second_sale(session: Session) -> None:
    open_handover(session, 1)
    say(session, Answer.WON, amount=900_000)

    for n, deal_id in enumerate(("d1", "d2"), start=1):
        tell(session, "won", deal_id=deal_id, now=NOW + timedelta(days=n))

    assert acts(session) == ["deal_won", "deal_won"]


def test_lost_by_sales_and_then_by_the_crm_takes_points_and_rest_once(session: Session) -> None:
    open_handover(session, 1, state="accepted", state_of_lead={"lifecycle": "prospect"})
    say(session, Answer.LOST, reason="price")
    before = state(session)

    tell(session, "lost", now=NOW + timedelta(days=20))

    assert (acts(session), state(session)) == (["deal_lost"], before)


@pytest.mark.parametrize(("days", "fate"), [(1, "waiting"), (-1, "lost")])
def test_a_loss_closes_only_a_hand_over_that_was_open_by_then(session: Session, days: int, fate: str) -> None:
    closed_at = NIGHT - timedelta(days=3)
    open_handover(session, 1, opened_at=closed_at + timedelta(days=days + 1))

    tell(session, "lost", closed_at=closed_at)

    assert session.scalar(select(escalation.c.state)) == fate
    assert state(session)["with_sales"] is (fate == "waiting")


def owner(session: Session) -> str | None:
    return session.scalar(select(account.c.owner).where(account.c.id == 5))


@pytest.mark.parametrize(("said", "known"), [("open", "Marc"), ("won", "Marc"), ("lost", "Inès")])
def test_whom_the_crm_names_for_a_deal_knows_the_company(session: Session, said: str, known: str) -> None:
    add_account(session, 5, owner="Inès")
    add_lead(session, 1, account_id=5)

    tell(session, said, owner="Marc")

    assert owner(session) == known


@pytest.mark.parametrize(("before", "after"), [(None, "Sofia"), ("Inès", "Inès")])
def test_who_takes_the_first_of_a_company_knows_it(session: Session, before: str | None, after: str) -> None:
    add_account(session, 5, owner=before)
    open_handover(session, 1, lead={"account_id": 5})

    say(session, Answer.ACCEPT, who="Sofia")

    assert owner(session) == after


def test_who_rejects_does_not(session: Session) -> None:
    add_account(session, 5)
    open_handover(session, 1, lead={"account_id": 5})

    say(session, Answer.REJECT, reason="no_project")

    assert owner(session) is None


def test_who_has_no_company_is_nobodys(session: Session) -> None:
    open_handover(session, 1)
    session.execute(insert(account), {"id": 5, "key": "c5", "created_at": NIGHT})

    tell(session, "open", owner="Marc")

    assert owner(session) is None
