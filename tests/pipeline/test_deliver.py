"""Deliver: what is due leaves once, signed and named; what must not leave any more stays, and says why."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from leadflow.esp.memory import MemoryProvider
from leadflow.links import HIDDEN, read_click, read_unsubscribe
from leadflow.models import decision, link, suppression
from leadflow.types import Leads
from leadflow.windows import ensure_calendars
from tests.build import NIGHT
from tests.pipeline.mails import add_message, deliver, mail_playbook, row


def test_a_message_that_is_due_is_sent_once_and_recorded(
    engine: Engine, session: Session, memory: MemoryProvider
) -> None:
    add_message(session, 1, lead={"first_name": "Zoé", "last_name": "Petit"})
    session.commit()
    outcome = deliver(engine, memory)
    sent, after = memory.sent[0], row(engine, 1)
    assert (len(memory.sent), outcome.read, outcome.counts["accepted"]) == (1, 1, 1)
    assert ("accepted", f"memory-{sent.attempt_id}", 1) == (after.state, after.provider_id, after.attempts)
    assert (after.sent_at, after.owner, after.lease_until) == (NIGHT, None, None)
    assert (sent.to, sent.to_name, sent.text.splitlines()[0]) == ("p1@x.example", "Zoé Petit", "Hello Zoé,")
    deliver(engine, memory)
    assert len(memory.sent) == 1


def test_its_links_are_signed_and_their_targets_stored(
    engine: Engine, session: Session, memory: MemoryProvider
) -> None:
    add_message(session, 7)
    session.commit()
    deliver(engine, memory)
    stored = session.execute(select(link).where(link.c.url != HIDDEN)).one()
    token = memory.sent[0].html.split("https://mail.a.example/c/")[1].split('"')[0]
    assert ("https://a.example/pricing", (7, stored.id)) == (stored.url, read_click("k", token))
    hidden = memory.sent[0].html.split("display:none")[-1].split("/c/")[1].split('"')[0]
    assert session.scalar(select(link.c.url).where(link.c.id == read_click("k", hidden)[1])) == HIDDEN
    assert hidden not in memory.sent[0].text
    assert read_unsubscribe("k", memory.sent[0].unsubscribe_url.rpartition("/")[2]) == (7, "nurture")


def test_the_provider_can_name_the_message_and_the_attempt(
    engine: Engine, session: Session, memory: MemoryProvider
) -> None:
    add_message(session, 7)
    session.commit()
    deliver(engine, memory)
    assert {"lf_message": "7", "lf_attempt": row(engine, 7).attempt_id} == memory.sent[0].arguments


def test_what_is_not_due_or_out_of_scope_stays(engine: Engine, session: Session, memory: MemoryProvider) -> None:
    add_message(session, 1, send_at=NIGHT + timedelta(microseconds=1))
    add_message(session, 2)
    add_message(session, 3)
    session.commit()
    deliver(engine, memory, scope=Leads((2,)))
    assert [mail.message_id for mail in memory.sent] == [2]


@pytest.mark.parametrize(
    ("reason", "columns"),
    [
        ("expired", {"expires_at": NIGHT}),
        ("exited", {"enrolment": {"state": "ended", "ended_at": NIGHT}}),
        ("paused", {"enrolment": {"state": "paused"}}),
        ("customer", {"lead": {"state": {"lifecycle": "customer"}}}),
        ("no_mail_flag", {"lead": {"no_mail": True}}),
        ("no_basis", {"lead": {"basis": None}}),
        ("with_sales", {"lead": {"state": {"with_sales": True}}}),
    ],
)
def test_what_must_not_leave_any_more_is_suppressed_and_said(
    engine: Engine, session: Session, memory: MemoryProvider, reason: str, columns: dict[str, Any]
) -> None:
    add_message(session, 1, **columns)
    session.commit()
    deliver(engine, memory)
    assert ([], "suppressed", reason) == (memory.sent, row(engine, 1).state, row(engine, 1).reason)
    told = session.execute(select(decision.c.kind, decision.c.subject, decision.c.reason)).one()
    assert tuple(told) == ("suppress", "s/step-1", reason)


def test_an_unsubscribe_between_planning_and_sending_is_heard(
    engine: Engine, session: Session, memory: MemoryProvider
) -> None:
    add_message(session, 1)
    session.execute(
        insert(suppression), {"address_hash": "h1", "reason": "unsubscribed", "at": NIGHT, "source": "page"}
    )
    session.commit()
    deliver(engine, memory)
    assert (memory.sent, row(engine, 1).state, row(engine, 1).reason) == ([], "suppressed", "unsubscribed")


def test_a_mail_due_after_its_window_has_shut_waits_for_the_next_one(
    engine: Engine, session: Session, memory: MemoryProvider
) -> None:
    book = mail_playbook()
    add_message(session, 1, send_at=NIGHT - timedelta(hours=8))
    add_message(session, 2, send_at=NIGHT - timedelta(hours=8), purpose="service")
    ensure_calendars(session, book, NIGHT)
    session.commit()
    outcome = deliver(engine, memory, playbook=book)
    nine = NIGHT.astimezone(ZoneInfo("Europe/Paris")).replace(hour=9, minute=0)
    after = row(engine, 1)
    assert (after.state, after.send_at, after.attempts, after.owner) == ("planned", nine, 0, None)
    assert ([mail.message_id for mail in memory.sent], outcome.skipped) == ([2], {"window": 1})
    deliver(engine, memory, playbook=book, now=nine)
    assert row(engine, 1).state == "accepted"


def test_a_service_mail_goes_on_to_a_customer(engine: Engine, session: Session, memory: MemoryProvider) -> None:
    add_message(session, 1, purpose="service", counted=False, lead={"state": {"lifecycle": "customer"}})
    session.commit()
    deliver(engine, memory)
    assert row(engine, 1).state == "accepted"
