"""A provider's news and visits of links as they come in, for tests of engage."""

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from leadflow.links import HIDDEN
from leadflow.models import hit, intake, link, message, suppression
from leadflow.pipeline.engage import engage_leads
from leadflow.types import EVERYONE, Outcome
from tests.build import NIGHT, playbook
from tests.pipeline.mails import add_message

BROWSER = "Mozilla/5.0 (Macintosh) Safari/605"
SENT = NIGHT - timedelta(hours=18)


def add_sent(session: Session, number: int = 1, **columns: Any) -> int:
    """A message the provider accepted yesterday, its attempt `t-<number>`."""
    sent: dict[str, Any] = {
        "state": "accepted",
        "attempt_id": f"t-{number}",
        "sent_at": SENT,
        "provider_id": f"sg{number}",
    }
    return add_message(session, number, **sent | columns)


def news(kind: str, number: int = 1, **changes: Any) -> dict[str, Any]:
    """One entry of SendGrid's about message `number`."""
    at = changes.pop("at", SENT + timedelta(minutes=1))
    told = {"event": kind, "timestamp": int(at.timestamp()), "email": f"p{number}@x.example"}
    return told | {"sg_event_id": f"{kind}-{number}-{at:%d%H%M%S}", "lf_attempt": f"t-{number}"} | changes


def post(session: Session, *entries: dict[str, Any], at: datetime = NIGHT - timedelta(hours=1)) -> None:
    """A POST of SendGrid's, stored as it came."""
    body = json.dumps([{k: v for k, v in entry.items() if v is not None} for entry in entries]).encode()
    session.execute(insert(intake), {"kind": "sendgrid", "received_at": at, "body": body})


def add_hit(session: Session, number: int, after: float = 3600, **columns: Any) -> None:
    """A visit of the first link of message 1, so many seconds after it left."""
    given = {"id": number, "message_id": 1, "link_id": 1, "at": SENT + timedelta(seconds=after), "method": "GET"}
    session.execute(insert(hit), given | {"user_agent": BROWSER} | columns)


def engage(session: Session, now: datetime = NIGHT, **changes: Any) -> Outcome:
    return engage_leads(session, playbook(), now, changes.get("scope", EVERYONE))


def state(session: Session, number: int = 1) -> Any:
    return session.execute(select(message).where(message.c.id == number)).one()


def suppressed(session: Session) -> dict[str, str]:
    return {row.address_hash: row.reason for row in session.execute(select(suppression))}


def add_links(session: Session) -> None:
    session.execute(
        insert(link),
        [
            {"id": 1, "url": "https://a.example/pricing?x=1"},
            {"id": 2, "url": "https://b.example"},
            {"id": 3, "url": "https://c.example"},
            {"id": 9, "url": HIDDEN},
        ],
    )
