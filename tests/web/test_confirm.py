"""Double opt-in as its reader lives it: a form, a mail by a real SMTP server, a page with a button, and consent."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from leadflow.app import App, sweep_raised
from leadflow.db import make_engine
from leadflow.esp.memory import MemoryProvider
from leadflow.esp.smtp import SmtpProvider
from leadflow.links import address_hash, sign_confirm
from leadflow.models import confirmation, consent, intake, lead, lead_change, lead_state, message, suppression
from leadflow.playbook.model import Rights, Wish
from leadflow.ports import Outgoing
from leadflow.web.site import create_site
from tests.apps import an_app
from tests.esp.worlds import smtp_world
from tests.pipeline.mails import email, mail_playbook

KEY = "k" * 32
ADA = "ada@x.example"
ASK = email("confirm", "Is it you?\n\n**[Yes]({{ links.confirm }})**\n", purpose="service", pick="named")
BOOK = mail_playbook(ASK, rights=Rights(emails={Wish.CONSENT: "confirm"}))


@pytest.fixture
def app(engine: Engine) -> App:
    return an_app(engine, book=BOOK)


@pytest.fixture
def door(sqlite_url: str) -> TestClient:
    """The site of an app on SQLite, where no statement is in question."""
    speaks = {"Accept-Language": "en"}
    return TestClient(create_site(an_app(make_engine(sqlite_url), book=BOOK)), follow_redirects=False, headers=speaks)


def app_of(door: TestClient) -> App:
    app: App = door.app.state.app  # type: ignore[attr-defined]
    return app


def fill_in(app: App, address: str = ADA, **more: Any) -> None:
    """A form with double opt-in, a moment ago, and the fast lane."""
    act = {"email": address, "form": "letter", "double_opt_in": True, "fields": {"language": "en", "first_name": "Ada"}}
    told = act | {"consent": {"newsletter": True}, "wording_hash": "w1", "page": "/letter", "ip": "192.0.2.77"} | more
    received = datetime.now(UTC) - timedelta(seconds=1)
    with Session(app.engine) as session, session.begin():
        session.execute(insert(intake), {"kind": "form", "received_at": received, "body": json.dumps(told).encode()})
    sweep_raised(app, datetime.now(UTC))


def sent(app: App) -> list[Outgoing]:
    provider = app.ports.email
    assert isinstance(provider, MemoryProvider)
    return provider.sent


def link_in(text: str) -> str:
    found = re.search(r"/confirm/[\w.]+", text)
    assert found is not None
    return found[0]


def confirm_link(app: App) -> str:
    return link_in(sent(app)[-1].text)


def ledger(app: App) -> list[tuple[str, str, str]]:
    with Session(app.engine) as session:
        rows = session.execute(select(consent.c.purpose, consent.c.state, consent.c.method).order_by(consent.c.id))
        return [tuple(row) for row in rows]


def test_consent_is_given_by_the_click_in_the_mail_and_not_before(app: App) -> None:
    with smtp_world() as world:
        app = replace(app, ports=replace(app.ports, email=SmtpProvider(world.url)))
        fill_in(app)
    assert ledger(app) == [("newsletter", "asked", "form")]
    assert [mail["to"] for mail in world.received] == [f"Ada <{ADA}>"]
    body = world.received[0].get_body(("plain",))
    assert body is not None
    client, link = TestClient(create_site(app)), link_in(body.get_content())

    assert "Yes, confirm my address" in client.get(link).text
    client.head(link)
    assert ledger(app) == [("newsletter", "asked", "form")]

    assert "your address is confirmed" in client.post(link).text
    with Session(app.engine) as session:
        given = session.execute(select(consent).where(consent.c.state == "given")).one()
        assert (given.method, given.wording_hash, given.page) == ("double_opt_in", "w1", "/letter")
        assert given.confirmed_at is not None
        assert session.scalars(select(lead.c.basis)).all() == ["consent"]
        assert session.scalar(select(lead_change.c.source).where(lead_change.c.field == "basis")) == "double_opt_in"


def test_a_link_works_once(door: TestClient) -> None:
    app, client = app_of(door), door
    fill_in(app)
    link = confirm_link(app)
    client.post(link)
    before = ledger(app)

    for answer in (client.post(link), client.get(link)):
        assert answer.status_code == 410
        assert "has been used, or is too old" in answer.text
    assert ledger(app) == before


def test_a_link_works_for_seven_days(door: TestClient) -> None:
    app, client = app_of(door), door
    fill_in(app)
    with Session(app.engine) as session, session.begin():
        session.execute(update(confirmation).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))

    assert client.post(confirm_link(app)).status_code == 410
    assert ledger(app) == [("newsletter", "asked", "form")]


def test_a_no_in_between_stays_a_no(door: TestClient) -> None:
    app, client = app_of(door), door
    fill_in(app)
    with Session(app.engine) as session, session.begin():
        said = {"lead_id": 1, "purpose": "newsletter", "state": "withdrawn", "at": datetime.now(UTC), "method": "link"}
        session.execute(insert(consent), said | {"lead_id": session.scalar(select(lead.c.id))})

    client.post(confirm_link(app))
    assert [state for _purpose, state, _method in ledger(app)] == ["asked", "withdrawn"]


def test_somebody_who_had_left_comes_back_by_their_own_click(app: App, client: TestClient) -> None:
    gone = {"address_hash": address_hash(KEY, ADA), "reason": "unsubscribed", "source": "link"}
    with Session(app.engine) as session, session.begin():
        session.execute(insert(suppression), gone | {"at": datetime(2026, 1, 1, tzinfo=UTC)})
    fill_in(app)

    client.post(confirm_link(app))
    with Session(app.engine) as session:
        assert session.scalar(select(suppression.c.reason)) is None


def test_whoever_waits_for_the_mail_gets_it_and_nothing_is_decided(app: App) -> None:
    fill_in(app)
    assert len(sent(app)) == 1
    with Session(app.engine) as session:
        assert session.scalars(select(lead_state.c.as_of)).all() == [None]


@pytest.mark.parametrize(("reason", "late"), [("complained", False), ("bounced", False), ("unsubscribed", True)])
def test_no_mail_to_confirm_goes_to_a_mailbox_that_wants_none(app: App, reason: str, late: bool) -> None:
    at = datetime.now(UTC) + timedelta(hours=1) if late else datetime(2026, 1, 1, tzinfo=UTC)
    gone = {"address_hash": address_hash(KEY, ADA), "reason": reason, "source": "link", "at": at}
    with Session(app.engine) as session, session.begin():
        session.execute(insert(suppression), gone)
    fill_in(app)

    assert sent(app) == []
    with Session(app.engine) as session:
        assert session.execute(select(message.c.state, message.c.reason)).one() == ("suppressed", reason)


def test_a_mailbox_is_not_flooded_by_somebody_elses_forms(door: TestClient) -> None:
    app = app_of(door)
    for _time in range(3):
        fill_in(app)
    assert len(sent(app)) == 1


def test_what_nobody_confirmed_is_no_basis_to_write_on(door: TestClient) -> None:
    app = app_of(door)
    fill_in(app, consent={"nurture": True})
    with Session(app.engine) as session:
        assert session.scalars(select(lead.c.basis)).all() == [None]


@pytest.mark.parametrize("token", ["x", sign_confirm("other", 1), "%00"])
def test_a_link_that_we_did_not_sign_is_none(door: TestClient, token: str) -> None:
    assert [ask(f"/confirm/{token}").status_code for ask in (door.get, door.post)] == [404, 404]
