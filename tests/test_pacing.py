"""Every driver's delivery asks the same gate, hears what became of the last mails first, and says why it left some."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, String, cast, insert, literal, update
from sqlalchemy.orm import Session

from leadflow.app import pauses_of, waiting_words, who_paused
from leadflow.app.pacing import brake_words
from leadflow.app.phases import deliver_due
from leadflow.errors import OutageError
from leadflow.esp.memory import MemoryProvider
from leadflow.models import intake, message
from leadflow.playbook.model import Brakes, Delivery, WarmUp
from leadflow.ports import Outgoing
from tests.apps import an_app
from tests.build import NIGHT
from tests.pipeline.mails import mail_playbook
from tests.pipeline.pacing import add_crowd

BEFORE = NIGHT - timedelta(days=1)


def left(session: Session, n: int) -> None:
    """`n` mails that left yesterday, as the attempts a1, a2 …"""
    add_crowd(session, n, state="accepted", send_at=BEFORE, sent_at=BEFORE, planned_at=BEFORE)
    session.execute(update(message).values(attempt_id=literal("a") + cast(message.c.id, String)))


def heard(session: Session, *numbers: int, **news: Any) -> None:
    """A POST of the provider that nobody has read: these attempts met with that."""
    at = NIGHT - timedelta(minutes=10)
    news = {"timestamp": int(at.timestamp()), "event": "bounce", "type": "bounce"} | news
    told = [news | {"sg_event_id": f"e{n}", "lf_attempt": f"a{n}", "email": f"p{n}@x.example"} for n in numbers]
    row = {"kind": "sendgrid", "received_at": at, "body": json.dumps(told).encode()}
    session.execute(insert(intake), row)


def test_a_delivery_hears_the_last_news_and_stops_the_stream_they_are_about(engine: Engine) -> None:
    app = an_app(engine, book=mail_playbook(delivery=Delivery(brakes=Brakes(at_least=20))))
    with Session(engine) as session, session.begin():
        left(session, 30)
        heard(session, 1, 2)
        add_crowd(session, 3, first=31)
        add_crowd(session, 3, first=34, purpose="service")
    outcome = deliver_due(app, NIGHT)
    assert (outcome.changed, outcome.counts["waiting"]) == (3, 0)
    assert [(row.kind, row.name, row.by) for row in pauses_of(app)] == [("stream", "nurture", "bounce brake 6.66 %")]
    assert brake_words(app, NIGHT) == [
        "mails of purpose nurture stopped by the bounce brake (6.66 %): leadflow resume",
        "mails of purpose nurture: 6.66 % bounced hard in 7 days",
    ]


def test_bounces_that_the_sender_caused_stop_the_stream_and_suppress_nobody(engine: Engine) -> None:
    app = an_app(engine, book=mail_playbook(delivery=Delivery(brakes=Brakes(at_least=20))))
    with Session(engine) as session, session.begin():
        left(session, 30)
        heard(session, 1, 2, type="blocked", bounce_classification="Reputation")
        add_crowd(session, 1, first=31)
    assert deliver_due(app, NIGHT).changed == 0
    assert [row.by for row in pauses_of(app)] == ["refusal brake 6.66 %"]
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM suppression").scalar() == 0


class Down(MemoryProvider):
    """Answers nobody."""

    async def send(self, mail: Outgoing) -> str:  # noqa: ARG002
        """An outage, for a while."""
        raise OutageError("cannot connect", retry_after=0.01)


@pytest.mark.parametrize(
    ("closed", "words"),
    [("outage", "10 wait: the provider answers nobody"), ("warm_up", "9 wait: the day's warm-up is used up")],
)
def test_a_delivery_says_how_many_it_left_and_why(engine: Engine, closed: str, words: str) -> None:
    budget = WarmUp(since=NIGHT.date(), first_day=1, growth=50, until=100)
    app = an_app(engine, book=mail_playbook(delivery=Delivery(warm_up=budget if closed == "warm_up" else None)))
    if closed == "outage":
        app = replace(app, ports=replace(app.ports, email=Down()))
    with Session(engine) as session, session.begin():
        add_crowd(session, 10)
    counts = deliver_due(app, NIGHT).counts
    assert counts["waiting"] == counts[closed] == 10 - counts.get("accepted", 0)
    assert waiting_words(counts) == words


def test_a_person_who_paused_is_named_and_a_brake_is_put_into_words() -> None:
    assert who_paused("ana") == "ana"
    assert who_paused("complaint brake 0.14 %") == "the complaint brake (0.14 %)"
