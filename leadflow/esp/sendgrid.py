"""`esp: sendgrid` posts each mail to SendGrid's mail/send; its own tracking stays off, ours is in the mail already."""

import time
from collections.abc import Mapping
from typing import Any

import orjson

from leadflow.email.mime import refuse_bad_addresses, unsubscribe_headers
from leadflow.email.render import one_line
from leadflow.errors import (
    BuildError,
    LeadflowError,
    OutageError,
    RefusedError,
    SettingsError,
    UnknownOutcomeError,
    UnsupportedFeatureError,
)
from leadflow.esp._wire import Answer, BrokenError, UnreachableError, Wire
from leadflow.ports import Outgoing
from leadflow.settings import Settings

#: SendGrid sets these itself and refuses a request that does.
_RESERVED = {
    "x-sg-id",
    "x-sg-eid",
    "received",
    "dkim-signature",
    "content-type",
    "content-transfer-encoding",
    "to",
    "from",
    "subject",
    "reply-to",
    "cc",
    "bcc",
}
#: SendGrid's own tracking is off: ours is in the mail already.
_TRACKING = {
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": {"enable": False},
    "subscription_tracking": {"enable": False},
}
#: Seconds until a connection stands, and until an answer has come.
_CONNECT, _PATIENCE = 5.0, 30.0


class SendGridProvider:
    """Connections to the Web API that are kept from one mail to the next."""

    name = "sendgrid"
    in_flight = 100

    def __init__(self, url: str, api_key: str, *, patience: float = _PATIENCE) -> None:
        headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
        self._wire = Wire(f"{url.rstrip('/')}/v3/mail/send", headers, connect=_CONNECT, patience=patience)

    async def send(self, mail: Outgoing) -> str:
        """The X-Message-Id of the request; the ids in SendGrid's events begin with it."""
        try:
            # Connecting may have taken long, or this process stood still meanwhile.
            answer = await self._wire.post(_dumped(mail), mail.refuse_when_stale)
        except UnreachableError as error:
            raise OutageError(f"SendGrid cannot be reached: {error}") from error
        except (BrokenError, TimeoutError) as error:
            raise UnknownOutcomeError(f"SendGrid did not answer: {type(error).__name__}") from error
        return _read(answer)

    async def close(self) -> None:
        """Close the kept connections."""
        self._wire.close()


def _dumped(mail: Outgoing) -> bytes:
    try:
        return orjson.dumps(build_body(mail))
    except LeadflowError:
        raise
    except Exception as error:
        raise BuildError(type(error).__name__) from error


def build_body(mail: Outgoing) -> dict[str, Any]:
    """The JSON of mail/send for `mail`; UnsupportedFeatureError for a header that SendGrid would not carry."""
    for name in mail.headers:
        if name.lower() in _RESERVED:
            raise UnsupportedFeatureError(f"SendGrid does not carry the header {name}")
    refuse_bad_addresses(mail)
    to: dict[str, Any] = {"to": [_named(mail.to_name, mail.to)]}
    if mail.arguments:
        # Of the one recipient: the official description knows objects there only.
        to["custom_args"] = dict(mail.arguments)
    headers = {name: one_line(value) for name, value in mail.headers.items()}
    return {
        "from": _named(mail.from_name, mail.from_address),
        "reply_to": {"email": mail.reply_to},
        "subject": one_line(mail.subject),
        "personalizations": [to],
        "content": [
            {"type": "text/plain", "value": _ready(mail.text_json, mail.text)},
            {"type": "text/html", "value": _ready(mail.html_json, mail.html)},
        ],
        "headers": {**unsubscribe_headers(mail), **headers},
        "categories": [mail.email],
        "tracking_settings": _TRACKING,
    }


def _ready(json: bytes, text: str) -> object:
    return orjson.Fragment(json) if json else text


def _named(name: str, address: str) -> dict[str, str]:
    name = one_line(name)
    return {"name": name, "email": address} if name else {"email": address}


def _read(answer: Answer) -> str:
    code = answer.status
    if code == 202:
        return answer.headers.get("x-message-id", "")
    if code == 429:
        raise OutageError("SendGrid answered 429", retry_after=_wait(answer.headers))
    if code in (401, 403):
        # Our key is at fault, not the mail: it can go once somebody has mended the setting.
        raise OutageError(f"SendGrid refuses our key: {code}")
    if 400 <= code < 500:
        # Its words may quote the address: the code alone is kept.
        raise RefusedError(f"SendGrid answered {code}")
    raise UnknownOutcomeError(f"SendGrid answered {code}")


def _wait(headers: Mapping[str, str]) -> float | None:
    """Seconds SendGrid asks us to wait: Retry-After, else until X-RateLimit-Reset (a Unix time)."""
    try:
        if "retry-after" in headers:
            return max(0.0, float(headers["retry-after"]))
        if "x-ratelimit-reset" in headers:
            return max(0.0, float(headers["x-ratelimit-reset"]) - time.time())
    except ValueError:
        return None
    return None


def open(settings: Settings) -> SendGridProvider:
    """The adapter for LEADFLOW_SENDGRID_API_KEY; SettingsError without it."""
    key = settings.sendgrid_api_key.get_secret_value()
    if not key:
        raise SettingsError("LEADFLOW_SENDGRID_API_KEY is not set")
    return SendGridProvider(settings.sendgrid_url, key)
