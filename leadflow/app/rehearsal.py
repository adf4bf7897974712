"""A night lived in thought, under one playbook or under two, over the same rows; all of it is rolled back."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Engine, delete, func, or_, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from leadflow.app.jobs import job_of
from leadflow.app.phases import phase_of
from leadflow.app.slots import next_slot, slots_between
from leadflow.app.workspace import App
from leadflow.ask.compare import Change, compare, renamed_emails
from leadflow.ask.plan import Foresight, Usual, foresee
from leadflow.ask.snapshot import Snapshot, handovers, snapshot
from leadflow.ask.standing import places, vanished
from leadflow.eligibility import held, paused
from leadflow.models import assignment, escalation, message
from leadflow.pipeline import runs
from leadflow.pipeline.brake import Night, judge, past_nights
from leadflow.pipeline.routing import route_handovers
from leadflow.playbook.model import Playbook
from leadflow.text import _, ngettext
from leadflow.types import EVERYONE, MessageState, Phase, micros

T = TypeVar("T")

#: No more nights than this are lived in thought before the one that is asked about.
MOST_NIGHTS = 14
#: PostgreSQL gives up when a delivery changes a row this reads; it is tried again.
_TRIES = 3
_SERIALIZATION = "40001"


def foresight(app: App, now: datetime, *, ahead: bool = False) -> Foresight:
    """Tonight before it happens; with `ahead`, of a night to come: those before it are lived in thought first."""
    return _in_thought(app.engine, lambda session: _foresee(app, session, now, ahead))


def _foresee(app: App, session: Session, now: datetime, ahead: bool) -> Foresight:
    if ahead:
        _live_until(app, session, app.playbook, now)
    _capture(app, session, now)
    _decide(app, session, app.playbook, now)
    return foresee(session, app.playbook, now, usual=_usual(session, app.playbook, now))


def against(app: App, before: Playbook, now: datetime, *, nights: int = 1, ahead: bool = False) -> Change:
    """What today's files would do that `before` would not, tonight and over `nights` nights."""
    return _in_thought(app.engine, lambda session: _compare(app, session, before, now, nights, ahead))


def _compare(app: App, session: Session, before: Playbook, now: datetime, nights: int, ahead: bool) -> Change:
    after = app.playbook
    if ahead:
        _live_until(app, session, before, now)
    # Once for both, so that whoever arrives tonight is the same person in either.
    _capture(app, session, now)
    stood = places(session)
    renamed = renamed_emails(before, after)
    old = _lived(app, session, before, now, nights, {})
    new = _lived(app, session, after, now, nights, renamed)
    named = [(sequence.name, step.name) for sequence in before.sequences for step in sequence.steps]
    return compare(
        old,
        new,
        books=(before, after),
        gone=vanished(after, stood, named),
        brake=(_braked(session, before, old, now), _braked(session, after, new, now)),
    )


def _lived(
    app: App, session: Session, playbook: Playbook, now: datetime, nights: int, was: Mapping[str, str]
) -> Snapshot:
    """What a night under `playbook` leaves, then the mails of the nights after it; nothing of it stays."""
    with session.begin_nested() as inside:
        _decide(app, session, playbook, now)
        found = snapshot(session, playbook, now, was=was, wanted=_wanted(session, playbook, now))
        found = replace(found, nights=[len(found.mails), *_ahead(app, session, playbook, now, nights - 1)])
        inside.rollback()
    return found


def _capture(app: App, session: Session, now: datetime) -> None:
    phase_of(app, Phase.CAPTURE)(session, app.playbook, now, EVERYONE)


def _decide(app: App, session: Session, playbook: Playbook, now: datetime) -> None:
    for phase in Phase:
        if phase not in (Phase.CAPTURE, Phase.DELIVER):
            phase_of(app, phase)(session, playbook, now, EVERYONE)


def _wanted(session: Session, playbook: Playbook, now: datetime) -> Mapping[int, str]:
    """To whom tonight's hand-overs would go, had nobody a limit."""
    free = tuple(replace(rep, per_day=None, open=None) for rep in playbook.sales.team)
    unbounded = replace(playbook, sales=replace(playbook.sales, team=free))
    with session.begin_nested() as inside:
        session.execute(delete(assignment).where(assignment.c.at == micros(now)))
        session.execute(update(escalation).where(escalation.c.opened_at == micros(now)).values(rep="", route=""))
        route_handovers(session, unbounded, now, EVERYONE)
        found = handovers(session, now)
        inside.rollback()
    return found


def coming_night(app: App) -> datetime | None:
    """The night after the last one that was lived; None before the first."""
    with Session(app.engine) as session:
        last = runs.last_sweep(session)
    slot = next_slot(job_of(app, "nightly"), app.office, last) if last else None
    return slot.at if slot else None


def _live_until(app: App, session: Session, playbook: Playbook, now: datetime) -> None:
    """The nights from the last one that was lived up to `now`, and the mails that leave meanwhile, in thought."""
    last = runs.last_sweep(session)
    if last is not None:
        coming = slots_between(job_of(replace(app, playbook=playbook), "nightly"), app.office, last, now)
        for slot in [slot for slot in coming if slot.at < now][-MOST_NIGHTS:]:
            _send(session, slot.at)
            _decide(app, session, playbook, slot.at)
        _send(session, now)


def _send(session: Session, until: datetime) -> None:
    """UPDATE message: what is due before `until` has left, unless the brake or a pause holds it."""
    due = (message.c.state == MessageState.PLANNED, message.c.send_at < micros(until))
    by_whom = paused(sequence=message.c.sequence, email=message.c.email, stream=message.c.purpose)
    stopped = or_(held(message.c.planned_at), by_whom)
    left = {"state": MessageState.ACCEPTED.value, "sent_at": message.c.send_at}
    session.execute(update(message).where(*due, ~stopped).values(left))


def _ahead(app: App, session: Session, playbook: Playbook, now: datetime, nights: int) -> Iterator[int]:
    """Mails planned by each of the nights to come, if every mail leaves on time and nobody does anything."""
    job = job_of(replace(app, playbook=playbook), "nightly")
    for _night in range(nights):
        slot = next_slot(job, app.office, now)
        if slot is None:
            return
        now = slot.at
        _send(session, now)
        _decide(app, session, playbook, now)
        planned = (message.c.planned_at == micros(now), message.c.state == MessageState.PLANNED)
        yield session.scalar(select(func.count()).where(*planned)) or 0


def _usual(session: Session, playbook: Playbook, now: datetime) -> Usual | None:
    """Mails of the last nights of the same weekday; None for fewer than two of them."""
    seen = [night.mails for night in past_nights(session, playbook, now)[0]]
    return Usual(low=min(seen), high=max(seen)) if len(seen) > 1 else None


def _braked(session: Session, playbook: Playbook, night: Snapshot, now: datetime) -> str | None:
    """Why the brake would hold this night."""
    alike, lately = past_nights(session, playbook, now)
    tonight = Night(mails=len(night.mails), handovers=len(night.handovers))
    tripped = judge(playbook.brake, tonight, alike=alike, lately=lately)
    if tripped is None:
        return None
    n = getattr(tonight, tripped.what)
    told = (
        ngettext("the brake would hold the night: {n} mail", "the brake would hold the night: {n} mails", n)
        if tripped.what == "mails"
        else ngettext(
            "the brake would hold the night: {n} hand-over", "the brake would hold the night: {n} hand-overs", n
        )
    )
    usual = "" if tripped.high is None else ", " + _("usual {low}–{high}").format(low=tripped.low, high=tripped.high)
    return told.format(n=n) + usual


def _in_thought(engine: Engine, look: Callable[[Session], T]) -> T:
    """`look` in a transaction that sees the rows of one instant and is rolled back."""
    postgres = engine.dialect.name == "postgresql"
    lasting = engine.execution_options(isolation_level="REPEATABLE READ") if postgres else engine
    for tries_left in reversed(range(_TRIES)):
        with Session(lasting) as session:
            try:
                return look(session)
            except DBAPIError as error:
                if not tries_left or getattr(error.orig, "sqlstate", None) != _SERIALIZATION:
                    raise
            finally:
                session.rollback()
    raise AssertionError("the last try returns or raises")
