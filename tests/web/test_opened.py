"""The day a mail was opened: one an address, kept where it is asked for, and nobody's who does not want it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from leadflow.app import App
from leadflow.ask.arrivals import arrivals
from leadflow.esp.memory import MemoryProvider
from leadflow.intake.ledger import standing
from leadflow.links import sign_opened
from leadflow.models import consent, opened
from leadflow.playbook.model import Rights
from leadflow.web.site import create_site
from tests.apps import an_app
from tests.build import NIGHT, add_lead, playbook
from tests.pipeline.mails import add_message, deliver, mail_playbook
from tests.web.test_unsubscribe import KEY, counts

URL = f"/o/{sign_opened(KEY, 7)}"
DATES = Rights(dates_opens=True)


@pytest.fixture
def door(app: App) -> TestClient:
    """The door of a workspace with `opens: date`."""
    return TestClient(create_site(an_app(app.engine, book=playbook(rights=DATES))))


def days(app: App) -> list[Any]:
    with Session(app.engine) as session:
        return [tuple(row) for row in session.execute(select(opened))]


def test_of_an_opened_mail_its_day_is_kept_in_place_of_the_one_before(app: App, door: TestClient) -> None:
    with Session(app.engine) as session, session.begin():
        session.execute(insert(opened), {"identity_id": 7, "day": "2026-01-02"})
    answers = [door.get(URL, headers={"User-Agent": "Mail/7"}) for _ in range(2)]
    assert [(one.status_code, one.headers["Content-Type"], one.content[:6]) for one in answers] == [
        (200, "image/gif", b"GIF89a")
    ] * 2
    ((identity_id, day),) = days(app)
    assert (identity_id, re.fullmatch(r"20\d\d-\d\d-\d\d", day) is not None, day > "2026-01-02") == (7, True, True)


def test_nothing_is_kept_unless_it_is_asked_for(app: App, client: TestClient, door: TestClient) -> None:
    before = counts(app)
    assert (client.get(URL).status_code, door.head(URL).status_code) == (200, 200)
    assert door.get(f"/o/{sign_opened('other' * 9, 7)}").status_code == 404
    # Somebody who has been erased since.
    assert door.get(f"/o/{sign_opened(KEY, 99)}").status_code == 200
    assert counts(app) == before


@pytest.mark.parametrize("purpose", ["open_tracking", "click_tracking"])
def test_who_does_not_want_to_be_counted_leaves_no_day(app: App, door: TestClient, purpose: str) -> None:
    with Session(app.engine) as session, session.begin():
        no = {"lead_id": 7, "identity_id": 7, "purpose": purpose, "state": "withdrawn", "at": NIGHT, "method": "api"}
        session.execute(insert(consent), no)
        assert standing(session, 7) == {purpose: "withdrawn"}
    assert door.get(URL).status_code == 200
    assert days(app) == []


def test_a_mail_ends_with_the_picture_only_where_it_is_asked_for(engine: Engine, session: Session) -> None:
    memory = MemoryProvider()
    for message_id in (1, 2):
        add_message(session, message_id)
    session.commit()
    deliver(engine, memory, playbook=mail_playbook(rights=DATES))
    assert [mail.html.count('<img src="https://mail.a.example/o/') for mail in memory.sent] == [1, 1]
    assert len({re.findall(r"/o/[^\"]+", mail.html)[0] for mail in memory.sent}) == 2
    assert "/o/" not in memory.sent[0].text


def test_a_provider_whose_readers_open_far_less_is_named(session: Session) -> None:
    for number in range(1, 151):
        add_lead(session, number, email_domain="hidden.example" if number <= 60 else "fine.example")
        sent = {"state": "accepted", "sent_at": NIGHT - timedelta(days=3), "attempt_id": f"a{number}"}
        add_message(session, number, lead_id=number, **sent)
    old, late = {"day": "2026-02-01"}, {"day": "2026-03-22"}
    rows = [{"identity_id": number, **(late if number > 100 or number < 6 else old)} for number in range(1, 151)]
    session.execute(insert(opened), rows)

    (found,) = arrivals(session, playbook(rights=DATES), NIGHT)

    assert "8 % of 60 readers at hidden.example" in found.says.replace("\u202f", " ").replace("\u00a0", " ")
    assert "elsewhere 56" in found.says
    later = list(arrivals(session, playbook(rights=DATES), NIGHT + timedelta(days=60)))
    assert later == []
