"""Engage: provider news in any order and number, addresses suppressed for good reasons only."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from leadflow.models import intake, message, metadata
from tests.build import NIGHT, add_lead
from tests.counting import counting
from tests.pipeline.provider_news import SENT, add_hit, add_links, add_sent, engage, news, post, state, suppressed


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


def _everything(session: Session) -> dict[str, list[Any]]:
    return {table.name: sorted(map(repr, session.execute(select(table)))) for table in metadata.sorted_tables}


def test_engaging_twice_at_the_same_instant_changes_nothing(session: Session) -> None:
    for number in (1, 2):
        add_sent(session, number)
    add_links(session)
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

    add_links(session)
    assert statements(1, 3) == statements(100, 60)
