"""SendGrid's webhook: known answers for signatures, and its words in ours."""

import base64
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from leadflow.errors import InputError
from leadflow.intake.sendgrid import NOES, normalise, normalise_noes, verify

_DATA = Path(os.environ.get("LEADFLOW_SHARED") or Path(__file__).parents[3] / "shared") / "data/sendgrid"
NOW = datetime(2026, 3, 23, 3, 15, tzinfo=UTC)
KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = base64.b64encode(KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def _read(name: str) -> Any:
    path = _DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not there: nothing official was compared")
    return json.loads(path.read_text())


def _signed(raw: bytes, at: datetime) -> tuple[str, str]:
    timestamp = str(int(at.timestamp()))
    return base64.b64encode(KEY.sign(timestamp.encode() + raw, ec.ECDSA(SHA256()))).decode(), timestamp


def test_signatures_of_the_official_libraries_are_judged_as_they_judge_them() -> None:
    for vector in _read("signed_webhook_vectors.json"):
        raw = base64.b64decode(vector["body_b64"])
        digits = vector["timestamp"].isdigit()
        now = datetime.fromtimestamp(int(vector["timestamp"]), UTC) if digits else NOW
        said = verify(raw, vector["signature"], vector["timestamp"], [vector["public_key"]], now=now)
        assert said == vector["expect_valid"], vector["name"]


def test_a_signed_body_is_accepted_for_a_day_and_an_hour() -> None:
    signature, timestamp = _signed(b"[]\r\n", NOW)
    ages = [timedelta(0), timedelta(hours=25), timedelta(hours=25, seconds=1), -timedelta(minutes=6)]
    heard = [verify(b"[]\r\n", signature, timestamp, [PUBLIC], now=NOW + age) for age in ages]
    assert heard == [True, True, False, False]


def test_either_of_two_keys_serves_while_they_are_exchanged() -> None:
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    old = base64.b64encode(other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    assert verify(b"[]", *_signed(b"[]", NOW), [old, PUBLIC], now=NOW)
    assert not verify(b"[]", *_signed(b"[]", NOW), [old], now=NOW)


@pytest.mark.parametrize("keys", [[], [""], ["not base64"], ["AAAA"]])
def test_without_a_key_nothing_is_believed(keys: list[str]) -> None:
    assert not verify(b"[]", *_signed(b"[]", NOW), keys, now=NOW)


def test_every_documented_event_has_a_word_of_ours() -> None:
    for sample in _read("sample_events.json"):
        (event,) = normalise(json.dumps([sample["event"]]).encode())
        assert event.external_id, sample["src"]
        assert event.kind in {
            "processed", "deferred", "delivered", "blocked", "bounced", "unsubscribed", "complained", "clicked",
            "dropped", "other",
        }, sample["src"]  # fmt: skip


def one(**entry: Any) -> Any:
    plain = {"timestamp": 1774236900, "sg_event_id": "e1", "email": "p1@x.example"}
    (event,) = normalise(json.dumps([plain | entry]).encode())
    return event


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"event": "bounce", "type": "bounce"}, ("bounced", "hard")),
        ({"event": "bounce", "type": "blocked"}, ("blocked", "soft")),
        ({"event": "bounce", "type": "bounce", "bounce_classification": "Reputation"}, ("blocked", None)),
        ({"event": "dropped", "reason": "Bounced Address"}, ("bounced", "hard")),
        ({"event": "dropped", "reason": "Unsubscribed Address"}, ("unsubscribed", None)),
        ({"event": "dropped", "reason": "Recipient List over Package Quota"}, ("dropped", None)),
        ({"event": "spamreport"}, ("complained", None)),
        ({"event": "group_resubscribe"}, ("other", None)),
        ({"event": "open", "sg_machine_open": True}, ("other", None)),
        ({"event": "invented next year"}, ("other", None)),
        ({}, ("other", None)),
    ],
)
def test_each_type_says_what_it_means_for_the_address(entry: dict[str, Any], expected: tuple[str, str | None]) -> None:
    event = one(**entry)
    assert (event.kind, event.hardness) == expected


def test_our_ids_come_back_with_the_event() -> None:
    event = one(event="delivered", lf_attempt="t-7", sg_message_id="abc.filter.1")
    assert (event.attempt_id, event.provider_id) == ("t-7", "abc")


def test_an_event_without_an_id_gets_the_same_one_each_time_it_is_told() -> None:
    first, again = one(event="unsubscribe", sg_event_id=None), one(event="unsubscribe", sg_event_id=None)
    assert first.external_id == again.external_id != one(event="spamreport", sg_event_id=None).external_id


@pytest.mark.parametrize("raw", [b"", b"{}", b"[", b"\xff", b'"text"', b"[" * 100_000])
def test_what_is_no_array_of_events_is_refused_in_words(raw: bytes) -> None:
    with pytest.raises(InputError):
        normalise(raw)


def test_entries_that_tell_nothing_do_not_spoil_their_neighbours() -> None:
    good = {"timestamp": "1774236900", "event": "click"}
    raw = json.dumps([None, 1, {"event": "open"}, {"timestamp": 1e400}, {"timestamp": "x"}, good]).encode()
    assert [event.kind for event in normalise(raw)] == ["clicked"]


def test_text_that_no_database_holds_is_cleaned() -> None:
    assert one(event="click", useragent="a\x00b\ud800").user_agent == "ab?"


_words = st.sampled_from(["unsubscribe", "group_unsubscribe", "spamreport", "dropped", "open", "unsub\0scribe", "x"])
_entry = st.fixed_dictionaries(
    {},
    optional={
        "event": _words | st.none() | st.integers(),
        "timestamp": st.sampled_from([1774236900, "1774236900", None, 1e400, -1, 2**70, "x", True]),
        "reason": st.sampled_from(["Unsubscribed Address", "Spam Reporting Address", "Invalid", "é", "\ud800"]),
        "email": st.text(max_size=5),
        "sg_event_id": st.text(max_size=3),
    },
)


@given(st.lists(_entry | st.none() | st.integers(), max_size=5), st.booleans())
def test_the_door_hears_every_no_that_the_sweep_reads(entries: list[Any], ascii_only: bool) -> None:
    raw = json.dumps(entries, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    try:
        expected = [event for event in normalise(raw) if event.kind in NOES]
    except InputError:
        expected = []
    try:
        heard = normalise_noes(raw)
    except InputError:
        heard = []
    assert heard == expected


def test_both_readers_of_json_say_the_same() -> None:
    told = {"timestamp": 1774236900, "event": "click", "sg_event_id": "e1", "url": "https://a.example/é"}
    plain = json.dumps([told]).encode()
    odd = json.dumps([told, {"useragent": "\ud800"}]).encode()
    assert normalise(plain) == normalise(odd)
