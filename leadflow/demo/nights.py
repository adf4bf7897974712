"""Three weeks in about a minute: night after night a flow run, and between them days lived by invented people."""

import asyncio
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from leadflow.app import App, deliver_due, open_app, run_escalations, sweep_one
from leadflow.demo.sales_team import answer_hand_overs
from leadflow.demo.sample import import_people, import_sample_deals
from leadflow.demo.visitors import Act, day_of
from leadflow.demo.wishes import ask_wishes
from leadflow.demo.world import live_through, mails_between, visitors_of
from leadflow.eligibility import Tonight, tonight
from leadflow.errors import UsageError
from leadflow.intake.importing import Accounting
from leadflow.playbook.example import copy_example
from leadflow.text import _

FIRST_NIGHT = date(2026, 3, 3)
NIGHTS = 21
#: Office hours at which what is due leaves, and those at which the clocks of hand-overs are looked at.
_MORNING = (9, 10, 11, 12)
_AFTERNOON = (15, 17)
_CLOCKS = (9, 12, 17)
_HAND_RAISES = ("quote_requested", "demo_requested", "meeting_booked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """What the nights left for the ending screen and its claims."""

    app: App
    seed: int
    nights: tuple[datetime, ...]
    #: For each night: who got a mail and why the others did not.
    told: tuple[Tonight, ...]
    reasons_seen: frozenset[str] = field(default_factory=frozenset)


def make_workspace(folder: Path, seed: int) -> None:
    """A fresh copy of the example, marked simulated; a demo that lay there before is replaced, nothing else ever is."""
    mark = folder / ".env"
    if folder.exists() and any(folder.iterdir()):
        if not mark.exists() or "LEADFLOW_SIMULATED=true" not in mark.read_text():
            raise UsageError(_("{folder} is not a demo: name a new folder").format(folder=folder))
        shutil.rmtree(folder)
    copy_example(folder)
    # The key spreads people over hours and ramps: the same one, the same weeks.
    mark.write_text(f"LEADFLOW_SIMULATED=true\nLEADFLOW_ESP=file\nLEADFLOW_SECRET=demo-{seed}\n")


def import_sample(workspace: Path) -> Accounting:
    """The sample's people and their deals, as a marketer imports them on the eve of the first night."""
    app = open_app(workspace)
    eve = _midnight(app, FIRST_NIGHT) - timedelta(hours=7)
    counted = import_people(app, eve)
    import_sample_deals(app, eve)
    return counted


def as_flow(app: App, now: datetime) -> None:
    """The night as a run in Prefect, as schedules run it."""
    from flows.nightly import nightly

    workspace = str(app.settings.workspace)
    asyncio.run(nightly(workspace=workspace, at=now.isoformat(), slot=f"{now:%Y-%m-%d}"))


def live(
    workspace: Path,
    seed: int,
    on_night: Callable[[datetime, Tonight], None],
    *,
    nights: int = NIGHTS,
    run_night: Callable[[App, datetime], None] = as_flow,
) -> Lived:
    """Night after night and the days between; `on_night` is told after each sweep."""
    app = open_app(workspace)
    lived, told = [], []
    for number in range(nights):
        day = _midnight(app, FIRST_NIGHT + timedelta(days=number))
        now = day.replace(hour=4, minute=15)
        run_night(app, now)
        with Session(app.engine) as session:
            told.append(tonight(session, app.playbook, now))
        lived.append(now)
        on_night(now, told[-1])
        # The last night ends the story: its mails wait for nine o'clock.
        if number < nights - 1:
            _live_day(app, day, seed, last=number == nights - 2)
    seen = frozenset(str(reason) for night in told for reason, n in night.skipped.items() if n)
    return Lived(app=app, seed=seed, nights=tuple(lived), told=tuple(told), reasons_seen=seen)


def _midnight(app: App, day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=app.office)


def _live_day(app: App, day: datetime, seed: int, *, last: bool) -> None:
    with Session(app.engine) as session:
        people = visitors_of(session, seed)
    for hour in _MORNING:
        _drain(app, day.replace(hour=hour, minute=5))
    noon = day.replace(hour=12, minute=6)
    mails = mails_between(app, day, noon)
    acts = [act for person in people for act in day_of(person, mails.get(person.address, ()), day, seed)]
    live_through(app, acts, seed)
    answer_hand_overs(app, day, seed)
    if last:
        ask_wishes(app, noon)
    # Nothing waits for the night that a person asked for in the day; the clock only goes forward.
    moments = _hand_raises(acts, noon) + [(day.replace(hour=hour, minute=5), "") for hour in _AFTERNOON]
    for now, address in sorted(moments):
        if address:
            sweep_one(app, address, now)
        else:
            _drain(app, now)
    _live_evening(app, day, max(moments)[0], seed)


def _live_evening(app: App, day: datetime, now: datetime, seed: int) -> None:
    """What came in the afternoon is read in the evening."""
    mails = mails_between(app, day.replace(hour=12, minute=6), day + timedelta(days=1))
    with Session(app.engine) as session:
        people = [person for person in visitors_of(session, seed) if person.address in mails]
    acts = [act for person in people for act in day_of(person, mails[person.address], day, seed)]
    live_through(app, acts, seed)
    for moment, address in sorted(_hand_raises(acts, now)):
        sweep_one(app, address, moment)


def _hand_raises(acts: Sequence[Act], earliest: datetime) -> list[tuple[datetime, str]]:
    """When the machine looks at whom, half a minute after they asked."""
    return [(max(act.at + timedelta(seconds=30), earliest), act.address) for act in acts if act.kind in _HAND_RAISES]


def _drain(app: App, now: datetime) -> None:
    deliver_due(app, now)
    if now.hour in _CLOCKS:
        run_escalations(app, now)
