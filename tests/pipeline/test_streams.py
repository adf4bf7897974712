"""Brakes of streams: what readers say of the mail of one purpose pauses it, by the numbers of mailbox providers."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.orm import Session

from leadflow.models import decision, event, message, pause, suppression
from leadflow.pipeline.engage_bounces import suppress_addresses
from leadflow.pipeline.pauses import resume_mail
from leadflow.pipeline.streams import Braked, Heard, bouncing, brake_streams, heard_of_streams, too_much
from leadflow.playbook.model import Brakes
from leadflow.ports import ProviderEvent
from tests.build import NIGHT
from tests.pipeline.mails import deliver, mail_playbook
from tests.pipeline.pacing import Noting, add_crowd

BOOK = mail_playbook()
BEFORE = NIGHT - timedelta(days=2)
#: With numbers a test can count.
SMALL = mail_playbook(delivery=BOOK.delivery.__class__(brakes=Brakes(at_least=20)))


def sent(session: Session, n: int, *, first: int = 1, at: Any = BEFORE, **columns: Any) -> None:
    """`n` mails that left."""
    add_crowd(
        session, n, first=first, **{"state": "accepted", "send_at": at, "sent_at": at, "planned_at": at} | columns
    )


def met(session: Session, word: str, n: int, *, first: int = 1) -> None:
    """So many of them met with that."""
    ids = range(first, first + n)
    session.execute(update(message).where(message.c.id.in_(ids)).values(delivery=word))


def judged(**heard: Heard) -> list[str]:
    return [f"{one.stream or 'all'}: {one.by}" for one in too_much(Brakes(), heard)]


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        (Heard(sent=1000), []),
        (Heard(sent=2001, complaints=2), []),
        (Heard(sent=2000, complaints=2), ["nurture: complaint brake 0.1 %"]),
        (Heard(sent=10_000, complaints=29), ["nurture: complaint brake 0.29 %"]),
        (Heard(sent=10_000, complaints=30), ["all: complaint brake 0.3 %", "nurture: complaint brake 0.3 %"]),
        (Heard(sent=1000, bounces=49), []),
        (Heard(sent=1000, bounces=50), ["nurture: bounce brake 5 %"]),
        (Heard(sent=1000, refusals=52), ["nurture: refusal brake 5.2 %"]),
        (Heard(sent=199, complaints=9, bounces=99, refusals=99), []),
        (Heard(sent=200, complaints=2), ["all: complaint brake 1 %", "nurture: complaint brake 1 %"]),
    ],
)
def test_the_numbers_are_those_of_mailbox_providers(heard: Heard, expected: list[str]) -> None:
    assert judged(nurture=heard) == expected


def test_a_stream_is_not_stopped_for_another_but_all_mail_is_for_any() -> None:
    quiet = Heard(sent=20_000)
    assert judged(nurture=quiet, newsletter=Heard(sent=1000, complaints=2)) == ["newsletter: complaint brake 0.2 %"]
    assert judged(nurture=quiet, newsletter=Heard(sent=1000, complaints=3))[0] == "all: complaint brake 0.3 %"


def test_one_reader_who_complains_stops_nothing_and_two_do() -> None:
    assert judged(nurture=Heard(sent=263, complaints=1)) == []
    assert judged(nurture=Heard(sent=263, complaints=2))[0] == "all: complaint brake 0.76 %"


def test_small_streams_are_looked_at_together() -> None:
    one = Heard(sent=150, complaints=1)
    assert judged(nurture=one, newsletter=one) == ["all: complaint brake 0.66 %"]


def test_hard_bounces_are_told_before_they_stop_anything() -> None:
    heard = {"nurture": Heard(sent=1000, bounces=20), "newsletter": Heard(sent=1000, bounces=19)}
    assert bouncing(Brakes(), heard) == {"nurture": 200}


def test_what_was_heard_is_counted_by_purpose_over_seven_days(session: Session) -> None:
    sent(session, 10)
    sent(session, 5, first=11, purpose="newsletter")
    sent(session, 5, first=16, at=NIGHT - timedelta(days=8))
    add_crowd(session, 5, first=21)
    met(session, "complained", 1)
    met(session, "bounced", 2, first=2)
    met(session, "bounced", 5, first=16)
    blocked = {"month": 202603, "kind": "email_blocked", "occurred_at": BEFORE, "received_at": BEFORE}
    said: list[dict[str, Any]] = [{}, {"classification": "Content"}, {"hardness": "soft"}]
    told = [{"id": i, "message_id": 11 + i, "properties": one} for i, one in enumerate(said)]
    session.execute(insert(event), [blocked | one for one in told])
    assert heard_of_streams(session, Brakes(), NIGHT) == {
        "nurture": Heard(sent=10, complaints=1, bounces=2),
        "newsletter": Heard(sent=5, refusals=2),
    }


def test_a_stream_that_goes_too_far_is_paused_by_the_engine_and_no_other(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        sent(session, 30, purpose="newsletter")
        met(session, "bounced", 2)
        sent(session, 30, first=31)
        add_crowd(session, 3, first=61, purpose="newsletter")
        add_crowd(session, 3, first=64)
        assert brake_streams(session, SMALL, NIGHT) == [Braked(stream="newsletter", what="bounce", share=666)]
        row = session.execute(select(pause.c.kind, pause.c.name, pause.c.by)).one()
        assert row == ("stream", "newsletter", "bounce brake 6.66 %")
        assert brake_streams(session, SMALL, NIGHT) == []
    provider = Noting()
    deliver(engine, provider, playbook=SMALL)
    assert len(provider.at) == 3
    with Session(engine) as session:
        why = session.execute(select(decision.c.reason, decision.c.detail)).all()
        assert {(row.reason, row.detail["pause"]) for row in why} == {("paused", "stream newsletter")}


def test_a_pause_of_a_stream_is_asked_for_at_the_intent(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        add_crowd(session, 2, purpose="newsletter")
        add_crowd(session, 2, first=3)
        session.execute(insert(pause), {"kind": "stream", "name": "newsletter", "since": NIGHT, "by": "x"})
    provider = Noting()
    deliver(engine, provider)
    assert len(provider.at) == 2


def test_what_somebody_lets_go_on_is_not_stopped_again_by_the_same_numbers(session: Session) -> None:
    sent(session, 30)
    met(session, "bounced", 3)
    assert brake_streams(session, SMALL, NIGHT)
    assert resume_mail(session, NIGHT, kind="stream", name="nurture", by="ana")
    morning = NIGHT + timedelta(hours=8)
    met(session, "bounced", 3, first=4)
    assert brake_streams(session, SMALL, morning) == []
    sent(session, 19, first=31, at=NIGHT + timedelta(hours=1))
    met(session, "bounced", 3, first=31)
    assert brake_streams(session, SMALL, morning) == []
    sent(session, 1, first=50, at=NIGHT + timedelta(hours=1))
    assert [one.stream for one in brake_streams(session, SMALL, morning)] == ["nurture"]


def test_after_all_mail_goes_on_no_stream_is_judged_by_what_was_before(session: Session) -> None:
    sent(session, 30)
    met(session, "complained", 2)
    assert [one.stream for one in brake_streams(session, SMALL, NIGHT)] == ["", "nurture"]
    for kind, name in (("all", ""), ("stream", "nurture")):
        assert resume_mail(session, NIGHT, kind=kind, name=name, by="ana")
    assert brake_streams(session, SMALL, NIGHT + timedelta(hours=8)) == []


@pytest.mark.parametrize("classification", ["Reputation", "Content", "Frequency or Volume Too High"])
def test_a_bounce_that_the_sender_caused_suppresses_nobody(session: Session, classification: str) -> None:
    add_crowd(session, 1)
    news = ProviderEvent(external_id="1", kind="blocked", at=NIGHT, classification=classification)
    suppress_addresses(session, [(1, news)] * 9)
    assert session.execute(select(suppression)).all() == []
