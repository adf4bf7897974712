"""A corpus as it would lie in the tables: a lead for each recipient, a message a mail, a hit a request."""

from random import Random
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from leadflow.intake.networks import network_of
from leadflow.links import HIDDEN
from leadflow.models import event, hit, link, message
from tests.bots.judged import is_ahead
from tests.bots.world import Corpus, Mail, Request
from tests.build import add_lead


def first(corpus: Corpus, mails: int) -> Corpus:
    """The first so many mails of `corpus`, with everybody who asked for their links."""
    kept = tuple(mail for mail in corpus.mails if mail.id < mails)
    return Corpus(mails=kept, sessions=tuple(one for one in corpus.sessions if one.requests[0].mail < mails))


def store(session: Session, corpus: Corpus) -> dict[int, Request]:
    """Everybody and all their mails; the hits are returned, by the id they are to get."""
    recipients = sorted({mail.recipient for mail in corpus.mails})
    for recipient in recipients:
        add_lead(session, recipient + 1)
    session.execute(insert(message), [_message(mail) for mail in corpus.mails])
    links = sorted({one for mail in corpus.mails for one in mail.links})
    rows = [{"id": number, "url": f"https://a.example/{name}"} for number, name in enumerate(links, start=2)]
    session.execute(insert(link), [{"id": 1, "url": HIDDEN}, *rows])
    requests = [request for one in corpus.sessions for request in one.requests]
    return dict(enumerate(requests, start=1))


def visit(session: Session, requests: dict[int, Request]) -> None:
    """`requests` come in, each under its id."""
    session.execute(insert(hit), [_hit(id, request) for id, request in requests.items()])


def said_of(session: Session) -> dict[int, tuple[str, int]]:
    """Hit → rule and weight, as its event has them."""
    rows = session.execute(
        select(hit.c.id, event.c.classified_by, event.c.weight).join(event, event.c.id == hit.c.event_id)
    )
    return {id: (said.partition("/")[0], weight) for id, said, weight in rows}


def in_parts(requests: dict[int, Request], parts: int, seed: int) -> list[dict[int, Request]]:
    """`requests` in any order, in so many parts."""
    ids = list(requests)
    Random(seed).shuffle(ids)
    return [{id: requests[id] for id in ids[part::parts]} for part in range(parts)]


def _message(mail: Mail) -> dict[str, Any]:
    words = {
        "email": "hello",
        "language": "en",
        "purpose": "nurture",
        "basis": "consent",
        "version": "",
        "playbook": "",
    }
    dates = {"planned_at": mail.sent_at, "send_at": mail.sent_at, "expires_at": mail.sent_at, "sent_at": mail.sent_at}
    news = {"delivery": "delivered" if mail.delivered_at else None, "delivered_at": mail.delivered_at}
    whose = {"id": mail.id + 1, "lead_id": mail.recipient + 1, "address_id": mail.recipient + 1}
    return {**whose, "state": "accepted", "chosen": {}, "version": "", "playbook": "", **words, **dates, **news}


def _hit(id: int, request: Request) -> dict[str, Any]:
    return {
        "id": id,
        "message_id": request.mail + 1,
        "link_id": 1 if request.link == "hidden" else 2 + int(request.link.removeprefix("link-")),
        "at": request.at,
        "method": request.method,
        "ip": network_of(request.ip),
        "user_agent": request.agent or None,
        "ahead": is_ahead(request),
    }
