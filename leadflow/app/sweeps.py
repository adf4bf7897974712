"""The phases in their order, under the sweep lock: by night, by hand, for one lead, or rolled back as a plan."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, func, or_, select, union, update
from sqlalchemy.orm import Session

from leadflow.app.phases import Deliver, alone, deliver_due, phase_of, run_phase
from leadflow.app.urgent import urgent_acts
from leadflow.app.workspace import App
from leadflow.db import greatest, refresh_statistics
from leadflow.errors import LockedError, UsageError
from leadflow.esp.memory import MemoryProvider
from leadflow.models import confirmation, escalation, event, identity, lead_state, message
from leadflow.models import sweep as sweep_log
from leadflow.pipeline import runs
from leadflow.pipeline.capture import capture_bite
from leadflow.text import _
from leadflow.types import DAY, EVERYONE, EscalationState, Everyone, Leads, MessageState, Outcome, Phase, Scope, micros

T = TypeVar("T")
#: Told after each phase: drivers print progress or write a log line.
Report = Callable[[Outcome], None]
#: An instant, or the clock to read once the lock is held.
When = datetime | Callable[[], datetime]

LOCK = "sweep"
#: A sweep of one lead takes a second: whoever comes meanwhile waits rather than fails.
PATIENCE = timedelta(seconds=20)
#: Forms and acts the fast lane takes in at once: some 10 ms, with room for whoever writes meanwhile in between.
_BITE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """A sweep under way: it holds the lock and has read its instant."""

    app: App
    now: datetime
    scope: Scope
    owner: str
    #: How the last phase sends.
    deliver: Deliver = deliver_due
    outcomes: list[Outcome] = field(default_factory=list)
    #: How long each phase took.
    seconds: dict[Phase, float] = field(default_factory=dict)

    def run(self, phase: Phase, scope: Scope | None = None) -> Outcome:
        """Live through one phase; LockedError when the lock lapsed and somebody else took it."""
        began = time.monotonic()
        alone(self.app, self._ready)
        whom = scope or self.scope
        outcome = run_phase(self.app, phase, self.now, whom, hold=self._hold, deliver=self.deliver)
        self.outcomes.append(outcome)
        self.seconds[phase] = time.monotonic() - began
        return outcome

    @property
    def counts(self) -> dict[str, Any]:
        """What each phase did so far, as JSON-able numbers."""
        return {outcome.phase.value: counts_of(outcome) for outcome in self.outcomes}

    def _ready(self, session: Session) -> None:
        self._hold(session)
        # Before each: the phase before may have written a table full.
        refresh_statistics(session)

    def _hold(self, session: Session) -> None:
        if not runs.take_lock(session, name=LOCK, owner=self.owner):
            raise LockedError(_("another sweep took over: this one had not shown life for too long"))


@contextmanager
def sweeping(
    app: App,
    when: When,
    scope: Scope = EVERYONE,
    *,
    patience: timedelta = PATIENCE,
    deliver: Deliver = deliver_due,
) -> Iterator[Sweep]:
    """Hold the sweep lock, keep the playbook's version, log the sweep.

    Raises LockedError when another sweep goes on for longer than `patience`, UsageError when a later one already
    looked.
    """
    with holding(app, patience) as owner:
        now = when if isinstance(when, datetime) else when()
        _begin(app, now, scope)
        running = Sweep(app=app, now=now, scope=scope, owner=owner, deliver=deliver)
        yield running
        _end(running)


@contextmanager
def holding(app: App, patience: timedelta = PATIENCE) -> Iterator[str]:
    """Hold the sweep lock, under the name it gives; LockedError when another sweep goes on for longer."""
    owner = runs.new_owner()
    _take_lock(app, owner, patience)
    try:
        yield owner
    finally:
        with Session(app.engine) as session, session.begin():
            runs.release_lock(session, name=LOCK, owner=owner)


def _take_lock(app: App, owner: str, patience: timedelta) -> None:
    until = time.monotonic() + patience.total_seconds()
    while True:
        with Session(app.engine) as session, session.begin():
            if runs.take_lock(session, name=LOCK, owner=owner):
                return
        if time.monotonic() >= until:
            raise LockedError
        time.sleep(0.2)


def _begin(app: App, now: datetime, scope: Scope) -> None:
    with Session(app.engine) as session, session.begin():
        newest = runs.last_sweep(session)
        if newest is not None and newest > now and isinstance(scope, Everyone):
            raise UsageError(
                _("a sweep as of {newest} UTC has already run; an earlier one can only be planned").format(
                    newest=f"{newest:%Y-%m-%d %H:%M}"
                )
            )
        runs.store_playbook(session, app.playbook, now)
        runs.begin_sweep(session, at=now, scope=scope, playbook=app.playbook.version)


def _end(running: Sweep) -> None:
    now = micros(running.now)
    with Session(running.app.engine) as session, session.begin():
        runs.end_sweep(session, at=running.now, scope=running.scope, counts=running.counts)
        if isinstance(running.scope, Leads):
            # From here on a sweep as of an earlier instant leaves these leads alone.
            older = or_(lead_state.c.as_of.is_(None), lead_state.c.as_of < now)
            session.execute(
                update(lead_state).where(lead_state.c.lead_id.in_(running.scope.ids), older).values(as_of=now)
            )


def sweep(
    app: App, now: When, scope: Scope = EVERYONE, report: Report | None = None, *, patience: timedelta = PATIENCE
) -> tuple[Outcome, ...]:
    """All phases in their order, as of `now`."""
    with sweeping(app, now, scope, patience=patience) as running:
        for phase in Phase:
            outcome = running.run(phase)
            if report:
                report(outcome)
    return tuple(running.outcomes)


def sweep_one(app: App, address: str, when: When, *, patience: timedelta = PATIENCE) -> tuple[Outcome, ...]:
    """The fast lane: the same phases at once for the lead who owns `address`, once what waits is taken in.

    Nothing happens when nobody is found under that address: the night will say why.
    """
    owner = select(identity.c.lead_id).where(identity.c.kind == "email", identity.c.value == address)
    return _fast_lane(app, when, lambda _now: owner.where(identity.c.lead_id.is_not(None)), patience)


def sweep_raised(app: App, when: When, *, patience: timedelta = PATIENCE) -> tuple[Outcome, ...]:
    """The fast lane for everybody with an urgent act of the last day whom no sweep has looked at since.

    And for those whom a salesperson has just taken: what is written to them then does not wait either. Who waits for
    the mail that asks them to confirm what they wish gets it first: nothing is decided for that.
    """
    kinds = urgent_acts(app.playbook)
    return _fast_lane(app, when, lambda now: _urgent(kinds, now), patience, _wishing)


def _fast_lane(
    app: App,
    when: When,
    whom: Callable[[datetime], Select[Any]],
    patience: timedelta,
    write_first: Callable[[datetime], Select[Any]] | None = None,
) -> tuple[Outcome, ...]:
    with holding(app, patience) as owner:
        now = when if isinstance(when, datetime) else when()
        done = [*_take_in(app, now)]
        if write_first and (waiting := _found(app, write_first(now))):
            done.append(Sweep(app=app, now=now, scope=Leads(waiting), owner=owner).run(Phase.DELIVER))
        lead_ids = _found(app, whom(now))
        if not lead_ids:
            return tuple(done)
        scope = Leads(lead_ids)
        _begin(app, now, scope)
        running = Sweep(app=app, now=now, scope=scope, owner=owner)
        for phase in Phase:
            running.run(phase)
        _end(running)
    return tuple(running.outcomes)


def _take_in(app: App, now: datetime) -> Iterator[Outcome]:
    """What came in by `now`, in bites: on SQLite whoever sends a form meanwhile waits until one of them is stored."""
    read = _BITE
    while read == _BITE:
        with Session(app.engine) as session, session.begin():
            taken = capture_bite(session, app.playbook, now, key=app.settings.key(), most=_BITE)
        read = taken.read
        yield taken


def _found(app: App, whom: Select[Any]) -> tuple[int, ...]:
    with Session(app.reader) as session:
        return tuple(session.scalars(whom.limit(500)))


def _urgent(kinds: frozenset[str], now: datetime) -> Select[Any]:
    whom = union(_raised(kinds, now), _accepted(now)).subquery()
    return select(whom.c.lead_id)


def _wishing(now: datetime) -> Select[Any]:
    """Leads whose mail with the link to confirm has not left."""
    waits = (message.c.state == MessageState.PLANNED, message.c.send_at < micros(now))
    return select(message.c.lead_id).join(confirmation, confirmation.c.message_id == message.c.id).where(*waits)


def _accepted(now: datetime) -> Select[Any]:
    """Leads whose hand-over was accepted since the last sweep, over everyone or over them, looked."""
    return (
        select(escalation.c.lead_id)
        .join(lead_state, lead_state.c.lead_id == escalation.c.lead_id)
        .where(
            escalation.c.state == EscalationState.ACCEPTED,
            escalation.c.answered_at > micros(now) - DAY,
            escalation.c.answered_at < micros(now),
            escalation.c.answered_at >= _looked(),
        )
    )


def _raised(kinds: frozenset[str], now: datetime) -> Select[Any]:
    """Leads with an act of these `kinds` received since the last sweep, over everyone or over them, looked."""
    return (
        select(event.c.lead_id)
        .distinct()
        .join(lead_state, lead_state.c.lead_id == event.c.lead_id)
        .where(
            event.c.kind.in_(sorted(kinds)),
            event.c.occurred_at > micros(now) - DAY,
            event.c.occurred_at < micros(now),
            event.c.received_at < micros(now),
            event.c.received_at >= _looked(),
        )
    )


def _looked() -> ColumnElement[int]:
    """When the last sweep looked at a row of `lead_state`, be it over everyone or over a few."""
    everyone = select(func.max(sweep_log.c.at)).where(sweep_log.c.scope == "everyone", sweep_log.c.finished_at > 0)
    return greatest(func.coalesce(everyone.scalar_subquery(), 0), func.coalesce(lead_state.c.as_of, 0))


def counts_of(outcome: Outcome) -> dict[str, Any]:
    """An outcome as JSON-able numbers, for logs and results."""
    return {
        "read": outcome.read,
        "changed": outcome.changed,
        **{str(name): n for name, n in outcome.counts.items()},
        "skipped": {str(reason): n for reason, n in outcome.skipped.items()},
    }


def plan(app: App, now: datetime, look: Callable[[Session, tuple[Outcome, ...]], T], scope: Scope = EVERYONE) -> T:
    """Capture to nurture in one transaction that is rolled back; `look` reads what they left."""
    dry = replace(app, ports=replace(app.ports, email=MemoryProvider()))
    with Session(app.engine) as session:
        try:
            outcomes = tuple(
                phase_of(dry, phase)(session, app.playbook, now, scope) for phase in Phase if phase is not Phase.DELIVER
            )
            return look(session, outcomes)
        finally:
            session.rollback()
