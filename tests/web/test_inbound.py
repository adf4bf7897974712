"""The door for answers: a secret in its address, SendGrid's two ways of posting a mail, and an effect at once."""

from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from leadflow.app import App
from leadflow.models import event, intake
from leadflow.web import inbound
from leadflow.web.site import create_site
from tests.intake.returned import reply
from tests.pipeline.mails import add_message

RAW = reply("Yes, call me.", From="p7@x.example", In_Reply_To="<w1-7@mail.a.example>")
HEADERS = (
    "From: Claire <p7@x.example>\nSubject: Re: Hello\nMIME-Version: 1.0\n"
    'Content-Type: multipart/alternative;\n boundary="x"\nMessage-ID: <r1@x.example>\n'
    "In-Reply-To: <w1-7@mail.a.example>\n"
)


@pytest.fixture
def door(app: App, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    with Session(engine) as session, session.begin():
        add_message(session, 7, lead_id=7, attempt_id="w1-7", state="accepted")
    monkeypatch.setattr(app.settings, "hook_key", SecretStr("a-secret"))
    monkeypatch.setattr(inbound, "refresh", lambda app: app)
    return TestClient(create_site(app), raise_server_exceptions=False)


@pytest.mark.parametrize(
    "form",
    [
        {"data": {"from": "p7@x.example"}, "files": {"email": ("mail", RAW)}},
        {"files": {"email": (None, RAW)}},
        {"files": {"headers": (None, HEADERS), "text": (None, "Yes, call me."), "attachment1": ("a.pdf", b"%PDF")}},
        {"files": {"headers": (None, HEADERS), "html": (None, "<p>Yes</p>")}},
    ],
)
def test_an_answer_is_stored_and_heard(app: App, door: TestClient, form: dict[str, Any]) -> None:
    assert door.post("/hooks/inbound/a-secret", **form).status_code == 204
    with Session(app.engine) as session:
        assert session.execute(select(event.c.kind, event.c.message_id)).one() == ("email_replied", 7)


@pytest.mark.parametrize("key", ["", "a-secre", "a-secret2", "é", "%00"])
def test_without_the_secret_there_is_no_such_door(app: App, door: TestClient, key: str) -> None:
    assert door.post(f"/hooks/inbound/{key}", files={"email": (None, RAW)}).status_code == 404
    with Session(app.engine) as session:
        assert session.scalars(select(intake.c.id)).all() == []


@pytest.mark.parametrize(
    "body",
    [
        {"content": b"{}", "headers": {"Content-Type": "application/json"}},
        {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}},
        {"content": b"--b\r\n\r\n--b--", "headers": {"Content-Type": "multipart/form-data; boundary=b"}},
        {"files": {"text": (None, "words alone")}},
    ],
)
def test_what_is_no_mail_is_refused(app: App, door: TestClient, body: dict[str, Any]) -> None:
    assert door.post("/hooks/inbound/a-secret", **body).status_code == 400
    with Session(app.engine) as session:
        assert session.scalars(select(intake.c.id)).all() == []


def test_nothing_is_taken_in_before_a_secret_is_set(client: TestClient) -> None:
    assert client.post("/hooks/inbound/", files={"email": (None, RAW)}).status_code == 404
    assert client.post("/hooks/inbound/x", files={"email": (None, RAW)}).status_code == 404


def test_a_get_is_no_way_in(door: TestClient) -> None:
    assert door.get("/hooks/inbound/a-secret").status_code == 405
