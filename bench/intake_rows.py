"""What comes in, made up for the benchmarks: a file of people, POSTs of a provider, and the messages they speak of."""

import base64
import csv
import json
import random
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Engine, Table
from sqlalchemy.orm import Session

from bench.make_data import BEFORE
from leadflow.intake.bulk import insert_rows
from leadflow.intake.sendgrid import SIGNATURE_HEADER, TIMESTAMP_HEADER
from leadflow.models import identity, lead, lead_score, lead_state, message
from leadflow.types import micros

_KEY = generate_private_key(SECP256R1())
PUBLIC_KEY = base64.b64encode(_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()

_FIRST = ("Claire", "Luc", "Aoife", "Zoé", "Jörg", "Ana", "Bo", "Marie", "Paul", "Inès")
_LAST = ("Morel", "Durand", "Le Goff", "O'Neil", "Müller", "Petit", "Robert", "Simon", "Garcia", "Roux")
_TITLES = ("Gérante", "Directeur général", "Responsable marketing", "Chef de projet digital", "Acheteur")
_COLUMNS = ("email", "first_name", "last_name", "phone", "company", "country", "language", "job_title", "industry")
_AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0 Safari/537.36"
#: Of a hundred events: what a night's mail brings back in the first day.
_MIX = ["processed"] * 32 + ["delivered"] * 31 + ["open"] * 14 + ["click"] * 14 + ["deferred"] * 5 + ["bounce"] * 3
_MIX += ["unsubscribe"]


def write_people(path: Path, n: int) -> None:
    """A CSV file of `n` people, five a company, half of them with a telephone number."""
    dice = random.Random(7)
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(_COLUMNS)
        for i in range(n):
            company = dice.randrange(n // 5 + 1)
            number = f"0{dice.randrange(1, 10)} {dice.randrange(10**8):08}" if dice.random() < 0.5 else ""
            person = (dice.choice(_FIRST), dice.choice(_LAST), number, f"Company {company}")
            words = (dice.choice(("FR", "FR", "BE", "CH")), dice.choice(("fr", "en", "")), dice.choice((*_TITLES, "")))
            industry = dice.choice(("retail", "manufacturing", "public", ""))
            out.writerow((f"p{i}@c{company}.example", *person, *words, industry))


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One signed request of the provider."""

    body: bytes
    headers: dict[str, str]


def write_posts(n: int, *, events: int, messages: int) -> list[Post]:
    """`n` POSTs of `events` events each, none told twice, about `messages` messages."""
    dice, at = random.Random(8), int(BEFORE.timestamp())
    return [_signed(json.dumps([_event(dice, k * events + i, at, messages) for i in range(events)])) for k in range(n)]


def _signed(text: str) -> Post:
    body, stamp = text.encode(), str(int(time.time()))
    signature = base64.b64encode(_KEY.sign(stamp.encode() + body, ECDSA(SHA256()))).decode()
    return Post(body=body, headers={SIGNATURE_HEADER: signature, TIMESTAMP_HEADER: stamp})


def _event(dice: random.Random, i: int, at: int, messages: int) -> dict[str, Any]:
    about = dice.randrange(messages) + 1
    told: dict[str, Any] = {
        "email": f"p{about}@c{about % 1000}.example",
        "timestamp": at + 60 + i % 80_000,
        "smtp-id": f"<{i:016x}@ismtpd-{i % 7}>",
        "event": (kind := _MIX[i % len(_MIX)]),
        "category": ["nurture", "discovery"],
        "sg_event_id": f"{i:022x}",
        "sg_message_id": f"sg{about}.filter0001.16648.5515E0B88.0",
        "lf_attempt": f"attempt-{about:08}",
    }
    match kind:
        case "open" | "click":
            told |= {"useragent": _AGENT, "ip": "203.0.113.9", "sg_machine_open": False}
            if kind == "click":
                told |= {"url": f"https://www.atelier-nord.example/tarifs?from={i % 9}", "url_offset": {"index": 0}}
        case "delivered":
            told["response"] = "250 2.0.0 OK 1769000000 d2e1a72fcca58-7"
        case "bounce":
            told |= {"type": "bounce", "bounce_classification": "Invalid Address", "status": "5.1.1", "reason": "550"}
    return told


def add_messages(engine: Engine, n: int) -> None:
    """`n` people who were each sent a mail last night."""
    at = micros(BEFORE)
    late = micros(BEFORE + timedelta(days=5))
    state = {"stage": "discovery", "stage_since": at, "lifecycle": "lead", "lifecycle_since": at}
    born = {"first_seen_at": at, "created_at": at, "updated_at": at}
    words = {"email": "hello", "language": "fr", "purpose": "nurture", "basis": "consent"}
    made = {"version": "", "playbook": ""}
    sent = {"state": "accepted", "planned_at": at, "send_at": at, "sent_at": at, "expires_at": late}
    ids = range(1, n + 1)
    with Session(engine) as session, session.begin():
        _fill(session, lead, [{"id": i, "seed": i, "address_id": i, **born} for i in ids])
        _fill(session, lead_score, [{"lead_id": i} for i in ids])
        _fill(session, lead_state, [{"lead_id": i, **state} for i in ids])
        email = {"kind": "email"}
        named = [{"id": i, "value": f"p{i}@c{i % 1000}.example", "hash": f"{i:064x}", "lead_id": i} for i in ids]
        _fill(session, identity, [email | row for row in named])
        about = [{"id": i, "lead_id": i, "address_id": i, "attempt_id": f"attempt-{i:08}"} for i in ids]
        _fill(session, message, [row | {"provider_id": f"sg{row['id']}"} | words | made | sent for row in about])


def _fill(session: Session, table: Table, rows: list[dict[str, Any]]) -> None:
    insert_rows(session, table, tuple(rows[0]), [tuple(row.values()) for row in rows])
