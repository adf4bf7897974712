"""SendGrid's event webhook: are these bytes SendGrid's, and what do they say in our words?"""

import base64
import binascii
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from leadflow.errors import InputError
from leadflow.ports import ProviderEvent

SIGNATURE_HEADER = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP_HEADER = "X-Twilio-Email-Event-Webhook-Timestamp"

#: What is not accepted is sent again for 24 hours; a shorter window would lose it.
_REPLAY_WINDOW = timedelta(hours=25)
_CLOCKS_DIFFER = timedelta(minutes=5)

_KINDS = {
    "processed": "processed",
    "deferred": "deferred",
    "delivered": "delivered",
    "click": "clicked",
    "spamreport": "complained",
    "unsubscribe": "unsubscribed",
    "group_unsubscribe": "unsubscribed",
}
#: Why SendGrid did not even try: it keeps lists of its own, and what they know of an address we want to know too.
_DROPPED = {
    "Bounced Address": ("bounced", "hard"),
    "Invalid": ("bounced", "hard"),
    "Unsubscribed Address": ("unsubscribed", None),
    "Spam Reporting Address": ("complained", None),
}
#: Names of theirs → ours, of two for one of ours the better last.
_TEXTS = (
    *(("email", "address"), ("lf_attempt", "attempt_id"), ("url", "url"), ("ip", "ip"), ("useragent", "user_agent")),
    *(("bounce_classification", "classification"), ("response", "note"), ("reason", "note")),
)
#: What of an entry about somebody unknown may still be needed: its attempt may turn out to be ours.
_NO_PERSON = ("event", "timestamp", "sg_message_id", "lf_attempt", "type", "bounce_classification")
#: A person's own no.
NOES = ("unsubscribed", "complained")
_WORDS_OF_NO = {word for word, kind in _KINDS.items() if kind in NOES} | {"dropped"}
#: Bounces that the sender caused: they say nothing about the address.
_SENDERS_FAULT = {"Reputation", "Content", "Technical", "Frequency or Volume Too High"}


def verify(raw: bytes, signature: str, timestamp: str, keys: Sequence[str], *, now: datetime) -> bool:
    """Whether `raw`, byte for byte, was signed with one of `keys` (base64 DER) at most 25 hours ago.

    False without a key, and for anything that cannot be read.
    """
    if not _is_recent(timestamp, now):
        return False
    try:
        signed = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    return any(_signed_with(key, signed, timestamp.encode() + raw) for key in keys if key.strip())


def normalise(raw: bytes) -> list[ProviderEvent]:
    """The events of one POST; InputError when it is no JSON array. An entry without a time tells nothing: left out."""
    found = (_event(entry) for entry in _entries(raw) if isinstance(entry, dict))
    return [event for event in found if event is not None]


def normalise_noes(raw: bytes) -> list[ProviderEvent]:
    """Those of `normalise` in which a person says no: an unsubscribe, a complaint."""
    said = (entry for entry in _entries(raw) if isinstance(entry, dict) and _may_be_no(entry.get("event")))
    found = (_event(entry) for entry in said)
    return [event for event in found if event is not None and event.kind in NOES]


def without(raw: bytes, strangers: Collection[str]) -> bytes:
    """The array of one POST without what it says of these addresses; of an attempt of ours what tells of no person."""
    kept: list[Any] = []
    for entry in _entries(raw):
        event = _event(entry) if isinstance(entry, dict) else None
        if event is None or event.address not in strangers:
            kept.append(entry)
        elif event.attempt_id:
            # An id of their own may be missing, and ours is made of the address.
            kept.append(
                {name: entry[name] for name in _NO_PERSON if name in entry} | {"sg_event_id": event.external_id}
            )
    return json.dumps(kept).encode()


def _may_be_no(word: object) -> bool:
    return isinstance(word, str) and (word in _WORDS_OF_NO or "\0" in word)


def _entries(raw: bytes) -> list[Any]:
    try:
        entries = orjson.loads(raw)
    except ValueError:
        # It refuses what JSON allows and databases do not, such as half a character, whose neighbours are good.
        entries = _plainly(raw)
    if not isinstance(entries, list):
        raise InputError("provider events come as a JSON array")
    return entries


def _plainly(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InputError("these provider events are not JSON") from error


def _is_recent(timestamp: str, now: datetime) -> bool:
    at = _instant(timestamp)
    return at is not None and -_CLOCKS_DIFFER <= now - at <= _REPLAY_WINDOW


def _signed_with(key: str, signature: bytes, message: bytes) -> bool:
    public = _public_key(key.strip())
    if public is None:
        return False
    try:
        public.verify(signature, message, ECDSA(SHA256()))
    except (InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


@lru_cache(maxsize=8)
def _public_key(key: str) -> EllipticCurvePublicKey | None:
    """The key of these base64 DER bytes; None for anything else."""
    try:
        public = load_der_public_key(base64.b64decode(key, validate=True))
    except (UnsupportedAlgorithm, ValueError):
        return None
    return public if isinstance(public, EllipticCurvePublicKey) else None


def _event(entry: Mapping[str, Any]) -> ProviderEvent | None:
    at = _instant(entry.get("timestamp"))
    if at is None:
        return None
    kind, hardness = _kind(entry)
    provider_id = _text(entry.get("sg_message_id"))
    told = {name: text for key, name in _TEXTS if (text := _text(entry.get(key))) is not None}
    return ProviderEvent(
        external_id=_text(entry.get("sg_event_id")) or _fingerprint(entry),
        kind=kind,
        at=at,
        provider_id=(provider_id.partition(".")[0] or None) if provider_id else None,
        hardness=hardness,
        **told,
    )


def _kind(entry: Mapping[str, Any]) -> tuple[str, str | None]:
    """Our word, and for a bounce how hard it was; a type nobody knows yet is `other`."""
    word = _text(entry.get("event")) or ""
    if word == "dropped":
        return _DROPPED.get(_text(entry.get("reason")) or "", ("dropped", None))
    if word != "bounce":
        return _KINDS.get(word, "other"), None
    if entry.get("bounce_classification") in _SENDERS_FAULT:
        return "blocked", None
    return ("blocked", "soft") if entry.get("type") == "blocked" else ("bounced", "hard")


def _fingerprint(entry: Mapping[str, Any]) -> str:
    """Stands for the id that unsubscribes may lack: equal for a repeated delivery of the same news."""
    told = [str(entry.get(name)) for name in ("sg_message_id", "event", "timestamp", "email", "url")]
    return hashlib.sha256("\n".join(told).encode("utf-8", "replace")).hexdigest()


def _instant(value: object) -> datetime | None:
    """An instant of Unix seconds, as a number or as digits."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return datetime.fromtimestamp(int(value), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _text(value: object) -> str | None:
    """`value` as text that a database can hold, None for anything else."""
    if not isinstance(value, str) or not value:
        return None
    if value.isascii() and "\0" not in value:
        return value
    return value.replace("\0", "").encode("utf-8", "replace").decode()
