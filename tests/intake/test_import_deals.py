"""`leadflow import` of deals: what was won or lost elsewhere moves people here, on its business date."""

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from leadflow.models import deal, escalation, event, lead, lead_state, lifecycle_change
from tests.build import NIGHT
from tests.intake.conftest import GROUNDS, Cli


def test_a_won_deal_makes_a_customer_on_its_business_date(cli: Cli) -> None:
    cli.load("email,first_seen\na@b.example,2018-02-01\nb@b.example,2018-02-01\n", *GROUNDS)
    deals = (
        "email,state,amount,date\n"
        'a@b.example,Closed Won,"12 500,50",2018-03-01 10:00:00\n'
        "b@b.example,open,,\n"
        "nobody@b.example,won,,2018-03-01\n"
    )
    done = cli.load(deals, name="deals.csv")
    assert "deals: 3 rows = 2 created + 0 updated + 0 unchanged + 0 duplicate + 1 rejected" in done.output
    assert cli.all(select(deal.c.state, deal.c.amount).order_by(deal.c.id)) == [("won", 1_250_050), ("open", None)]
    states = select(lead_state.c.lifecycle, lead.c.deal_state).join(lead, lead.c.id == lead_state.c.lead_id)
    assert cli.all(states.order_by(lead.c.id)) == [("customer", "won"), ("lead", "open")]
    ((moved,),) = cli.all(select(lifecycle_change.c.effective_at))
    assert moved.isoformat() == "2018-03-01T09:00:00+00:00"
    assert cli.all(select(event.c.kind, event.c.occurred_at)) == [("deal_won", moved)]
    assert "0 created + 0 updated + 2 unchanged" in cli.load(deals, name="deals.csv").output


def open_handover(cli: Cli) -> None:
    """An accepted hand-over of the only lead."""
    instants = {"opened_at": NIGHT, "due_at": NIGHT, "alerted_at": NIGHT}
    names = {"rule": "hot-profile", "rep": "Marc", "route": "pool", "playbook": "x", "state": "accepted"}
    with Session(cli.engine) as session, session.begin():
        session.execute(insert(escalation), [{"lead_id": 1, "number": 1, **names, **instants}])
        session.execute(update(lead_state).values(with_sales=True, lifecycle="prospect"))


def test_a_lost_deal_closes_the_hand_over_and_the_person_rests(cli: Cli) -> None:
    cli.load("email\na@b.example\n", *GROUNDS)
    open_handover(cli)
    cli.load("email,state\na@b.example,open\n", name="deals.csv")
    done = cli.load("email,state,reason\na@b.example,perdu,budget\n", name="deals.csv")
    assert "1 updated" in done.output
    assert cli.all(select(deal.c.state, deal.c.reason)) == [("lost", "budget")]
    assert cli.all(select(escalation.c.state, escalation.c.answer_reason)) == [("lost", "budget")]
    ((lifecycle, with_sales, rest_until),) = cli.all(
        select(lead_state.c.lifecycle, lead_state.c.with_sales, lead_state.c.rest_until)
    )
    assert (lifecycle, with_sales, rest_until is not None) == ("lead", False, True)


def test_a_loss_of_long_ago_leaves_nobody_resting(cli: Cli) -> None:
    cli.load("email\na@b.example\n", *GROUNDS)
    cli.load("email,lost_date\na@b.example,2018-03-01\n", name="deals.csv")
    assert cli.all(select(lead_state.c.rest_until, lead_state.c.spent_before)) == [(None, None)]


def test_a_won_deal_closes_the_hand_over(cli: Cli) -> None:
    cli.load("email\na@b.example\n", *GROUNDS)
    open_handover(cli)
    cli.load("email,state,amount\na@b.example,won,9000 €\n", name="deals.csv")
    assert cli.all(select(escalation.c.state, escalation.c.amount)) == [("won", 900_000)]
    assert cli.all(select(lead_state.c.lifecycle, lead_state.c.with_sales)) == [("customer", False)]


def test_a_deal_won_before_the_first_contact_is_kept_and_said(cli: Cli) -> None:
    cli.load("email,first_seen\na@b.example,2018-02-05\n", *GROUNDS)
    done = cli.load("email,won_date\na@b.example,2018-02-01\n", name="deals.csv")
    assert "line 2: won 4 days before the first contact: kept as it is" in done.output


def test_a_deals_file_that_says_not_whose_deals_is_refused(cli: Cli) -> None:
    done = cli.load("state,amount\nwon,12\n", name="deals.csv")
    assert (done.exit_code, "no column says whose the deals are" in done.output) == (2, True)
