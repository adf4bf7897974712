"""The provider's door: signed bytes are kept as they came, a no takes effect at once, nothing else gets in."""

import base64
import json
import time
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from leadflow.app import App
from leadflow.intake.sendgrid import SIGNATURE_HEADER, TIMESTAMP_HEADER
from leadflow.links import address_hash
from leadflow.models import intake, suppression
from leadflow.web.site import create_site

DOOR = "/hooks/sendgrid/a-secret"
PRIVATE = generate_private_key(SECP256R1())


def public(key: EllipticCurvePrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def signed(raw: bytes, *, key: EllipticCurvePrivateKey = PRIVATE, at: float | None = None) -> dict[str, str]:
    stamp = str(int(time.time() if at is None else at))
    signature = base64.b64encode(key.sign(stamp.encode() + raw, ECDSA(SHA256()))).decode()
    return {SIGNATURE_HEADER: signature, TIMESTAMP_HEADER: stamp, "Content-Type": "application/json"}


@pytest.fixture
def door(app: App) -> TestClient:
    """A site that knows one webhook key."""
    settings = app.settings.model_copy(
        update={"sendgrid_webhook_keys": public(PRIVATE), "hook_key": SecretStr("a-secret")}
    )
    return TestClient(create_site(replace(app, settings=settings)), raise_server_exceptions=False)


def stored(app: App) -> list[bytes]:
    with Session(app.engine) as session:
        return list(session.scalars(select(intake.c.body)))


RAW = b'[ {"email":"p7@x.example","timestamp":1769000000,"event":"delivered","sg_event_id":"e1"} ]\r\n'


def test_what_the_provider_signed_is_kept_byte_for_byte(app: App, door: TestClient) -> None:
    answer = door.post(DOOR, content=RAW, headers=signed(RAW))
    assert answer.status_code == 204
    assert stored(app) == [RAW]


@pytest.mark.parametrize("case", ["no signature", "another key", "altered", "too old"])
def test_anything_else_is_refused_and_nothing_is_kept(app: App, door: TestClient, case: str) -> None:
    headers = {
        "no signature": {},
        "another key": signed(RAW, key=generate_private_key(SECP256R1())),
        "altered": signed(RAW.strip()),
        "too old": signed(RAW, at=time.time() - 26 * 3600),
    }[case]
    assert door.post(DOOR, content=RAW, headers=headers).status_code == 403
    assert stored(app) == []


@pytest.mark.parametrize("path", ["/hooks/sendgrid/a-secre", "/hooks/sendgrid/", "/webhooks/sendgrid"])
def test_with_another_word_in_the_address_there_is_no_such_door(app: App, door: TestClient, path: str) -> None:
    assert door.post(path, content=RAW, headers=signed(RAW)).status_code == 404
    assert stored(app) == []


def test_without_a_key_nobody_is_believed(app: App) -> None:
    settings = app.settings.model_copy(update={"hook_key": SecretStr("a-secret")})
    client = TestClient(create_site(replace(app, settings=settings)))
    assert client.post(DOOR, content=RAW, headers=signed(RAW)).status_code == 403


def test_a_body_over_four_megabytes_is_refused_while_it_arrives(door: TestClient) -> None:
    parts = (b"x" * 1024 * 1024 for _ in range(5))
    assert door.post(DOOR, content=parts).status_code == 413


@pytest.mark.parametrize(("word", "reason"), [("spamreport", "complained"), ("unsubscribe", "unsubscribed")])
def test_a_complaint_takes_effect_in_the_request(app: App, door: TestClient, word: str, reason: str) -> None:
    news = {"email": "P7@X.example", "timestamp": 1769000000, "event": word, "sg_event_id": word}
    raw = json.dumps([news]).encode()
    for _ in range(2):
        assert door.post(DOOR, content=raw, headers=signed(raw)).status_code == 204
    with Session(app.engine) as session:
        row = session.execute(select(suppression.c.address_hash, suppression.c.reason)).one()
    assert row == (address_hash("k" * 32, "p7@x.example"), reason)


def test_signed_news_in_another_shape_is_kept_for_later(app: App, door: TestClient) -> None:
    raw = b'{"not": "a list"}'
    assert door.post(DOOR, content=raw, headers=signed(raw)).status_code == 204
    assert stored(app) == [raw]


def test_the_door_counts_nothing_by_itself(app: App, door: TestClient) -> None:
    door.post(DOOR, content=RAW, headers=signed(RAW))
    with Session(app.engine) as session:
        assert session.scalar(select(func.count()).select_from(suppression)) == 0


@pytest.mark.parametrize(
    "raw",
    [
        b'[{"email": "p7@x.example", "timestamp": NaN, "event": "open"}]',
        b'[{"email": "p7@x.example", "timestamp": 1769000000, "event": "a\\u0000b"}]',
        b'[{"email": "\\ud800", "timestamp": 1769000000, "event": "unsubscribe"}]',
        b'[{"email": "p7@x.example", "timestamp": 1e999, "event": "spamreport"}]',
        b"\xff\xfe[]",
        b"[" * 200_000,
        b"",
    ],
)
def test_signed_bytes_that_no_database_could_hold_as_text_are_kept_as_bytes(
    app: App, door: TestClient, raw: bytes
) -> None:
    assert door.post(DOOR, content=raw, headers=signed(raw)).status_code == 204
    assert stored(app) == [raw]


def test_a_no_beside_what_cannot_be_read_takes_effect_all_the_same(app: App, door: TestClient) -> None:
    raw = b'[{"useragent": "\\ud800"}, NaN, {"email": "p7@x.example", "timestamp": 1769000000, "event": "unsubscribe"}]'
    assert door.post(DOOR, content=raw, headers=signed(raw)).status_code == 204
    with Session(app.engine) as session:
        assert session.scalar(select(suppression.c.reason)) == "unsubscribed"


def test_many_noes_of_one_post_are_one_each(app: App, door: TestClient) -> None:
    told = [{"email": f"p{n % 40}@x.example", "timestamp": 1769000000, "event": "spamreport"} for n in range(120)]
    raw = json.dumps(told).encode()
    assert door.post(DOOR, content=raw, headers=signed(raw)).status_code == 204
    with Session(app.engine) as session:
        assert session.scalar(select(func.count()).select_from(suppression)) == 40


@pytest.mark.parametrize("path", [DOOR, "/v1/events", "/u/x", "/h/x"])
@pytest.mark.parametrize("declared", [True, False])
def test_sixteen_megabytes_are_refused_at_every_door(door: TestClient, path: str, declared: bool) -> None:
    content = b"x" * (16 * 1024 * 1024)
    parts = content if declared else iter([content[:100_000]] * 160)
    assert door.post(path, content=parts, headers={"Authorization": "Bearer "}).status_code in {401, 413}
