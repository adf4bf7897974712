"""The door of sites and forms: known by a token, stored as it came."""

import json
from dataclasses import replace

import pytest
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from leadflow.app import App
from leadflow.models import intake
from leadflow.web.site import create_site

BEARER = {"Authorization": "Bearer let-me-in"}


@pytest.fixture
def door(app: App) -> TestClient:
    """A site that knows the token of a form."""
    settings = app.settings.model_copy(update={"events_token": SecretStr("let-me-in")})
    return TestClient(create_site(replace(app, settings=settings)), raise_server_exceptions=False)


def kinds(app: App) -> list[tuple[str, bytes]]:
    with Session(app.engine) as session:
        return [(row.kind, row.body) for row in session.execute(select(intake.c.kind, intake.c.body))]


def test_an_act_is_kept_as_it_came(app: App, door: TestClient) -> None:
    raw = b'{"event": "page_viewed", "email": "p7@x.example", "path": "/tarifs"}'
    answer = door.post("/events", content=raw, headers=BEARER)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1})
    assert kinds(app) == [("event", raw)]


def test_a_list_of_acts_is_kept_one_by_one(app: App, door: TestClient) -> None:
    acts = [{"event": "page_viewed", "email": "p7@x.example"}, {"event": "page_viewed", "visitor": "v1"}]
    assert door.post("/events", json=acts, headers=BEARER).json() == {"accepted": 2}
    assert [body for _kind, body in kinds(app)] == [json.dumps(act).encode() for act in acts]


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer x", "Basic let-me-in", "let-me-in", "Bearer é"])
def test_without_the_token_nothing_is_kept(app: App, door: TestClient, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode()}
    answer = door.post("/events", content=b'{"event": "page_viewed"}', headers=headers)
    assert answer.status_code == 401
    assert kinds(app) == []


def test_a_workspace_without_a_token_lets_nobody_in(client: TestClient) -> None:
    assert client.post("/events", content=b"{}", headers={"Authorization": "Bearer "}).status_code == 401


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b'{"event": NaN}', 400),
        (b'{"event": "page_viewed", "x": 1e999}', 400),
        (b'{"event": "page\\u0000viewed"}', 400),
        (b'{"event": "page_viewed", "x": "\\ud800"}', 400),
        (b'"\xff"', 400),
        (b"[" * 100_000, 400),
        (b"[]", 422),
        (b"7", 422),
        (b'[{"event": "page_viewed"}, 7]', 422),
        (b'{"event": 7}', 422),
        (b'{"event": "page_viewed", "email": ["a@b.example"]}', 422),
        (b" " * 300_000, 413),
    ],
)
def test_what_cannot_be_kept_is_refused_in_words(app: App, door: TestClient, raw: bytes, status: int) -> None:
    answer = door.post("/events", content=raw, headers=BEARER)
    assert answer.status_code == status
    assert "error" in answer.json()
    assert kinds(app) == []
