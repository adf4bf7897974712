"""Judging again: what sales was given on the strength of machines is taken back, and nothing else is."""

from datetime import timedelta

from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from leadflow.app.bots import Reclassified, reclassify
from leadflow.app.recalling import engage_and_recall
from leadflow.app.telling import tell_waiting
from leadflow.conditions.tree import All, EventLeaf
from leadflow.links import HIDDEN
from leadflow.models import decision, dirty, escalation, event, hit, lead_state, link
from leadflow.pipeline.engage import engage_leads
from leadflow.pipeline.escalate import escalate_leads
from leadflow.playbook.model import HotRule, Playbook
from leadflow.testing import MemorySales
from leadflow.types import EVERYONE, HOUR, Span, SpanKind
from tests.apps import an_app
from tests.build import NIGHT, add_event
from tests.pipeline.mails import add_message
from tests.pipeline.sales import PRICES, open_handover, sales, selling

BROWSER = "Mozilla/5.0 (Macintosh) Safari/605"
SENT = NIGHT - timedelta(hours=18)
LATER = NIGHT + timedelta(hours=8)
SCANNER, HOME = "185.247.71.0", "90.3.4.0"


def reading() -> Playbook:
    """Hot is who clicked in a mail and looked at the prices."""
    clicked = EventLeaf(events=("email_clicked",))
    answer = Span(kind=SpanKind.ELAPSED, amount=4 * HOUR)
    return selling(sales=sales(hot=(HotRule(name="reader", when=All((PRICES, clicked)), answer_within=answer),)))


def add_reader(session: Session, number: int, network: str, *, rep: str = "Marc", **columns: object) -> None:
    """Somebody handed over last night for a click from `network` and a look at the prices."""
    open_handover(session, number, rep=rep, rule="reader", **columns)
    sent = {"state": "accepted", "attempt_id": f"t-{number}", "sent_at": SENT}
    add_message(session, number, lead_id=number, **sent)
    for look in (1_000, 2_000):
        at = SENT + timedelta(hours=2)
        add_event(session, look + number, number, "page_viewed", path="/tarifs", occurred_at=at)
    visit(session, number, network, after=3_600)


def visit(session: Session, message: int, network: str, *, after: float, link_id: int = 1, **more: object) -> None:
    row = {"message_id": message, "link_id": link_id, "at": SENT + timedelta(seconds=after), "method": "GET"}
    session.execute(insert(hit), row | {"user_agent": BROWSER, "ip": network} | more)


def test_a_hand_over_that_rests_on_a_machine_is_taken_back_and_its_salesperson_told(
    engine: Engine, session: Session
) -> None:
    app = an_app(engine, book=reading())
    session.execute(insert(link), [{"id": 1, "url": "https://a.example/x"}, {"id": 2, "url": HIDDEN}])
    add_reader(session, 1, SCANNER)
    add_reader(session, 2, HOME, rep="Inès")
    add_reader(session, 3, SCANNER, state="accepted")
    engage_leads(session, app.playbook, NIGHT, EVERYONE)
    assert set(session.scalars(select(event.c.weight))) == {100}
    for message in (1, 3):
        visit(session, message, SCANNER, after=80_000, link_id=2)
    session.commit()

    done = reclassify(app, LATER)

    assert done == Reclassified(visits=5, changed=2, people=2, recalled=1, kept=1)
    found = session.execute(select(escalation.c.id, escalation.c.state).order_by(escalation.c.id)).tuples().all()
    assert found == [(1, "recalled"), (2, "waiting"), (3, "accepted")]
    assert session.scalars(select(dirty.c.lead_id).order_by(dirty.c.lead_id)).all() == [1, 3]
    with_sales = select(lead_state.c.lead_id).where(lead_state.c.with_sales).order_by(lead_state.c.lead_id)
    assert session.scalars(with_sales).all() == [2, 3]
    assert session.execute(select(decision.c.lead_id, decision.c.reason)).tuples().all() == [(1, "recalled")]
    assert isinstance(app.ports.alerts, MemorySales)
    assert [(alert.to, alert.escalation_id) for alert in app.ports.alerts.alerts] == [("Marc", 1)]


def test_judging_twice_changes_nothing_more(engine: Engine, session: Session) -> None:
    app = an_app(engine, book=reading())
    session.execute(insert(link), [{"id": 1, "url": "https://a.example/x"}, {"id": 2, "url": HIDDEN}])
    add_reader(session, 1, SCANNER)
    visit(session, 1, SCANNER, after=3_605, link_id=2)
    engage_leads(session, app.playbook, NIGHT, EVERYONE)
    session.commit()
    assert reclassify(app, LATER).recalled == 1
    again = reclassify(app, LATER)
    assert (again.changed, again.recalled) == (0, 0)


def test_who_was_taken_back_may_be_handed_over_for_an_act_of_their_own(engine: Engine, session: Session) -> None:
    app = an_app(engine, book=reading())
    session.execute(insert(link), [{"id": 1, "url": "https://a.example/x"}, {"id": 2, "url": HIDDEN}])
    add_reader(session, 50, SCANNER)
    visit(session, 50, SCANNER, after=3_605, link_id=2)
    session.commit()
    reclassify(app, LATER)
    tomorrow = NIGHT + timedelta(days=1)
    escalate_leads(session, app.playbook, tomorrow, EVERYONE)
    visit(session, 50, HOME, after=100_000)
    engage_leads(session, app.playbook, tomorrow + timedelta(days=1), EVERYONE)
    escalate_leads(session, app.playbook, tomorrow + timedelta(days=1), EVERYONE)
    found = session.execute(select(escalation.c.number, escalation.c.state).order_by(escalation.c.number)).tuples()
    assert found.all() == [(1, "recalled"), (2, "waiting")]


def test_a_night_that_judges_a_visit_again_takes_back_what_rested_on_it(engine: Engine, session: Session) -> None:
    app = an_app(engine, book=reading())
    session.execute(insert(link), [{"id": 1, "url": "https://a.example/x"}, {"id": 2, "url": HIDDEN}])
    add_reader(session, 1, SCANNER)
    add_reader(session, 2, HOME, rep="Inès")
    assert "recalled" not in engage_and_recall(session, app.playbook, NIGHT, EVERYONE).counts
    # A program of the mailbox followed what no reader sees; we heard of it after the night.
    visit(session, 1, SCANNER, after=3_605, link_id=2, told_at=NIGHT)
    session.commit()

    for recalled in (1, None):
        outcome = engage_and_recall(session, app.playbook, LATER, EVERYONE)
        assert outcome.counts.get("recalled") == recalled
        session.commit()
    for _again in range(2):
        tell_waiting(app, LATER)

    found = session.execute(select(escalation.c.id, escalation.c.state).order_by(escalation.c.id)).tuples().all()
    assert found == [(1, "recalled"), (2, "waiting")]
    assert isinstance(app.ports.alerts, MemorySales)
    assert [(alert.to, alert.escalation_id) for alert in app.ports.alerts.alerts] == [("Marc", 1)]
