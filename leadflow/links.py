"""Signed words of the addresses we print in mails, each bound to its purpose, and the keyed hash of an address."""

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from leadflow.errors import LinkError

_CLICK = "click"
_UNSUBSCRIBE = "unsubscribe"
_CONFIRM = "confirm"
_PREFERENCES = "preferences"
_ANSWER = "leadflow.answer"
_FORM = "form"
_READER = "reader"
_DOWNLOAD = "download"
_ARRIVAL = "arrival"
_OPENED = "opened"
#: Seconds after a click in which the page it led to may tell whose it was.
_ARRIVES_WITHIN = 30 * 60
#: Bytes of a signature: 128 bits, as 32 hexadecimal signs.
_SIZE = 16

#: Stands in a mail that is looked at or tried where a reader's own signed word stands: it takes nobody out.
TEST_WORD = "test"

#: Target of the link in each mail that no reader sees: whoever follows it reads the source, as scanners do.
HIDDEN = "leadflow:hidden"


def sign_click(key: str, message_id: int, link_id: int) -> str:
    """A word that stands for a click on link `link_id` of message `message_id`; it never expires."""
    return _signed(key, _CLICK, f"{message_id}.{link_id}")


def click_urls(key: str, public_url: str, message_id: int, link_ids: Iterable[int]) -> list[str]:
    """The addresses of a message's clicks on all its links: `click_url` of `sign_click`, made in one go."""
    begun = _keyed(key, _CLICK).copy()
    begun.update(f"{message_id}.".encode())
    head = click_url(public_url, f"{message_id}.")
    made = []
    for link_id in link_ids:
        signature = begun.copy()
        signature.update(b"%d" % link_id)
        made.append(f"{head}{link_id}.{signature.hexdigest()}")
    return made


def read_click(key: str, token: str) -> tuple[int, int]:
    """(message id, link id) of a word made by `sign_click`; LinkError otherwise."""
    message_id, _dot, link_id = _read(key, _CLICK, token).partition(".")
    return int(message_id), int(link_id)


def sign_unsubscribe(key: str, identity_id: int, purpose: str) -> str:
    """A word with which the owner of an address leaves the mails of `purpose`; it never expires."""
    return _signed(key, _UNSUBSCRIBE, f"{identity_id}.{purpose}")


def read_unsubscribe(key: str, token: str) -> tuple[int, str]:
    """(identity id, purpose) of a word made by `sign_unsubscribe`; LinkError otherwise."""
    identity_id, _dot, purpose = _read(key, _UNSUBSCRIBE, token).partition(".")
    return int(identity_id), purpose


def sign_confirm(key: str, message_id: int) -> str:
    """A word that confirms what message `message_id` asks; its row says until when, and whether it was used."""
    return _signed(key, _CONFIRM, str(message_id))


def read_confirm(key: str, token: str) -> int:
    """The message id of a word made by `sign_confirm`; LinkError otherwise."""
    return int(_read(key, _CONFIRM, token))


def sign_preferences(key: str, identity_id: int) -> str:
    """A word with which the owner of an address chooses what to receive; it never expires."""
    return _signed(key, _PREFERENCES, str(identity_id))


def read_preferences(key: str, token: str) -> int:
    """The identity id of a word made by `sign_preferences`; LinkError otherwise."""
    return int(_read(key, _PREFERENCES, token))


def sign_answer(key: str, escalation_id: int, rep: str, answer: str) -> str:
    """A word with which salesperson `rep` gives `answer` to a hand-over, as long as it is theirs."""
    return str(URLSafeSerializer(key, salt=_ANSWER).dumps([escalation_id, rep, answer]))


def read_answer(key: str, token: str) -> tuple[int, str, str]:
    """(hand-over id, salesperson, answer) of a word made by `sign_answer`; LinkError otherwise."""
    try:
        value: Any = URLSafeSerializer(key, salt=_ANSWER).loads(token)
    except BadData as error:
        raise LinkError from error
    match value:
        # To the letter: base64 also reads words whose last sign is another.
        case [int() as escalation_id, str() as rep, str() as answer] if sign_answer(key, *value) == token:
            return escalation_id, rep, answer
        case _:
            raise LinkError


def sign_form(key: str, form: str, at: int) -> str:
    """A word that says when a form was shown (microseconds)."""
    return _signed(key, _FORM, f"{form}.{at}")


def read_form(key: str, form: str, token: str) -> int:
    """When `form` was shown, by a word made by `sign_form`; LinkError otherwise."""
    name, _dot, at = _read(key, _FORM, token).rpartition(".")
    if name != form:
        raise LinkError
    return int(at)


def sign_reader(key: str, identity_id: int, until: int) -> str:
    """A word by which a form knows who comes from a mail, until an instant (microseconds)."""
    return _signed(key, _READER, f"{identity_id}.{until}")


def read_reader(key: str, token: str, now: int) -> int:
    """The identity of a word made by `sign_reader`; LinkError otherwise, and once it is over."""
    return int(_read_until(key, _READER, token, now))


def sign_arrival(key: str, identity_id: int, at: datetime) -> str:
    """A word that goes along with a click to the site: whose mail it was in; good for half an hour from `at`."""
    return _signed(key, _ARRIVAL, f"{identity_id}.{int(at.timestamp())}")


def read_arrival(key: str, token: str, now: datetime) -> int:
    """The identity of a word made by `sign_arrival` that is good at `now`; LinkError otherwise."""
    identity_id, _dot, at = _read(key, _ARRIVAL, token).partition(".")
    if not -60 <= now.timestamp() - int(at) <= _ARRIVES_WITHIN:
        raise LinkError
    return int(identity_id)


def sign_download(key: str, form: str, until: int) -> str:
    """A word that opens what stands behind a form, until an instant (microseconds)."""
    return _signed(key, _DOWNLOAD, f"{form}.{until}")


def read_download(key: str, token: str, now: int) -> str:
    """The form of a word made by `sign_download`; LinkError otherwise, and once it is over."""
    return _read_until(key, _DOWNLOAD, token, now)


def sign_opened(key: str, identity_id: int) -> str:
    """A word in the picture of a mail: whose address it went to; it never expires."""
    return _signed(key, _OPENED, str(identity_id))


def read_opened(key: str, token: str) -> int:
    """The identity id of a word made by `sign_opened`; LinkError otherwise."""
    return int(_read(key, _OPENED, token))


def answer_url(public_url: str, token: str) -> str:
    """Where a salesperson answers a hand-over."""
    return f"{public_url.rstrip('/')}/h/{token}"


def meeting_url(public_url: str, token: str) -> str:
    """A file that puts a hand-over into a calendar, for whoever has it."""
    return f"{answer_url(public_url, token)}/meeting.ics"


def click_url(public_url: str, token: str) -> str:
    """Where a reader's click arrives."""
    return f"{public_url.rstrip('/')}/c/{token}"


def opened_url(public_url: str, token: str) -> str:
    """The picture of a mail that tells the day it was opened."""
    return f"{public_url.rstrip('/')}/o/{token}"


def unsubscribe_url(public_url: str, token: str) -> str:
    """Where a reader, or a mailbox on the reader's behalf, unsubscribes."""
    return f"{public_url.rstrip('/')}/u/{token}"


def confirm_url(public_url: str, token: str) -> str:
    """Where a reader confirms what they asked for."""
    return f"{public_url.rstrip('/')}/confirm/{token}"


def preferences_url(public_url: str, token: str) -> str:
    """Where a reader chooses what to receive."""
    return f"{public_url.rstrip('/')}/preferences/{token}"


def address_hash(key: str, address: str) -> str:
    """HMAC-SHA256, hex, of a normalised address: what a suppression is kept under once the address is gone."""
    return hmac.digest(key.encode(), address.encode(), "sha256").hex()


def address_hashes(key: str, addresses: Iterable[str]) -> Iterator[str]:
    """`address_hash` of each, in half the time."""
    keyed = hmac.new(key.encode(), digestmod="sha256")
    for address in addresses:
        hashed = keyed.copy()
        hashed.update(address.encode())
        yield hashed.hexdigest()


def _signed(key: str, purpose: str, text: str) -> str:
    """`text`, a dot and its signature: a mail has dozens of them, and they cost a microsecond each."""
    made = _keyed(key, purpose).copy()
    made.update(text.encode())
    return f"{text}.{made.hexdigest()}"


def _read(key: str, purpose: str, token: str) -> str:
    """The text of a word that `_signed` made, to the letter; LinkError for any other."""
    text = token.rpartition(".")[0]
    try:
        is_ours = hmac.compare_digest(_signed(key, purpose, text).encode(), token.encode())
    except UnicodeEncodeError as error:
        raise LinkError from error
    if not is_ours:
        raise LinkError
    return text


def _read_until(key: str, purpose: str, token: str, now: int) -> str:
    """What stands before the instant that ends `_read`'s text; LinkError once it is over, too."""
    text, _dot, until = _read(key, purpose, token).rpartition(".")
    if int(until) <= now:
        raise LinkError
    return text


@lru_cache(maxsize=16)
def _keyed(key: str, purpose: str) -> "hashlib.blake2b":
    # BLAKE2b is a keyed hash by itself, and `person` keeps what is signed for one purpose from serving another.
    return hashlib.blake2b(key=hashlib.sha256(key.encode()).digest(), digest_size=_SIZE, person=purpose.encode())
