"""Nights that the brake holds: what they would do, and what a person said to that."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from leadflow.app.workspace import App
from leadflow.ask.report.numbers import whole
from leadflow.errors import UsageError
from leadflow.models import hold
from leadflow.pipeline.canary import RULE as CANARY
from leadflow.pipeline.release import drop_night, release_night
from leadflow.text import _, ngettext
from leadflow.types import micros


def held_at(app: App, at: datetime) -> Row[Any] | None:
    """The hold on the sweep of that instant, while nobody has answered it."""
    with Session(app.engine) as session:
        waiting = select(hold).where(hold.c.at == micros(at), hold.c.answer.is_(None))
        return session.execute(waiting).one_or_none()


def held_nights(app: App, night: str | None = None) -> list[Row[Any]]:
    """The holds nobody has answered, of one night or of all, oldest first; UsageError for a night that has none."""
    with Session(app.engine) as session:
        found = select(hold).where(hold.c.answer.is_(None)).order_by(hold.c.at)
        rows = list(session.execute(found if night is None else found.where(hold.c.night == night)))
        if night is None or rows:
            return rows
        answered = session.execute(select(hold).where(hold.c.night == night).order_by(hold.c.at.desc())).first()
    if answered is None:
        raise UsageError(_("nothing of {night} is held: what it planned leaves at its hours").format(night=night))
    raise UsageError(_already(app, answered))


def hold_words(row: Row[Any]) -> str:
    """`brake: 1,940 mails planned, usual 16–27 — leadflow approve 2026-03-23`, or what a canary met with."""
    if row.rule == CANARY:
        told = _("canary: too many bounces or complaints of the first mails of {n} — leadflow approve {night}")
        return told.format(n=whole(row.mails), night=row.night)
    if row.what == "mails":
        told = ngettext("{n} mail planned", "{n} mails planned", row.mails).format(n=whole(row.mails))
    else:
        told = ngettext("{n} hand-over", "{n} hand-overs", row.handovers).format(n=whole(row.handovers))
    if row.usual_high is not None:
        told += ", " + _("usual {range}").format(range=_range(row.usual_low, row.usual_high))
    return _("brake: {numbers} — leadflow approve {night}").format(numbers=told, night=row.night)


def _range(low: int, high: int) -> str:
    return whole(low) if low == high else f"{whole(low)}–{whole(high)}"


def _already(app: App, row: Row[Any]) -> str:
    approved, dropped = _("{night} was approved by {who} on {at}"), _("{night} was dropped by {who} on {at}")
    at = f"{row.answered_at.astimezone(app.office):%Y-%m-%d %H:%M}"
    return (approved if row.answer == "approved" else dropped).format(night=row.night, who=row.answered_by, at=at)


def approve(app: App, row: Row[Any], now: datetime, *, by: str) -> None:
    """Let the night leave through the ordinary deliver; who and when is kept."""
    _answer(app, row, now, "approved", by, release_night)


def drop(app: App, row: Row[Any], now: datetime, *, by: str) -> None:
    """None of the night leaves; the next sweep plans anew, from the files as they are then."""
    _answer(app, row, now, "dropped", by, drop_night)


def _answer(app: App, row: Row[Any], now: datetime, answer: str, by: str, act: Callable[..., None]) -> None:
    with Session(app.engine) as session, session.begin():
        mine = update(hold).where(hold.c.at == micros(row.at), hold.c.answer.is_(None))
        given = mine.values(answer=answer, answered_at=micros(now), answered_by=by).returning(hold.c.at)
        if session.scalar(given) is None:
            # Somebody else was quicker.
            raise UsageError(_already(app, session.execute(select(hold).where(hold.c.at == micros(row.at))).one()))
        act(session, app.playbook, row.at, now)
