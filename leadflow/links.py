"""Signed words of the addresses we print in mails, one salt per purpose, and the keyed hash of an address."""

import hmac
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from leadflow.errors import LinkError

_CLICK = "leadflow.click"
_UNSUBSCRIBE = "leadflow.unsubscribe"
_ANSWER = "leadflow.answer"


def sign_click(key: str, message_id: int, link_id: int) -> str:
    """A word that stands for a click on link `link_id` of message `message_id`; it never expires."""
    return _sign(key, _CLICK, [message_id, link_id])


def read_click(key: str, token: str) -> tuple[int, int]:
    """(message id, link id) of a word made by `sign_click`; LinkError otherwise."""
    match _read(key, _CLICK, token):
        case [int() as message_id, int() as link_id]:
            return message_id, link_id
        case _:
            raise LinkError


def sign_unsubscribe(key: str, identity_id: int, purpose: str) -> str:
    """A word with which the owner of an address leaves the mails of `purpose`; it never expires."""
    return _sign(key, _UNSUBSCRIBE, [identity_id, purpose])


def read_unsubscribe(key: str, token: str) -> tuple[int, str]:
    """(identity id, purpose) of a word made by `sign_unsubscribe`; LinkError otherwise."""
    match _read(key, _UNSUBSCRIBE, token):
        case [int() as identity_id, str() as purpose]:
            return identity_id, purpose
        case _:
            raise LinkError


def sign_answer(key: str, escalation_id: int, rep: str, answer: str) -> str:
    """A word with which salesperson `rep` gives `answer` to a hand-over, as long as it is theirs."""
    return _sign(key, _ANSWER, [escalation_id, rep, answer])


def read_answer(key: str, token: str) -> tuple[int, str, str]:
    """(hand-over id, salesperson, answer) of a word made by `sign_answer`; LinkError otherwise."""
    match _read(key, _ANSWER, token):
        case [int() as escalation_id, str() as rep, str() as answer]:
            return escalation_id, rep, answer
        case _:
            raise LinkError


def answer_url(public_url: str, token: str) -> str:
    """Where a salesperson answers a hand-over."""
    return f"{public_url.rstrip('/')}/h/{token}"


def click_url(public_url: str, token: str) -> str:
    """Where a reader's click arrives."""
    return f"{public_url.rstrip('/')}/c/{token}"


def unsubscribe_url(public_url: str, token: str) -> str:
    """Where a reader, or a mailbox on the reader's behalf, unsubscribes."""
    return f"{public_url.rstrip('/')}/u/{token}"


def address_hash(key: str, address: str) -> str:
    """HMAC-SHA256, hex, of a normalised address: what a suppression is kept under once the address is gone."""
    return hmac.digest(key.encode(), address.encode(), "sha256").hex()


def _sign(key: str, purpose: str, value: list[int | str]) -> str:
    return str(URLSafeSerializer(key, salt=purpose).dumps(value))


def _read(key: str, purpose: str, token: str) -> Any:
    try:
        return URLSafeSerializer(key, salt=purpose).loads(token)
    except BadData as error:
        raise LinkError from error
