"""Engage: visits of links, of ours and told by a provider, are judged once, and again by later evidence."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.models import dirty, event_inbox, hit
from leadflow.models import event as act
from leadflow.types import Leads
from tests.build import NIGHT
from tests.pipeline.provider_news import BROWSER, SENT, add_hit, add_links, add_sent, engage, news, post, state


def test_a_visit_of_our_link_becomes_a_click_that_counts_once(session: Session) -> None:
    add_sent(session)
    add_links(session)
    add_hit(session, 1)
    engage(session)
    engage(session)
    (click,) = session.execute(select(act)).all()
    assert (click.kind, click.path, click.weight, click.classified_by) == ("email_clicked", "/pricing", 100, "person/2")
    assert (click.lead_id, click.message_id, click.received_at) == (1, 1, SENT + timedelta(hours=1))
    assert session.scalar(select(hit.c.event_id)) == click.id == session.scalar(select(event_inbox.c.event_id))


def test_machines_and_the_unknown_weigh_less(session: Session) -> None:
    add_sent(session)
    add_links(session)
    add_hit(session, 1, 2)
    add_hit(session, 2, user_agent=None)
    add_hit(session, 3, 7200)
    add_hit(session, 4, 7201, link_id=2)
    engage(session)
    weights = session.scalars(select(act.c.weight).order_by(act.c.occurred_at)).all()
    assert weights == [0, 30, 30, 30]


def test_a_burst_that_two_sweeps_cut_in_half_is_judged_again_by_the_second(session: Session) -> None:
    add_sent(session)
    add_links(session)
    add_hit(session, 1, 3600)
    add_hit(session, 2, 3600.5, link_id=2)
    engage(session, SENT + timedelta(seconds=3601))
    assert session.scalars(select(act.c.weight)).all() == [30, 30]
    add_hit(session, 3, 3601, link_id=3)
    assert engage(session).counts["judged_again"] == 2
    assert session.scalars(select(act.c.weight)).all() == [0, 0, 0]
    assert session.scalars(select(dirty.c.lead_id)).all() == [1]


def test_a_network_that_proves_a_scanner_later_takes_its_earlier_clicks_with_it(session: Session) -> None:
    add_links(session)
    for number in range(1, 5):
        add_sent(session, number)
        add_hit(session, number, 3600, message_id=number, ip="185.247.71.0")
        add_hit(session, 10 + number, 7200, message_id=number, ip="90.3.4.0")
    engage(session, SENT + timedelta(hours=3))
    assert set(session.scalars(select(act.c.weight))) == {100}
    for number in (1, 2):
        add_hit(session, 20 + number, 86_400, message_id=number, ip="185.247.71.0", link_id=9)
    engage(session, SENT + timedelta(days=2))
    found = session.execute(select(hit.c.ip, act.c.weight).join(act, act.c.id == hit.c.event_id)).tuples().all()
    assert set(found) == {("185.247.71.0", 0), ("90.3.4.0", 100)}


def test_a_sweep_of_one_lead_takes_its_clicks_alone(session: Session) -> None:
    for number in (1, 2):
        add_sent(session, number)
    add_links(session)
    add_hit(session, 1)
    add_hit(session, 2, message_id=2)
    post(session, news("delivered"))
    engage(session, scope=Leads((2,)))
    assert (session.scalars(select(act.c.lead_id)).all(), state(session).delivery) == ([2], None)


def test_a_click_that_sendgrid_tells_is_judged_by_the_same_rules(session: Session) -> None:
    add_sent(session)
    human = news("click", url="https://a.example/pricing", useragent=BROWSER, at=SENT + timedelta(hours=1))
    robot = news("click", url="https://a.example/x", useragent="curl/8", ip="90.3.4.7", at=SENT + timedelta(hours=2))
    ours = news("click", url="https://mail.a.example/c/token", useragent=BROWSER, at=SENT + timedelta(hours=3))
    post(session, human, robot, ours)
    engage(session)
    found = session.execute(select(act.c.path, act.c.weight).order_by(act.c.occurred_at)).all()
    assert [tuple(row) for row in found] == [("/pricing", 100), ("/x", 0)]


def test_a_click_from_the_future_is_clamped_and_one_told_late_keeps_its_day(session: Session) -> None:
    add_sent(session)
    told = NIGHT - timedelta(hours=1)
    ahead = news("click", url="https://a.example/x", useragent=BROWSER, at=NIGHT + timedelta(days=3))
    late = news("click", url="https://a.example/y", useragent=BROWSER, at=SENT + timedelta(minutes=5))
    post(session, ahead, late, at=told)
    engage(session)
    found = session.execute(select(act.c.path, act.c.occurred_at, act.c.received_at, act.c.claimed_at)).tuples()
    assert {path: rest for path, *rest in found} == {
        "/x": [told, told, NIGHT + timedelta(days=3)],
        "/y": [SENT + timedelta(minutes=5), told, None],
    }
