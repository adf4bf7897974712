"""Engage: provider news in any order and number, clicks judged once, addresses suppressed for good reasons only."""

import json
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from leadflow.links import HIDDEN
from leadflow.models import dirty, event_inbox, hit, intake, link, message, metadata, suppression
from leadflow.models import event as act
from leadflow.pipeline.engage import engage_leads
from leadflow.types import EVERYONE, Leads, Outcome
from tests.build import NIGHT, add_lead, playbook
from tests.counting import counting
from tests.pipeline.mails import add_message

BROWSER = "Mozilla/5.0 (Macintosh) Safari/605"
SENT = NIGHT - timedelta(hours=18)


def add_sent(session: Session, number: int = 1, **columns: Any) -> int:
    """A message the provider accepted yesterday, its attempt `t-<number>`."""
    sent: dict[str, Any] = {
        "state": "accepted",
        "attempt_id": f"t-{number}",
        "sent_at": SENT,
        "provider_id": f"sg{number}",
    }
    return add_message(session, number, **sent | columns)


def news(kind: str, number: int = 1, **changes: Any) -> dict[str, Any]:
    """One entry of SendGrid's about message `number`."""
    at = changes.pop("at", SENT + timedelta(minutes=1))
    told = {"event": kind, "timestamp": int(at.timestamp()), "email": f"p{number}@x.example"}
    return told | {"sg_event_id": f"{kind}-{number}-{at:%d%H%M%S}", "lf_attempt": f"t-{number}"} | changes


def post(session: Session, *entries: dict[str, Any], at: datetime = NIGHT - timedelta(hours=1)) -> None:
    """A POST of SendGrid's, stored as it came."""
    body = json.dumps([{k: v for k, v in entry.items() if v is not None} for entry in entries]).encode()
    session.execute(insert(intake), {"kind": "sendgrid", "received_at": at, "body": body})


def add_hit(session: Session, number: int, after: float = 3600, **columns: Any) -> None:
    """A visit of the first link of message 1, so many seconds after it left."""
    given = {"id": number, "message_id": 1, "link_id": 1, "at": SENT + timedelta(seconds=after), "method": "GET"}
    session.execute(insert(hit), given | {"user_agent": BROWSER} | columns)


def engage(session: Session, now: datetime = NIGHT, **changes: Any) -> Outcome:
    return engage_leads(session, playbook(), now, changes.get("scope", EVERYONE))


def state(session: Session, number: int = 1) -> Any:
    return session.execute(select(message).where(message.c.id == number)).one()


def suppressed(session: Session) -> dict[str, str]:
    return {row.address_hash: row.reason for row in session.execute(select(suppression))}


def test_news_moves_a_message_on_in_any_order_and_number(session: Session) -> None:
    add_sent(session)
    orders = list(permutations(["processed", "delivered", "spamreport"]))
    for number, order in enumerate(orders):
        session.execute(message.update().values(delivery=None, delivery_rank=-1, delivery_at=None))
        for kind in (*order, order[0]):
            post(session, news(kind, at=SENT + timedelta(minutes=number)))
            engage(session)
        found = state(session)
        assert (found.delivery, found.delivery_rank) == ("complained", 6)


def test_of_two_like_news_the_earlier_counts(session: Session) -> None:
    add_sent(session)
    early, late = SENT + timedelta(minutes=1), SENT + timedelta(minutes=9)
    for at in (late, early):
        post(session, news("deferred", at=at))
        engage(session)
    assert state(session).delivery_at == early


def test_news_of_an_attempt_proves_that_it_left(session: Session) -> None:
    add_sent(session, 1, state="unknown", reason="unknown_outcome")
    add_sent(session, 2, state="sending", owner="dead")
    add_sent(session, 3, state="planned", attempt_id=None, sent_at=None, provider_id=None)
    post(session, news("processed", 1), news("delivered", 2), news("delivered", 3))
    engage(session)
    assert [state(session, n).state for n in (1, 2, 3)] == ["accepted", "accepted", "planned"]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (news("bounce", type="bounce"), "bounced"),
        (news("spamreport"), "complained"),
        (news("unsubscribe"), "unsubscribed"),
        (news("dropped", reason="Spam Reporting Address"), "complained"),
        (news("bounce", type="bounce", lf_attempt=None, sg_event_id="late"), "bounced"),
    ],
)
def test_an_address_that_bounced_or_objected_is_never_mailed_again(
    session: Session, entry: dict[str, Any], reason: str
) -> None:
    add_sent(session)
    post(session, entry)
    engage(session)
    assert suppressed(session) == {"h1": reason}


@pytest.mark.parametrize(
    "entry",
    [
        news("bounce", type="bounce", bounce_classification="Reputation"),
        news("bounce", type="blocked"),
        news("deferred"),
        news("group_resubscribe"),
        news("dropped", reason="Recipient List over Package Quota"),
    ],
)
def test_the_senders_own_faults_and_passing_ones_suppress_nobody(session: Session, entry: dict[str, Any]) -> None:
    add_sent(session)
    post(session, entry)
    engage(session)
    assert suppressed(session) == {}


def _soft(session: Session, days: range) -> None:
    for day in days:
        at = NIGHT - timedelta(days=20 - day)
        post(session, news("bounce", type="blocked", lf_attempt=None, at=at, sg_event_id=f"s{day}"))


@pytest.mark.parametrize(("days", "expected"), [(range(0, 12, 2), True), (range(0, 10, 2), False), (range(6), False)])
def test_soft_bounces_suppress_only_after_many_in_a_row_over_ten_days(
    session: Session, days: range, expected: bool
) -> None:
    add_lead(session, 1)
    _soft(session, days)
    engage(session)
    assert bool(suppressed(session)) == expected


def test_a_delivery_in_between_forgives_soft_bounces(session: Session) -> None:
    add_lead(session, 1)
    post(session, news("delivered", lf_attempt=None, at=NIGHT - timedelta(days=15)))
    _soft(session, range(0, 12, 2))
    engage(session)
    assert suppressed(session) == {}


def test_news_without_our_ids_is_joined_by_the_providers(session: Session) -> None:
    add_sent(session)
    post(session, news("bounce", type="bounce", lf_attempt=None, sg_message_id="sg1.filter.1", email="alias@y.example"))
    engage(session)
    assert (state(session).delivery, suppressed(session)) == ("bounced", {"h1": "bounced"})


def test_news_from_now_on_waits_for_the_next_sweep(session: Session) -> None:
    add_sent(session)
    post(session, news("delivered"), at=NIGHT)
    engage(session)
    assert state(session).delivery is None
    engage(session, NIGHT + timedelta(microseconds=1))
    assert state(session).delivery == "delivered"


def test_news_of_a_message_nobody_knows_yet_is_joined_later(session: Session) -> None:
    post(session, news("delivered", at=NIGHT - timedelta(hours=2)))
    assert engage(session).counts["waiting"] == 1
    add_sent(session)
    engage(session)
    assert state(session).delivery == "delivered"
    assert session.scalar(select(intake.c.processed_at)) is not None


def test_news_of_a_message_that_never_comes_is_given_up(session: Session) -> None:
    post(session, news("delivered"), at=NIGHT - timedelta(days=4))
    engage(session)
    assert session.scalar(select(intake.c.processed_at)) == NIGHT


def test_a_post_that_cannot_be_read_is_marked_and_holds_up_nobody(session: Session) -> None:
    session.execute(insert(intake), {"kind": "sendgrid", "received_at": SENT, "body": b"\xff"})
    add_sent(session)
    post(session, news("delivered"))
    assert engage(session).counts["unreadable"] == 1
    assert state(session).delivery == "delivered"
    assert session.scalars(select(intake.c.error).order_by(intake.c.id)).all() == [
        "these provider events are not JSON",
        None,
    ]


def _add_links(session: Session) -> None:
    session.execute(
        insert(link),
        [
            {"id": 1, "url": "https://a.example/pricing?x=1"},
            {"id": 2, "url": "https://b.example"},
            {"id": 3, "url": "https://c.example"},
            {"id": 9, "url": HIDDEN},
        ],
    )


def test_a_visit_of_our_link_becomes_a_click_that_counts_once(session: Session) -> None:
    add_sent(session)
    _add_links(session)
    add_hit(session, 1)
    engage(session)
    engage(session)
    (click,) = session.execute(select(act)).all()
    assert (click.kind, click.path, click.weight, click.classified_by) == ("email_clicked", "/pricing", 100, "person/2")
    assert (click.lead_id, click.message_id, click.received_at) == (1, 1, SENT + timedelta(hours=1))
    assert session.scalar(select(hit.c.event_id)) == click.id == session.scalar(select(event_inbox.c.event_id))


def test_machines_and_the_unknown_weigh_less(session: Session) -> None:
    add_sent(session)
    _add_links(session)
    add_hit(session, 1, 2)
    add_hit(session, 2, user_agent=None)
    add_hit(session, 3, 7200)
    add_hit(session, 4, 7201, link_id=2)
    engage(session)
    weights = session.scalars(select(act.c.weight).order_by(act.c.occurred_at)).all()
    assert weights == [0, 30, 30, 30]


def test_a_burst_that_two_sweeps_cut_in_half_is_judged_again_by_the_second(session: Session) -> None:
    add_sent(session)
    _add_links(session)
    add_hit(session, 1, 3600)
    add_hit(session, 2, 3600.5, link_id=2)
    engage(session, SENT + timedelta(seconds=3601))
    assert session.scalars(select(act.c.weight)).all() == [30, 30]
    add_hit(session, 3, 3601, link_id=3)
    assert engage(session).counts["judged_again"] == 2
    assert session.scalars(select(act.c.weight)).all() == [0, 0, 0]
    assert session.scalars(select(dirty.c.lead_id)).all() == [1]


def test_a_network_that_proves_a_scanner_later_takes_its_earlier_clicks_with_it(session: Session) -> None:
    _add_links(session)
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
    _add_links(session)
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


def _everything(session: Session) -> dict[str, list[Any]]:
    return {table.name: sorted(map(repr, session.execute(select(table)))) for table in metadata.sorted_tables}


def test_engaging_twice_at_the_same_instant_changes_nothing(session: Session) -> None:
    for number in (1, 2):
        add_sent(session, number)
    _add_links(session)
    add_hit(session, 1)
    post(session, news("delivered"), news("bounce", 2, type="bounce"), news("delivered", 9), news("unsubscribe"))
    engage(session)
    before = _everything(session)
    engage(session)
    assert _everything(session) == before


def test_statements_grow_with_the_batches_alone(engine: Engine, session: Session) -> None:
    def statements(first: int, count: int) -> int:
        for number in range(first, first + count):
            add_sent(session, number)
            add_hit(session, number, message_id=number)
            post(session, news("delivered", number))
        with counting(engine) as made:
            engage(session)
        return len(made)

    _add_links(session)
    assert statements(1, 3) == statements(100, 60)


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
