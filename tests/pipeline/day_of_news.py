"""A day of a provider's news about a few mails, lived many times over in one database, in as many orders."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from leadflow.models import event, hit, identity, intake, lead, link, message, suppression
from leadflow.types import micros
from tests.build import NIGHT

SENT = NIGHT - timedelta(hours=18)
BROWSER = "Mozilla/5.0 (Macintosh) Safari/605"
SITE = "https://a.example"
#: People and mails of one day; those of the n-th have ids n times as much higher.
PEOPLE, MAILS = 2, 3
#: Each mail's reader.
_READER = {1: 1, 2: 2, 3: 2}


def _told(mail: int, kind: str, after: float, **more: Any) -> dict[str, Any]:
    """(mail, entry): what the provider says so many seconds after the mail left."""
    return {"mail": mail, "event": kind, "timestamp": int(SENT.timestamp() + after), **more}


def _click(mail: int, page: str, after: float, where: str) -> dict[str, Any]:
    return _told(mail, "click", after, url=f"{SITE}/{page}", useragent=BROWSER, ip=where)


ENTRIES: Sequence[dict[str, Any]] = (
    _told(1, "processed", 1),
    _told(1, "deferred", 3),
    _told(1, "delivered", 900),
    _told(1, "delivered", 930),
    _told(1, "open", 1_000, sg_machine_open=True),
    _click(1, "prices", 905, "scanner"),
    _click(1, "cases", 906, "scanner"),
    _click(1, "team", 906, "scanner"),
    _click(1, "prices", 4_000, "home"),
    _click(1, "cases", 4_090, "home"),
    _told(1, "spamreport", 9_000),
    _told(2, "processed", 1),
    _told(2, "bounce", 60, type="blocked"),
    _told(2, "delivered", 120),
    _click(2, "prices", 150, "cloud"),
    _told(2, "bounce", 7_000, type="bounce", status="5.1.1"),
    _told(3, "delivered", 5),
    _click(3, "prices", 20, "home"),
    _click(3, "team", 7_200, "scanner"),
    _told(3, "unsubscribe", 8_000),
    _told(3, "group_resubscribe", 8_100),
    _told(3, "from_the_future", 8_200),
)
_WHERE = {"scanner": "185.{}.{}.9", "home": "90.{}.{}.9", "cloud": "18.{}.{}.9"}


def live(session: Session, days: int) -> None:
    """The people and mails of so many days, sent and not told of yet."""
    leads = [day * PEOPLE + one for day in range(days) for one in range(1, PEOPLE + 1)]
    born = {"seed": 1, "attributes": {}, "folded": {}, "provenance": {}}
    dates = dict.fromkeys(("first_seen_at", "created_at", "updated_at"), SENT)
    session.execute(insert(lead), [{"id": id, "address_id": id, **born, **dates} for id in leads])
    mailboxes = [{"id": i, "kind": "email", "value": _address(i), "hash": f"h{i}", "lead_id": i} for i in leads]
    session.execute(insert(identity), mailboxes)
    session.execute(insert(message), [_message(day, mail) for day in range(days) for mail in _READER])


def _address(lead_id: int) -> str:
    return f"p{lead_id}@x.example"


def _message(day: int, mail: int) -> dict[str, Any]:
    whose = day * PEOPLE + _READER[mail]
    id = day * MAILS + mail
    words = {
        "email": "hello",
        "language": "en",
        "purpose": "nurture",
        "basis": "consent",
        "version": "",
        "playbook": "",
    }
    dates = dict.fromkeys(("planned_at", "send_at", "expires_at", "sent_at"), SENT)
    state = "unknown" if mail == 3 else "accepted"
    return {"id": id, "lead_id": whose, "address_id": whose, "attempt_id": f"t-{id}", "state": state, "chosen": {}} | (
        words | dates
    )


def tell(session: Session, days: int, seed: int, sweeps: Sequence[datetime]) -> Iterator[datetime]:
    """Before each of `sweeps`, a part of each day's news comes in: in any order, some of it twice and more."""
    parts = [_shuffled(day, Random(f"{seed}.{day}"), len(sweeps)) for day in range(days)]
    for number, now in enumerate(sweeps):
        received = now - timedelta(minutes=5)
        bodies = [json.dumps(post).encode() for posts in parts for post in posts[number]]
        session.execute(
            insert(intake), [{"kind": "sendgrid", "received_at": received, "body": body} for body in bodies]
        )
        yield now


def _shuffled(day: int, rng: Random, sweeps: int) -> list[list[list[dict[str, Any]]]]:
    """One day's POSTs by sweep; every entry is in at least one of them."""
    numbers = [number for number in range(len(ENTRIES)) for _copy in range(rng.choices((1, 2, 4), (6, 3, 1))[0])]
    rng.shuffle(numbers)
    posts: list[list[list[dict[str, Any]]]] = [[] for _ in range(sweeps)]
    while numbers:
        size = rng.randrange(1, 9)
        posts[rng.randrange(sweeps)].append([_entry(day, number, rng) for number in numbers[:size]])
        del numbers[:size]
    return posts


def _entry(day: int, number: int, rng: Random) -> dict[str, Any]:
    told = dict(ENTRIES[number])
    mail = told.pop("mail")
    if "ip" in told:
        told["ip"] = _WHERE[told["ip"]].format(128 + day // 256, day % 256)
    about = {"email": _address(day * PEOPLE + _READER[mail]), "lf_attempt": f"t-{day * MAILS + mail}"}
    entry = told | about | {"sg_event_id": f"e-{day}-{number}"}
    keys = list(entry)
    rng.shuffle(keys)
    return {key: entry[key] for key in keys}


def outcomes(session: Session, days: int) -> list[str]:
    """What became of each day, in words that are the same for equal days."""
    found: defaultdict[int, list[Any]] = defaultdict(list)
    names = ("id", "state", "delivery", "delivery_rank", "delivery_at", "delivered_at")
    for row in session.execute(select(*(message.c[name] for name in names))):
        found[(row.id - 1) // MAILS].append(("mail", (row.id - 1) % MAILS, *map(str, row[1:])))
    for row in session.execute(select(suppression)):
        number = int(row.address_hash[1:]) - 1
        found[number // PEOPLE].append(("suppressed", number % PEOPLE, row.reason, str(row.at)))
    for row in session.execute(select(event)):
        said = (row.kind, micros(row.occurred_at), row.path or "", row.weight, row.classified_by or "")
        found[(row.lead_id - 1) // PEOPLE].append(("event", (row.message_id - 1) % MAILS, *said, str(row.properties)))
    visits = select(hit.c.message_id, hit.c.at, link.c.url, hit.c.signs).join(link, link.c.id == hit.c.link_id)
    for row in session.execute(visits):
        found[(row.message_id - 1) // MAILS].append(("visit", (row.message_id - 1) % MAILS, str(row[1:])))
    return [repr(sorted(found[day], key=repr)) for day in range(days)]
