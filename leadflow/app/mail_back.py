"""Takes in mails that came back: bounces and complaints from a folder, answers from there or from the web's door."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import insert
from sqlalchemy.orm import Session

from leadflow.app.sweeps import PATIENCE, holding
from leadflow.app.workspace import App
from leadflow.intake.mailfolder import new_mails
from leadflow.models import intake
from leadflow.pipeline.engage_news import MAIL, take_news
from leadflow.pipeline.engage_replies import stop_answered, tell_replies
from leadflow.types import EVERYONE, micros

#: What a mail can turn out to say, as counts name it; anything else says nothing to us.
WORDS = ("bounced", "blocked", "deferred", "delivered", "complained", "unsubscribed", "replied")


def take_folder(app: App, folder: Path, now: datetime, *, patience: timedelta = PATIENCE) -> Mapping[str, int]:
    """Store every new mail of `folder` and hear what they say; how many mails, and how many of each word.

    UsageError for a folder that holds no mail, LockedError while a sweep goes on: then the mails are kept, and heard by
    the next sweep.
    """
    counts: Counter[str] = Counter()
    while True:
        with new_mails(folder) as found:
            counts["too_large"] = found.too_large
            if not found.mails:
                break
            keep_mails(app, found.mails, now)
            found.done()
            counts["mails"] += len(found.mails)
    if counts["mails"]:
        counts.update(hear_mails(app, now + timedelta(microseconds=1), patience=patience))
    return counts


def hear_what_came_back(app: App, now: datetime, *, patience: timedelta = PATIENCE) -> Mapping[str, int]:
    """What upkeep does: the configured folder, and answers that nobody was told of yet."""
    if app.settings.bounces_folder is not None:
        return take_folder(app, app.settings.bounces_folder, now, patience=patience)
    with Session(app.engine) as session:
        return {"told": tell_replies(session, app.playbook, now, app.ports.alerts)}


def keep_mails(app: App, mails: Sequence[bytes], now: datetime) -> None:
    """Store mails as they came, in one transaction."""
    rows = [{"kind": MAIL, "received_at": micros(now), "body": raw} for raw in mails]
    with Session(app.engine) as session, session.begin():
        session.execute(insert(intake), rows)


def hear_mails(app: App, now: datetime, *, patience: timedelta = PATIENCE) -> Mapping[str, int]:
    """Read what waits, stop the sequences that were answered, tell the answers; how many of each word."""
    with holding(app, patience), Session(app.engine) as session, session.begin():
        counts = Counter({word: n for word, n in take_news(session, now).items() if word in WORDS})
        counts["stopped"] = stop_answered(session, app.playbook, now, EVERYONE)
    with Session(app.engine) as session:
        counts["told"] = tell_replies(session, app.playbook, now, app.ports.alerts)
    return counts
