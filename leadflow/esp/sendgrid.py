"""`esp: sendgrid` posts each mail to SendGrid's mail/send; its own tracking stays off, ours is in the mail already."""

import time
from collections.abc import Mapping
from typing import Any

import aiohttp
import orjson
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import BytesPayload

from leadflow.email.mime import refuse_bad_addresses, unsubscribe_headers
from leadflow.email.render import one_line
from leadflow.errors import (
    BuildError,
    LeadflowError,
    OutageError,
    RefusedError,
    SettingsError,
    StaleError,
    UnknownOutcomeError,
    UnsupportedFeatureError,
)
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
_TIMEOUT = aiohttp.ClientTimeout(total=30.0, sock_connect=5.0)


class SendGridProvider:
    """Connections to the Web API that are kept from one mail to the next."""

    name = "sendgrid"
    in_flight = 100

    def __init__(self, url: str, api_key: str, *, timeout: aiohttp.ClientTimeout = _TIMEOUT) -> None:
        self._url = f"{url.rstrip('/')}/v3/mail/send"
        self._headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None

    async def send(self, mail: Outgoing) -> str:
        """The X-Message-Id of the request; the ids in SendGrid's events begin with it."""
        body = _Body(mail)
        try:
            async with self._open().post(self._url, data=body) as answer:
                await answer.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise OutageError(f"SendGrid cannot be reached: {type(error).__name__}") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            if body.is_stale:
                raise StaleError from error
            raise UnknownOutcomeError(f"SendGrid did not answer: {type(error).__name__}") from error
        return _read(answer.status, answer.headers)

    async def close(self) -> None:
        """Close the kept connections."""
        if self._session is not None:
            await self._session.close()
        self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self.in_flight),
                headers=self._headers,
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session


class _Body(BytesPayload):
    """The JSON of one mail; a request whose body has not begun is no mail, so here is where it can still be held."""

    def __init__(self, mail: Outgoing) -> None:
        super().__init__(_dumped(mail), content_type="application/json")
        self._mail = mail
        self.is_stale = False

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        """Write it, unless its time is over by now: connecting may have taken long, or this process stood still."""
        try:
            self._mail.refuse_when_stale()
        except StaleError:
            self.is_stale = True
            raise
        await super().write_with_length(writer, content_length)


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
        "content": [{"type": "text/plain", "value": mail.text}, {"type": "text/html", "value": mail.html}],
        "headers": {**unsubscribe_headers(mail), **headers},
        "categories": [mail.email],
        "tracking_settings": _TRACKING,
    }


def _named(name: str, address: str) -> dict[str, str]:
    name = one_line(name)
    return {"name": name, "email": address} if name else {"email": address}


def _read(code: int, headers: Mapping[str, str]) -> str:
    if code == 202:
        return headers.get("X-Message-Id", "")
    if code == 429:
        raise OutageError("SendGrid answered 429", retry_after=_wait(headers))
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
        if "Retry-After" in headers:
            return max(0.0, float(headers["Retry-After"]))
        if "X-RateLimit-Reset" in headers:
            return max(0.0, float(headers["X-RateLimit-Reset"]) - time.time())
    except ValueError:
        return None
    return None


def open(settings: Settings) -> SendGridProvider:
    """The adapter for LEADFLOW_SENDGRID_API_KEY; SettingsError without it."""
    key = settings.sendgrid_api_key.get_secret_value()
    if not key:
        raise SettingsError("LEADFLOW_SENDGRID_API_KEY is not set")
    return SendGridProvider(settings.sendgrid_url, key)
