"""`choose` and `coverage` over today's files: the catalogue is loaded in a transaction that is rolled back."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from leadflow.app.workspace import App
from leadflow.ask.choose import Choosing
from leadflow.ask.choose import choose as ask
from leadflow.ask.coverage import Coverage, cover
from leadflow.ask.report.collect import last_sweep
from leadflow.db import make_engine
from leadflow.errors import Fault, PlaybookError, Severity
from leadflow.migrations import upgrade
from leadflow.models.schema import create_schema
from leadflow.pipeline.catalogue import has_bits, load_catalogue
from leadflow.playbook.emails import FOLDER
from leadflow.playbook.load import check_playbook
from leadflow.playbook.model import Playbook
from leadflow.settings import Settings
from leadflow.steps.email import EmailStep
from leadflow.text import _

T = TypeVar("T")


def choose(app: App, who: str, step: str | None, at: datetime | None, *, now: datetime) -> Choosing:
    """What would be chosen for `who` at `at`; by default now, in a simulated workspace right after its last sweep."""

    def asked(session: Session) -> Choosing:
        return ask(session, app.playbook, who, step, at or _present(app.settings, session, now))

    return in_today(app.engine, app.playbook, asked)


def _present(settings: Settings, session: Session, now: datetime) -> datetime:
    lived = last_sweep(session) if settings.simulated else None
    # What that sweep planned counts as received.
    return lived + timedelta(microseconds=1) if lived else now


def in_today(engine: Engine, playbook: Playbook, asked: Callable[[Session], T]) -> T:
    """`asked` over the rows there are, with today's emails as the catalogue; nothing is written."""
    with Session(engine) as session:
        try:
            load_catalogue(session, playbook)
            return asked(session)
        finally:
            session.rollback()


def coverage(settings: Settings, now: datetime) -> Coverage:
    """Where emails are, and where they run out; without a database, how many there are for each cell.

    Raises PlaybookError with every fault of the files.
    """
    playbook, faults = check_playbook(settings.workspace)
    if playbook is None:
        raise PlaybookError([fault for fault in faults if fault.severity is Severity.ERROR])
    known = bool(settings.database_url) or (settings.var / "leadflow.db").exists()
    engine = make_engine(settings.url if known else "sqlite://")
    try:
        (upgrade if known else create_schema)(engine)
        found = in_today(engine, playbook, lambda session: _cover(settings, session, playbook, now))
    finally:
        engine.dispose()
    return replace(found, never=dict(_never(playbook, faults)))


def _cover(settings: Settings, session: Session, playbook: Playbook, now: datetime) -> Coverage:
    return cover(session, playbook, _present(settings, session, now), has=has_bits(playbook))


#: The checks that find an email nobody gets.
_NOBODY = ("email-unasked", "email-unreached", "never-holds")


def _never(playbook: Playbook, faults: list[Fault]) -> Iterator[tuple[str, str]]:
    """(email, why) of those no lead can ever receive, as the files are."""
    for fault in faults:
        folder, _slash, rest = fault.file.removeprefix(f"{FOLDER}/").partition("/")
        if fault.code in _NOBODY and rest == "email.yaml" and folder in playbook.emails:
            yield folder, fault.message
    named = {step.email for one in playbook.sequences for step in one.steps if isinstance(step, EmailStep)}
    named |= {*playbook.rights.emails.values()}
    for name, email in playbook.emails.items():
        if email.pick == "named" and name not in named:
            yield name, _("it is picked by name only, and no step names it")
