"""Odd bodies at every door that takes one: each is answered, none with a 5xx."""

import json
import random
import string
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from fastapi.routing import APIRoute
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from leadflow.app import App
from leadflow.intake.api_keys import ApiScope, new_key
from leadflow.links import sign_answer, sign_confirm, sign_preferences, sign_unsubscribe
from leadflow.web.lane import Lane
from leadflow.web.site import DOORS
from tests.soak import SOAK

KEY = "k" * 32
BODIES = 100_000 if SOAK else 1_000
NOW = datetime(2026, 3, 23, tzinfo=UTC)

WORDS = ["event", "email", "at", "id", "fields", "consent", "visitor", "path", "page_viewed", "demo_requested"]
WORDS += ["p7@x.example", "p7@", "2026-03-20", "9999-99-99", "state", "won", "amount", "external_id", "purpose", "lang"]
TYPES = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", ""]
SIGNS = string.printable + "éß€\u202e\x00\ud800"
#: Whole numbers beyond 64 bits, and what is none.
NUMBERS: list[Any] = [0, -1, 2**63, 10**40, 1e308, -0.0, float("inf"), float("nan")]


def value(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.randrange(8 if depth < 4 else 5)
    match kind:
        case 0:
            return chance.choice(WORDS)
        case 1:
            return "".join(chance.choices(SIGNS, k=chance.randrange(40)))
        case 2:
            return chance.choice(NUMBERS)
        case 3:
            return chance.choice([None, True, False])
        case 4:
            return chance.choice(WORDS) * chance.choice([1, 1, 300])
        case 5:
            return [value(chance, depth + 1) for _ in range(chance.randrange(4))]
        case _:
            return {chance.choice(WORDS): value(chance, depth + 1) for _ in range(chance.randrange(5))}


def body(chance: random.Random) -> bytes:
    match chance.randrange(6):
        case 0:
            return chance.randbytes(chance.randrange(200))
        case 1:
            return b"[" * chance.choice([1, 50, 5_000])
        case 2:
            pairs = ((chance.choice(WORDS), chance.randbytes(chance.randrange(12))) for _ in range(6))
            return "&".join(f"{name}={quote_from_bytes(told)}" for name, told in pairs).encode()
        case 3:
            part = f'--x\r\nContent-Disposition: form-data; name="{chance.choice(WORDS)}"\r\n\r\n'
            return part.encode() + chance.randbytes(20) + b"\r\n--x--\r\n"
        case _:
            return json.dumps(value(chance)).encode("utf-8", "surrogatepass")


@pytest.fixture
def doors(app: App, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every address that takes a body, with good words and a key that opens all."""
    # What is stored is what counts here; sweeps have their own tests.
    monkeypatch.setattr(Lane, "wake", lambda _lane: None)
    with Session(app.engine) as session, session.begin():
        key = new_key(session, "all", list(ApiScope), NOW)
    client.headers["Authorization"] = f"Bearer {key}"
    words = {
        "/u/{token}": sign_unsubscribe(KEY, 7, "nurture"),
        "/h/{token}": sign_answer(KEY, 1, "Marc", "later"),
        "/confirm/{token}": sign_confirm(KEY, 1),
        "/preferences/{token}": sign_preferences(KEY, 7),
    }
    routes = [route for router in DOORS for route in router.routes if isinstance(route, APIRoute)]
    taking = [route.path for route in routes if "POST" in (route.methods or ())]
    assert len(taking) > 8
    return [path.replace("{token}", words.get(path, "x")).replace("{name}", "letter") for path in taking]


def told(doors: list[str], chance: random.Random) -> Iterator[tuple[str, bytes, dict[str, str]]]:
    while True:
        yield chance.choice(doors), body(chance), {"Content-Type": chance.choice(TYPES)}


def test_no_body_is_answered_with_a_5xx(client: TestClient, doors: list[str]) -> None:
    bodies = told(doors, random.Random(20_260_323))
    answers: dict[int, int] = {}
    for _ in range(BODIES):
        door, content, headers = next(bodies)
        status = client.post(door, content=content, headers=headers).status_code
        assert status < 500, (door, headers, content)
        answers[status] = answers.get(status, 0) + 1
    # Some were taken in, some refused: the bodies are not all of one kind.
    assert len(answers) > 3
