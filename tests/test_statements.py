"""Phases that decide say the same statements whatever the crowd; phases that take things in, so many a batch."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select, update
from sqlalchemy.orm import Session

from leadflow.models import (
    escalation,
    event,
    event_inbox,
    hit,
    identity,
    intake,
    lead,
    lead_score,
    lead_state,
    link,
    membership,
    message,
)
from leadflow.pipeline.capture import capture_intake
from leadflow.pipeline.engage import engage_leads
from leadflow.pipeline.escalate import escalate_leads
from leadflow.pipeline.nurture import nurture_leads
from leadflow.pipeline.score import score_leads
from leadflow.pipeline.segment import segment_leads
from leadflow.pipeline.stage import stage_leads
from leadflow.playbook.load import load_playbook
from leadflow.playbook.model import Playbook
from leadflow.types import DAY, EVERYONE, Leads, Scope, micros
from tests.build import NIGHT, playbook
from tests.counting import counting
from tests.emptied import empty
from tests.pipeline.mails import add_message

PHASES = (score_leads, stage_leads, segment_leads, escalate_leads, nurture_leads)
#: One in ten asks for a quote, the others read.
ACTS = [("quote_requested", None)] + [("page_viewed", path) for path in ("/tarifs", "/", "/realisations/a") * 3]


@pytest.fixture(scope="module")
def shipped() -> Playbook:
    """The playbook at the repository's root."""
    return load_playbook(Path(__file__).parents[1])


def _crowd(session: Session, n: int) -> None:
    """`n` people of all segments who may be mailed, with an act each on the eve, in bulk."""
    born, eve, ids = NIGHT - timedelta(days=90), micros(NIGHT) - DAY // 2, range(1, n + 1)
    same: dict[str, Any] = {"country": "FR", "basis": "consent", "folded": {}, "provenance": {}}
    same |= {"first_seen_at": born, "created_at": born, "updated_at": born}
    trades = ("retail", "manufacturing", "professional_services", "public")
    people = [
        {"id": i, "seed": i, "address_id": i, "language": ("fr", "en")[i % 2]}
        | {"attributes": {"industry": trades[i % 4], "employees": i % 300, "cms": "shopify"}}
        | same
        for i in ids
    ]
    addresses = [{"id": i, "kind": "email", "value": f"p{i}@x.example", "hash": f"h{i}", "lead_id": i} for i in ids]
    waiting = [{"month": 202603, "lead_id": i, "occurred_at": eve, "received_at": eve} for i in ids]
    acts: list[dict[str, Any]] = [
        {"id": i, "kind": ACTS[i % 10][0], "path": ACTS[i % 10][1], "properties": {}, **row}
        for i, row in zip(ids, waiting, strict=True)
    ]
    states = [{"lead_id": i, "stage_since": born, "lifecycle_since": born} for i in ids]
    session.execute(insert(lead), people)
    session.execute(insert(identity), addresses)
    session.execute(insert(lead_score), [{"lead_id": i} for i in ids])
    session.execute(insert(lead_state), states)
    session.execute(insert(event), acts)
    session.execute(insert(event_inbox), [{"event_id": i, **row} for i, row in zip(ids, waiting, strict=True)])


def _said(engine: Engine, book: Playbook, scope: Scope, *, people: int) -> dict[str, list[str]]:
    """Phase and night → its statements, over two nights, the mails of the first having left."""
    said = {}
    with Session(engine) as session:
        # Sequences go live before anybody is there: a sweep of a few people opens none.
        nurture_leads(session, book, NIGHT - timedelta(days=1), EVERYONE)
        _crowd(session, people)
        for night in range(2):
            now = NIGHT + timedelta(days=night)
            for phase in PHASES:
                with counting(engine) as texts:
                    phase(session, book, now, scope)
                said[f"{phase.__name__} {night}"] = list(texts)
            session.execute(update(message).values(state="accepted", sent_at=message.c.send_at))
        for table in (message, escalation, membership):
            assert session.scalar(select(func.count()).select_from(table)), table.name
        session.rollback()
    return said


def _gist(text: str) -> str:
    """The verb and the table."""
    found = re.match(r"\s*(?:WITH .*?\) )?(INSERT INTO|UPDATE|DELETE FROM|SELECT|CREATE TEMPORARY TABLE)\s+(\S+)", text)
    return f"{found[1]} {found[2]}" if found else text[:40]


@pytest.mark.slow
def test_ten_people_and_ten_thousand_take_the_same_statements(engine: Engine, shipped: Playbook) -> None:
    few, many = (_said(engine, shipped, EVERYONE, people=n) for n in (10, 10_000))
    assert all(few.values())
    for phase, texts in few.items():
        assert texts == many[phase], phase


def test_a_few_leads_take_as_many_statements_as_everyone(engine: Engine, shipped: Playbook) -> None:
    everyone = _said(engine, shipped, EVERYONE, people=40)
    few = _said(engine, shipped, Leads((1, 2, 10)), people=40)
    for phase, texts in everyone.items():
        assert list(map(_gist, texts)) == list(map(_gist, few[phase])), phase


def _a_and_b(count: Callable[[int], int]) -> None:
    """Statements are a + b·⌈rows/10⌉ for these numbers of rows."""
    one, two, six = count(10), count(20), count(60)
    b = two - one
    assert b > 0
    assert six == one + 5 * b
    assert count(11) == two
    assert count(9) == one


def test_capture_takes_so_many_statements_a_batch(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadflow.pipeline.capture.BATCH", 10)
    book = playbook()

    def count(rows: int) -> int:
        empty(engine)
        with Session(engine) as session:
            told = (
                {"event": "page_viewed", "email": f"a@b{n}.example", "path": "/", "id": f"{n}"} for n in range(rows)
            )
            at = NIGHT - timedelta(hours=1)
            come = [{"kind": "event", "received_at": at, "body": json.dumps(one).encode()} for one in told]
            session.execute(insert(intake), come)
            with counting(engine) as texts:
                assert capture_intake(session, book, NIGHT, EVERYONE, key="k").counts["events"] == rows
            return len(texts)

    _a_and_b(count)


def test_engage_takes_so_many_statements_a_batch(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadflow.pipeline.engage_news._POSTS", 10)
    monkeypatch.setattr("leadflow.pipeline.engage_clicks._BATCH", 10)

    def count(rows: int) -> int:
        empty(engine)
        with Session(engine) as session:
            session.execute(insert(link), {"id": 1, "url": "https://a.example/tarifs"})
            for n in range(1, rows + 1):
                _hear_of_mail(session, n)
            with counting(engine) as texts:
                outcome = engage_leads(session, playbook(), NIGHT, EVERYONE)
            assert (outcome.counts["posts"], outcome.counts["visits"]) == (rows, rows)
            return len(texts)

    _a_and_b(count)


def _hear_of_mail(session: Session, n: int) -> None:
    """A mail that left in the morning, the provider's news of it, and a click."""
    at = NIGHT - timedelta(hours=8)
    add_message(session, n, state="accepted", sent_at=at, attempt_id=f"a{n}")
    news: dict[str, Any] = {"email": f"p{n}@x.example", "timestamp": int(at.timestamp()) + 9, "event": "delivered"}
    body = json.dumps([news | {"sg_event_id": f"d{n}", "lf_attempt": f"a{n}"}]).encode()
    session.execute(insert(intake), {"kind": "sendgrid", "received_at": at + timedelta(minutes=1), "body": body})
    visit = {"message_id": n, "link_id": 1, "at": at + timedelta(hours=1), "method": "GET", "user_agent": "Mozilla"}
    session.execute(insert(hit), visit)
