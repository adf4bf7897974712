"""Bodies that come to a door: odd ones of every kind, and good ones of which each must end as a row."""

import json
import random
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_from_bytes, urlencode

from leadflow.links import sign_form, sign_unsubscribe
from tests.web.wide import API_KEY, HOOK, KEY, PEOPLE, addresses, signed

WORDS = ["event", "email", "at", "id", "fields", "consent", "visitor", "path", "page_viewed", "demo_requested"]
WORDS += ["p7@x.example", "p7@", "2026-03-20", "9999-99-99", "state", "won", "amount", "external_id", "purpose", "lang"]
TYPES = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", ""]
SIGNS = string.printable + "éß€\u202e\x00\ud800"
#: Whole numbers beyond 64 bits, and what is none.
NUMBERS: list[Any] = [0, -1, 2**63, 10**40, 1e308, -0.0, float("inf"), float("nan")]
SITE = "https://a.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One body on its way to a door."""

    door: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    #: Its network; a form lets each send so many.
    ip: str = "90.1.2.3"
    #: What must be found in a stored row afterwards; empty for an odd body.
    word: str = ""


def value(chance: random.Random, depth: int = 0) -> Any:
    """Anything that JSON can say, and a little more."""
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


def odd(chance: random.Random) -> bytes:
    """A body nobody means well by, or that went wrong on its way."""
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


def posts(chance: random.Random, now: int) -> Iterator[Post]:
    """Odd bodies for every door that takes one, without an end; one in eight is good."""
    doors = sorted(addresses("POST"))
    # They write the most; that nothing is asked of them twice has tests of its own.
    dear = [door for door in doors if door.startswith("/preferences/")]
    cheap = [door for door in doors if door not in dear]
    number = 0
    while True:
        number += 1
        ip = f"90.{chance.randrange(256)}.{chance.randrange(256)}.7"
        if chance.random() < 1 / 8:
            yield good(chance, number, ip, now)
            continue
        door = chance.choice(dear if chance.random() < 1 / 40 else cheap)
        headers = {"Content-Type": chance.choice(TYPES)}
        if chance.random() < 1 / 2:
            headers["Authorization"] = f"Bearer {API_KEY}"
        if chance.random() < 1 / 2:
            headers["Origin"] = SITE
        body = odd(chance)
        if "sendgrid" in door and chance.random() < 1 / 2:
            headers |= signed(body)
        yield Post(door=door, body=body, headers=headers, ip=ip)


def good(chance: random.Random, number: int, ip: str, now: int) -> Post:
    """A body that no door may lose."""
    word, one = f"w{number:08}", chance.randrange(1, PEOPLE + 1)
    who = chance.choice([f"p{one}@x.example", f"new{chance.randrange(500)}@x.example"])
    pushed = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}
    act = {"event": "page_viewed", "email": who, "path": "/tarifs", "id": word, "at": "2026-03-20T10:00:00Z"}

    def post(door: str, told: Any, headers: dict[str, str]) -> Post:
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        return Post(door=door, body=body, headers=headers, ip=ip, word=word)

    match chance.randrange(9):
        case 0:
            return post("/v1/events", act, pushed)
        case 1:
            # Beside one that is not.
            return post("/v1/events", [{"event": "no"}, act, 7], pushed)
        case 2:
            return post("/v1/leads", {"email": who, "external_id": word, "first_name": "Ada"}, pushed)
        case 3:
            return post("/v1/deals", {"email": f"p{one}@x.example", "deal_id": word, "state": "open"}, pushed)
        case 4:
            seen = {"event": "page_viewed", "visitor": word, "path": "/tarifs"}
            return post("/t", seen, {"Origin": SITE, "Content-Type": "text/plain"})
        case 5:
            told = {"email": who, "first_name": word, "consent.newsletter": "yes"}
            stamp = sign_form(KEY, "letter", now - 10_000_000 + number)
            typed = {"Content-Type": "application/x-www-form-urlencoded"}
            return post("/forms/letter", urlencode({**told, "_at": stamp}).encode(), typed)
        case 6:
            liked = {"data": {"list": [{"id": word, "who": {"mail": who}, "net": "LinkedIn", "t": 1_774_000_000}]}}
            return post(f"/hooks/social/megaphone/{API_KEY}", liked, {"Content-Type": "application/json"})
        case 7:
            part = '--x\r\nContent-Disposition: form-data; name="email"\r\n\r\n'
            mail = f"{part}From: {who}\nSubject: {word}\n\nYes\r\n--x--"
            typed = {"Content-Type": "multipart/form-data; boundary=x"}
            return post(f"/hooks/inbound/{HOOK}", mail.encode(), typed)
        case _:
            news = [{"email": who, "timestamp": 1_774_000_000, "event": "delivered", "sg_event_id": word}]
            raw = json.dumps(news).encode()
            door = next(door for door in addresses("POST") if "sendgrid" in door)
            return post(door, raw, signed(raw))


def unsubscribes() -> Iterator[Post]:
    """Everybody says no, by the button of their mailbox."""
    for one in range(1, PEOPLE + 1):
        yield Post(door=f"/u/{sign_unsubscribe(KEY, one, 'nurture')}", body=b"List-Unsubscribe=One-Click")
