"""POSTs of a provider: through the door into the tables, and the floor, which checks and stores them and no more."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from bench.intake_door import free_port, send, serving
from bench.intake_files import load_rows, stored_rows
from bench.intake_rows import PUBLIC_KEY, Post, add_messages
from bench.make_data import settle
from leadflow.db import make_engine
from leadflow.intake.sendgrid import SIGNATURE_HEADER, TIMESTAMP_HEADER, verify
from leadflow.migrations import upgrade
from leadflow.models import event, event_inbox, event_key, intake
from leadflow.pipeline.engage_clicks import take_clicks
from leadflow.pipeline.engage_news import take_news
from leadflow.types import EVERYONE, micros

_HERE = Path(__file__).parents[1]
_WEBHOOK = "/hooks/sendgrid/bench"


def take_posts(url: str, posts: Sequence[Post], *, messages: int) -> tuple[float, float]:
    """Seconds at the door, over HTTP, and seconds of the sweep that reads what was stored.

    The sweep moves messages on, suppresses, judges clicks, and writes an event for each delivery, click, bounce or no;
    that a mail was taken in or opened moves at most its message.
    """
    engine = make_engine(url)
    upgrade(engine)
    add_messages(engine, messages)
    settle(engine)
    with serving(url, _HERE, free_port()) as door:
        at_the_door = send(door + _WEBHOOK, posts)
    with Session(engine) as session:
        assert session.scalar(select(func.count()).select_from(intake)) == len(posts)
        started = time.perf_counter()
        now = datetime.now(UTC) + timedelta(seconds=1)
        counts = take_news(session, now)
        take_clicks(session, now, EVERYONE)
        session.commit()
        in_the_sweep = time.perf_counter() - started
    assert counts["posts"] == len(posts)
    engine.dispose()
    return at_the_door, in_the_sweep


def write_events_again(url: str, empty: str) -> float:
    """The floor of the sweep: seconds to load the event rows of `url` into an empty database, and to move nothing."""
    source, target = make_engine(url), make_engine(empty)
    upgrade(target)
    rows = {table: stored_rows(source, table) for table in (event_key, event, event_inbox)}
    started = time.perf_counter()
    with Session(target) as session, session.begin():
        for table, those in rows.items():
            load_rows(session, table, those)
    seconds = time.perf_counter() - started
    for engine in (source, target):
        engine.dispose()
    return seconds


def store_only(url: str, posts: Sequence[Post]) -> float:
    """The floor: in one process and without HTTP, each POST checked, stored and committed."""
    engine = make_engine(url)
    upgrade(engine)
    started = time.perf_counter()
    for post in posts:
        now = datetime.now(UTC)
        signature, stamp = post.headers[SIGNATURE_HEADER], post.headers[TIMESTAMP_HEADER]
        assert verify(post.body, signature, stamp, [PUBLIC_KEY], now=now)
        with engine.begin() as connection:
            connection.execute(insert(intake), {"kind": "sendgrid", "received_at": micros(now), "body": post.body})
    seconds = time.perf_counter() - started
    engine.dispose()
    return seconds
