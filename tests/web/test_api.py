"""The doors of other programs: known by a key, stored before they are answered, good items beside bad ones kept."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from leadflow.app import App
from leadflow.intake.api_keys import ApiScope, new_key, revoke_key
from leadflow.models import answered, api_key, intake
from leadflow.types import DAY, micros

VIEW = {"event": "page_viewed", "email": "p7@x.example", "path": "/tarifs"}
RAISED = {"event": "demo_requested", "email": "p7@x.example"}


@pytest.fixture
def key(app: App) -> str:
    """A key for everything."""
    with Session(app.engine) as session, session.begin():
        return new_key(session, "shop", list(ApiScope), datetime.now(UTC))


@pytest.fixture
def door(client: TestClient, key: str) -> TestClient:
    """The site, asked with that key."""
    client.headers["Authorization"] = f"Bearer {key}"
    return client


def stored(app: App) -> list[tuple[str, Any]]:
    with Session(app.engine) as session:
        rows = session.execute(select(intake.c.kind, intake.c.body).order_by(intake.c.id))
        return [(row.kind, json.loads(row.body)) for row in rows]


def test_what_is_pushed_is_stored_before_the_answer(app: App, door: TestClient) -> None:
    person = {"email": "new@x.example", "first_name": "Ana", "fields": {"employees": 12}, "consent": ["nurture"]}
    deal = {"email": "p7@x.example", "deal_id": "d1", "state": "won", "amount": 4200.5}
    for path, body in (("events", VIEW), ("leads", person), ("deals", deal)):
        answer = door.post(f"/v1/{path}", json=body)
        assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "rejected": 0})
    # Capture of the fast lane that a deal opens has taken them in; as they came they stay.
    assert stored(app) == [("event", VIEW), ("lead", person), ("deal", deal)]


def test_good_items_beside_bad_ones_are_kept_and_each_bad_one_is_told(app: App, door: TestClient) -> None:
    acts = [
        VIEW,
        {"event": "page_veiwed", "email": "p7@x.example"},
        7,
        {**VIEW, "email": "no"},
        {"event": "page_viewed"},
    ]
    answer = door.post("/v1/events", json=acts)
    assert (answer.status_code, answer.json()["accepted"], answer.json()["rejected"]) == (207, 1, 4)
    assert answer.json()["errors"] == [
        {"item": 1, "error": 'event "page_veiwed" is not known. Did you mean page_viewed?'},
        {"item": 2, "error": "an act is a JSON object, in braces"},
        {"item": 3, "error": "email: the address must have exactly one @"},
        {"item": 4, "error": 'who? "email", "visitor" or "external_id" is missing'},
    ]
    assert stored(app) == [("event", VIEW)]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_developer_who_reads_french_is_told_in_french(door: TestClient) -> None:
    answer = door.post("/v1/leads", json={"email": "no"}, headers={"Accept-Language": "fr-FR,fr;q=0.9"})
    assert answer.status_code == 422
    assert "@" in answer.json()["errors"][0]["error"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer x", "Basic x", "Bearer é"])
def test_without_a_key_nothing_is_kept(app: App, client: TestClient, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode()}
    assert client.post("/v1/events", json=VIEW, headers=headers).status_code == 401
    assert stored(app) == []


def test_a_key_opens_what_its_scopes_say_until_it_is_revoked(app: App, client: TestClient) -> None:
    now = datetime.now(UTC)
    with Session(app.engine) as session, session.begin():
        few = new_key(session, "wordpress", [ApiScope.LEADS], now)
        kept = session.scalar(select(api_key.c.hash))
    headers = {"Authorization": f"Bearer {few}"}
    assert few not in str(kept)
    assert client.post("/v1/leads", json={"email": "a@b.example"}, headers=headers).status_code == 202
    assert client.post("/v1/deals", json={"email": "a@b.example"}, headers=headers).status_code == 403
    with Session(app.engine) as session, session.begin():
        revoke_key(session, "wordpress", now)
    assert client.post("/v1/leads", json={"email": "a@b.example"}, headers=headers).status_code == 401


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
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
        (b"[" * 40 + b"]" * 40, 400),
        (b'{"n": ' + b"9" * 5000 + b"}", 400),
        (b"[]", 422),
        (b"7", 422),
        (b"[" + b"7," * 1000 + b"7]", 422),
        (b'{"event": 7}', 422),
        (b'{"event": "page_viewed", "email": ["a@b.example"]}', 422),
        (b'{"event": "page_viewed", "email": "p7@x.example", "at": "soon"}', 422),
        (b" " * 2_100_000, 413),
    ],
)
def test_what_cannot_be_kept_is_refused(app: App, door: TestClient, raw: bytes, status: int) -> None:
    answer = door.post("/v1/events", content=raw)
    assert answer.status_code == status
    assert "error" in answer.json() or answer.json()["errors"]
    assert stored(app) == []


def test_the_same_request_told_twice_is_taken_in_once(app: App, door: TestClient) -> None:
    once = {"Idempotency-Key": "order-81"}
    first, second = (door.post("/v1/events", json=[VIEW, 7], headers=once) for _ in range(2))
    assert (first.status_code, first.content) == (second.status_code, second.content) == (207, first.content)
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert len(stored(app)) == 1
    other = door.post("/v1/events", json=[VIEW], headers=once)
    assert other.status_code == 422
    assert "another request" in other.json()["error"]


def test_a_day_later_the_key_of_a_request_is_free_again(app: App, door: TestClient) -> None:
    once = {"Idempotency-Key": "order-81"}
    door.post("/v1/events", json=VIEW, headers=once)
    with Session(app.engine) as session, session.begin():
        session.execute(update(answered).values(at=micros(datetime.now(UTC)) - DAY - 1))
    assert door.post("/v1/events", json=VIEW, headers=once).status_code == 202
    assert len(stored(app)) == 2


def test_one_request_told_by_six_at_once_is_taken_in_once(app: App, serving: str, key: str) -> None:
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "import-1"}

    def push(_turn: int) -> httpx.Response:
        return httpx.post(f"{serving}/v1/events", json=[VIEW, VIEW], headers=headers, timeout=30)

    with ThreadPoolExecutor(6) as six:
        answers = list(six.map(push, range(6)))
    assert {answer.content for answer in answers} == {b'{"accepted": 2, "rejected": 0}'}
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == 5
    assert len(stored(app)) == 2
