"""Pausing mail and letting it go on, as people ask for it: what is named must exist, and who asked is kept."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from leadflow.app.workspace import App
from leadflow.errors import UsageError
from leadflow.models import pause as pauses
from leadflow.pipeline.pauses import pause_mail, resume_mail
from leadflow.text import _
from leadflow.types import Purpose


def pauses_of(app: App) -> list[Row[Any]]:
    """The pauses that last, oldest first."""
    with Session(app.engine) as session:
        lasting = select(pauses).where(pauses.c.ended_at.is_(None)).order_by(pauses.c.since, pauses.c.id)
        return list(session.execute(lasting))


def pause_words(kind: str, name: str) -> str:
    """What a pause stops: `sequence discovery`."""
    named = {"sequence": _("sequence {name}"), "email": _("email {name}"), "stream": _("mails of purpose {name}")}
    words = named.get(kind, _("all mail"))
    return words.format(name=name)


def who_paused(by: str) -> str:
    """A person as they are kept, a brake in words: `the complaint brake (0.14 %)`."""
    what, _brake, share = by.partition(" brake ")
    words = {
        "complaint": _("the complaint brake ({share})"),
        "bounce": _("the bounce brake ({share})"),
        "refusal": _("the refusal brake ({share})"),
    }
    return words[what].format(share=share) if share and what in words else by


def pause(app: App, now: datetime, *, kind: str, name: str = "", by: str) -> bool:
    """No intent begins any more for what is named; False when it was paused already."""
    sequences = {sequence.name for sequence in app.playbook.sequences}
    known = {"sequence": sequences, "email": {*app.playbook.emails}, "stream": {*map(str, Purpose)}}.get(kind)
    if known is not None and name not in known:
        told = _("{what} is not known. One of: {names}")
        raise UsageError(told.format(what=pause_words(kind, name), names=", ".join(sorted(known))))
    with Session(app.engine) as session, session.begin():
        return pause_mail(session, app.playbook, now, kind=kind, name=name, by=by)


def resume(app: App, now: datetime, *, kind: str, name: str = "", by: str) -> None:
    """End a pause; what it stopped is planned by the next sweep. UsageError when nothing of that name is paused."""
    with Session(app.engine) as session, session.begin():
        if not resume_mail(session, now, kind=kind, name=name, by=by):
            raise UsageError(_("{what} is not paused").format(what=pause_words(kind, name)))
