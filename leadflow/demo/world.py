"""Between invented people and the workspace: what reached them, and what they do to it, through the real doors."""

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from urllib.parse import urlsplit
from zlib import crc32

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from leadflow.app import App
from leadflow.demo.visitors import HUMAN, Act, Mail, Visitor, visitor
from leadflow.email.hidden import seen_part
from leadflow.links import read_click
from leadflow.models import hit, identity, intake, lead, message
from leadflow.types import MessageState, micros

_PROVIDER_NEWS = {"delivered", "bounce", "spamreport"}
_TOKEN = re.compile(r"/([cu])/([A-Za-z0-9_\-.]+)")


def visitors_of(session: Session, seed: int) -> list[Visitor]:
    """Everybody in the workspace, in the order of their addresses."""
    rows = session.execute(
        select(identity.c.value, lead.c.language, lead.c.attributes)
        .join(lead, lead.c.address_id == identity.c.id)
        .order_by(identity.c.value)
    )
    return [
        visitor(
            seed,
            row.value,
            language=row.language or "fr",
            retail=row.attributes.get("industry") == "retail",
            project=row.attributes.get("project") not in (None, "none"),
        )
        for row in rows
    ]


def mails_between(app: App, since: datetime, until: datetime) -> Mapping[str, Sequence[Mail]]:
    """Address → the mails that were accepted for it in [since, until), read from the files they became."""
    query = (
        select(identity.c.value, message.c.attempt_id, message.c.email, message.c.sent_at, message.c.provider_id)
        .join(identity, identity.c.id == message.c.address_id)
        .where(message.c.state == MessageState.ACCEPTED)
        .where(message.c.sent_at >= micros(since), message.c.sent_at < micros(until))
        .order_by(message.c.sent_at, message.c.id)
    )
    found: dict[str, list[Mail]] = defaultdict(list)
    with Session(app.engine) as session:
        for row in session.execute(query):
            parsed = message_from_bytes((app.settings.outbox / row.provider_id).read_bytes(), policy=default)
            assert isinstance(parsed, EmailMessage)  # noqa: S101 - what the default policy makes
            clicks, unsubscribe = _tokens(parsed, app.settings.public_url)
            found[row.value].append(
                Mail(
                    attempt_id=row.attempt_id,
                    email=row.email,
                    sent_at=row.sent_at,
                    clicks=clicks,
                    unsubscribe=unsubscribe,
                )
            )
    return found


def _tokens(mail: EmailMessage, public_url: str) -> tuple[tuple[str, ...], str]:
    body = mail.get_body(("html",))
    text = body.get_content() if body else ""
    found = [match.groups() for match in _TOKEN.finditer(seen_part(text)) if public_url in text]
    clicks = tuple(dict.fromkeys(token for door, token in found if door == "c"))
    unsubscribe = urlsplit(str(mail["List-Unsubscribe"]).strip("<>")).path.rpartition("/")[2]
    return clicks, unsubscribe


def live_through(app: App, acts: Iterable[Act], seed: int) -> None:
    """Let `acts` happen, each through the door it would come by."""
    done = sorted(acts, key=lambda act: (act.at, act.address, act.kind))
    with Session(app.engine) as session, session.begin():
        _provider_says(session, [act for act in done if act.kind in _PROVIDER_NEWS])
        _clicks(session, app.settings.key(), [act for act in done if act.kind == "click"])
        _unsubscribes(session, app, [act for act in done if act.kind == "unsubscribe"])
        known = {*_PROVIDER_NEWS, "click", "unsubscribe"}
        _tells(session, [act for act in done if act.kind not in known], seed)


def _provider_says(session: Session, acts: Sequence[Act]) -> None:
    rows = [
        {"kind": "sendgrid", "received_at": act.at + timedelta(seconds=2), "body": _sendgrid_body(act)} for act in acts
    ]
    if rows:
        session.execute(insert(intake), rows)


def _sendgrid_body(act: Act) -> bytes:
    news = {
        "email": act.address,
        "timestamp": int(act.at.timestamp()),
        "event": act.kind,
        "sg_event_id": f"{act.kind}-{act.attempt_id}",
        "sg_message_id": f"{act.attempt_id}.demo",
        "lf_attempt": act.attempt_id,
    }
    if act.kind == "bounce":
        news |= {"type": "bounce", "status": "5.1.1", "bounce_classification": "Invalid Address"}
    return json.dumps([news]).encode()


def _clicks(session: Session, key: str, acts: Sequence[Act]) -> None:
    rows = []
    for act in acts:
        message_id, link_id = read_click(key, act.token or "")
        rows.append(
            {
                "message_id": message_id,
                "link_id": link_id,
                "at": act.at,
                "method": "GET",
                "ip": _network(act),
                "user_agent": act.user_agent,
            }
        )
    if rows:
        session.execute(insert(hit), rows)


def _network(act: Act) -> str:
    """One for each company's office, and one for all the scanners."""
    office = crc32(act.address.rpartition("@")[2].encode()) % 65_536
    return f"10.{office // 256}.{office % 256}.0" if act.user_agent == HUMAN else "192.0.2.0"


def _unsubscribes(session: Session, app: App, acts: Sequence[Act]) -> None:
    from leadflow.intake.objections import unsubscribe

    for act in acts:
        unsubscribe(session, app.settings.key(), act.token or "", at=act.at)


def _tells(session: Session, acts: Sequence[Act], seed: int) -> None:
    chance = random.Random(seed)
    rows = []
    for number, act in enumerate(acts):
        body = {"event": act.kind, "email": act.address, "at": act.at.isoformat(), **act.properties}
        body["id"] = f"{act.address}/{act.at.isoformat()}/{act.kind}/{number}"
        if act.path:
            body["path"] = act.path
        received = act.at + timedelta(seconds=chance.randrange(1, 5))
        rows.append({"kind": "event", "received_at": received, "body": json.dumps(body).encode()})
    if rows:
        session.execute(insert(intake), rows)
