"""Keeps the clicks that providers tell of as visits beside our own, so that one set of rules judges all of them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.db import among, insert_into
from leadflow.intake.networks import network_of
from leadflow.models import hit, link
from leadflow.ports import ProviderEvent


def keep_visits(session: Session, told: Sequence[tuple[int, ProviderEvent, datetime]]) -> None:
    """Store (message, click, when it was told) as visits, each once: three statements."""
    if not told:
        return
    urls = sorted({event.url or "" for _message, event, _at in told})
    session.execute(insert_into(session, link).on_conflict_do_nothing(), [{"url": url} for url in urls])
    ids = dict(session.execute(select(link.c.url, link.c.id).where(among(session, link.c.url, urls))).tuples().all())
    rows = [
        {
            "message_id": message,
            "link_id": ids[event.url or ""],
            "at": event.at,
            "method": "GET",
            "ip": network_of(event.ip),
            "user_agent": event.user_agent,
            "told_as": event.external_id,
            "told_at": told_at,
        }
        for message, event, told_at in told
    ]
    session.execute(insert_into(session, hit).on_conflict_do_nothing(), rows)
