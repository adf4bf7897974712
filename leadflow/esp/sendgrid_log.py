"""What SendGrid itself says it was given: its Email Logs, asked by our attempt ids.

The log cannot be asked for an attempt: the mails of two days are listed, and those to the right address are looked at.
A list has a thousand mails at most and no second page; where more were sent, each address is asked for by itself.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from leadflow.errors import BusyError, CrowdedError, ProviderError, SettingsError
from leadflow.ports import Asked
from leadflow.settings import Settings

_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
#: The most that one answer holds.
_LIMIT = 1_000
#: SendGrid dates a mail when it takes it, by its own clock, and ours may be wrong by a day: a no must not rest on it.
_CLOCKS_DIFFER = timedelta(hours=25)
#: Whether the log may be asked once more this minute.
Turn = Callable[[], bool]


class SendGridLog:
    """The list of mails that SendGrid accepted in the last 30 days."""

    name = "sendgrid"
    lag = timedelta(minutes=5)

    def __init__(self, url: str, api_key: str, *, turn: Turn = lambda: True) -> None:
        self._turn = turn
        headers = {"Authorization": f"Bearer {api_key}"}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT)
        #: SendGrid's ids looked at before, which do not change, and our attempts.
        self._attempts: dict[str, str | None] = {}

    def find(self, asked: Sequence[Asked]) -> Mapping[str, str]:
        """Attempt id → SendGrid's id of the request, of those it knows.

        CrowdedError when they must be asked about one at a time, BusyError with what is known so far when it was
        asked enough this minute, another ProviderError when it does not answer.
        """
        if not asked:
            return {}
        address = asked[0].to if len(asked) == 1 else None
        mails = self._list(query_of(asked, address))
        if len(mails) >= _LIMIT:
            raise CrowdedError
        found: dict[str, str] = {}
        by_address = _by_address(mails)
        denied = {one.attempt_id for one in asked if one.to.casefold() not in by_address}
        for one in asked:
            try:
                found |= self._compare(one, by_address.get(one.to.casefold(), ()))
            except BusyError as error:
                raise BusyError(found=found, denied=denied) from error
            if one.attempt_id not in found:
                denied.add(one.attempt_id)
        return found

    def _compare(self, one: Asked, mails: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
        """The mail to that address that carries our attempt; the list does not tell, its own page does."""
        for mail in sorted(mails, key=lambda mail: _distance(mail, one)):
            id_ = str(mail["sg_message_id"])
            if id_ not in self._attempts:
                shown = mail if isinstance(mail.get("custom_args"), dict) else self._answer("GET", f"/v3/logs/{id_}")
                self._attempts[id_] = _attempt(shown)
            if self._attempts[id_] == one.attempt_id:
                return {one.attempt_id: _request(id_)}
        return {}

    def close(self) -> None:
        """Close the kept connection."""
        self._client.close()

    def _list(self, query: str) -> list[dict[str, Any]]:
        answer = self._answer("POST", "/v3/logs", json={"query": query, "limit": _LIMIT})
        mails = answer.get("messages")
        if not isinstance(mails, list):
            raise ProviderError("SendGrid's log answered something else than a list")
        return [mail for mail in mails if isinstance(mail, dict) and isinstance(mail.get("sg_message_id"), str)]

    def _answer(self, method: str, path: str, **body: Any) -> Mapping[str, Any]:
        if not self._turn():
            raise BusyError
        try:
            answer = self._client.request(method, path, **body)
            answer.raise_for_status()
            said = answer.json()
        except httpx.HTTPStatusError as error:
            code = error.response.status_code
            if code == httpx.codes.TOO_MANY_REQUESTS:
                raise BusyError from error
            raise ProviderError(f"SendGrid's log answered {code}") from error
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderError(f"SendGrid does not answer: {type(error).__name__}") from error
        if not isinstance(said, dict):
            raise ProviderError("SendGrid's log answered something else than a list")
        return said


def query_of(asked: Sequence[Asked], address: str | None) -> str:
    """The log's condition: one address at any time, or everybody around the time of the intents."""
    if address is not None:
        if '"' in address or "\\" in address:
            # An address may hold a quotation mark, which the log's language cannot.
            raise CrowdedError
        return f'to_email = "{address}"'
    first = min(one.intent_at for one in asked) - _CLOCKS_DIFFER
    last = max(one.intent_at for one in asked) + _CLOCKS_DIFFER
    return (
        f'sg_message_id_created_at >= TIMESTAMP "{_stamp(first)}"'
        f' AND sg_message_id_created_at <= TIMESTAMP "{_stamp(last)}"'
    )


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _distance(mail: Mapping[str, Any], one: Asked) -> float:
    """Seconds between our intent and SendGrid's date, so that the likeliest mail is looked at first."""
    try:
        at = datetime.fromisoformat(str(mail.get("sg_message_id_created_at")))
        return abs((at - one.intent_at).total_seconds())
    except (ValueError, TypeError):
        return float("inf")


def _by_address(mails: Sequence[Mapping[str, Any]]) -> Mapping[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for mail in mails:
        found.setdefault(str(mail.get("to_email")).casefold(), []).append(mail)
    return found


def _attempt(mail: Mapping[str, Any]) -> str | None:
    """Our attempt id: webhooks have it beside their own words, the log one level down."""
    arguments = mail.get("custom_args")
    found = arguments.get("lf_attempt") if isinstance(arguments, dict) else None
    return found if isinstance(found, str) else None


def _request(id_: str) -> str:
    """The id that `send` returned: the log's begins with it."""
    return id_.partition(".")[0]


def open(settings: Settings, turn: Turn) -> SendGridLog:
    """The log of the account that LEADFLOW_SENDGRID_API_KEY belongs to; SettingsError without it."""
    key = settings.sendgrid_api_key.get_secret_value()
    if not key:
        raise SettingsError("LEADFLOW_SENDGRID_API_KEY is not set")
    return SendGridLog(settings.sendgrid_url, key, turn=turn)
