"""What the files mean for the people there are: names they stand on that are gone, rules too hot, cells run dry."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from leadflow.app.lacking import lacking_values
from leadflow.app.slots import wall_time
from leadflow.ask.dry import DryCell, dry_cells
from leadflow.ask.standing import Vanished, places, vanished
from leadflow.db import make_engine
from leadflow.errors import Fault, Severity
from leadflow.models import escalation, event, message, playbook_version, sweep
from leadflow.pipeline.catalogue import load_catalogue
from leadflow.pipeline.hot_history import Fired, would_have_fired
from leadflow.playbook.model import Playbook, Sales
from leadflow.settings import Settings
from leadflow.text import _, ngettext
from leadflow.types import MessageState, Place, micros

#: How far back hot rules are tried.
DAYS = 30
#: Nights over more acts than this take minutes to live again: what was handed over in them has to do.
MOST_ACTS = 300_000
#: What a hot rule rests on: unchanged since the last sweep, its record is its history.
_RESTS_ON = ("config/sales.yaml", "config/scoring.yaml", "config/journey.yaml", "config/leadflow.yaml", "segments/")
_NIGHT = 4 * 60 + 15


def check_people(settings: Settings, playbook: Playbook, now: datetime) -> list[Fault]:
    """Faults that only the database shows; none while there is no database or nobody in it. Nothing is written."""
    if not settings.database_url and not (settings.var / "leadflow.db").exists():
        return []
    engine = make_engine(settings.url)
    try:
        with Session(engine) as session:
            try:
                return list(_faults(session, playbook, now))
            finally:
                session.rollback()
    except SQLAlchemyError:
        told = _("the database could not be asked, or is older than this leadflow: only the files were checked")
        return [_fault(Place(file="config/leadflow.yaml"), told, Severity.WARNING)]
    finally:
        engine.dispose()


def _faults(session: Session, playbook: Playbook, now: datetime) -> Iterator[Fault]:
    # A simulated workspace lives in days of its own.
    now = session.scalar(select(func.max(sweep.c.at)).where(sweep.c.scope == "everyone")) or now
    yield from _gone(session, playbook)
    yield from _emails_gone(session, playbook)
    load_catalogue(session, playbook)
    yield from (_dry(playbook, cell) for cell in dry_cells(session, playbook, now))
    yield from lacking_values(session, playbook)
    fired = _fired(session, playbook, now)
    yield from (found for one in fired for found in _too_hot(playbook, one))


def _gone(session: Session, playbook: Playbook) -> Iterator[Fault]:
    for one in vanished(playbook, places(session)):
        if one.settled or not (one.people or one.stranded):
            continue
        if not one.step:
            yield _sequence_gone(one)
            continue
        sequence = playbook.sequence(one.sequence)
        step = sequence.step(one.onward) if sequence and one.onward else None
        place = step.place if step else sequence.place if sequence else Place()
        if one.stranded:
            yield _fault(place, _stranded(one), Severity.ERROR)
        if one.people:
            yield _fault(place, _stood_on(one), Severity.WARNING)


def _sequence_gone(one: Vanished) -> Fault:
    told = ngettext(
        'sequence "{name}" is gone; {n} person is in it. Renamed? add  was: {name}  to the new file. '
        "Removed? add  removed: {{sequences: [{name}]}}  to config/leadflow.yaml",
        'sequence "{name}" is gone; {n} people are in it. Renamed? add  was: {name}  to the new file. '
        "Removed? add  removed: {{sequences: [{name}]}}  to config/leadflow.yaml",
        one.people,
    )
    place = Place(file=f"config/sequences/{one.sequence}.yaml")
    return _fault(place, told.format(name=one.sequence, n=one.people), Severity.ERROR)


def _stranded(one: Vanished) -> str:
    told = ngettext(
        'step "{step}" is gone; {n} person who has passed it would stand nowhere. Renamed? add  was: {step}  to the '
        "new step. Removed? add  removed: {{{step}: the step they go on to}}",
        'step "{step}" is gone; {n} people who have passed it would stand nowhere. Renamed? add  was: {step}  to the '
        "new step. Removed? add  removed: {{{step}: the step they go on to}}",
        one.stranded,
    )
    return told.format(step=one.step, n=one.stranded)


def _stood_on(one: Vanished) -> str:
    told = ngettext(
        'step "{step}" is gone; {n} person stands on it. Renamed? add  was: {step}  to the new step. Removed? ',
        'step "{step}" is gone; {n} people stand on it. Renamed? add  was: {step}  to the new step. Removed? ',
        one.people,
    ).format(step=one.step, n=one.people)
    return told + (_("they go on to {step}").format(step=one.onward) if one.onward else _("their sequence is over"))


def _emails_gone(session: Session, playbook: Playbook) -> Iterator[Fault]:
    known = playbook.emails.keys() | {email.was for email in playbook.emails.values()}
    waiting = select(message.c.email, func.count()).where(message.c.state == MessageState.PLANNED)
    for email, n in session.execute(waiting.group_by(message.c.email).order_by(message.c.email)):
        if email not in known:
            told = ngettext(
                'email "{email}" is gone; {n} mail planned with it is planned anew. Renamed? add  was: {email}',
                'email "{email}" is gone; {n} mails planned with it are planned anew. Renamed? add  was: {email}',
                n,
            )
            place = Place(file=f"templates/emails/{email}/email.yaml")
            yield _fault(place, told.format(email=email, n=n), Severity.WARNING)


def _dry(playbook: Playbook, cell: DryCell) -> Fault:
    asking = next(s for s in playbook.sequences for step in s.steps if getattr(step, "best_for", "") == cell.stage)
    told = ngettext(
        "runs dry: {cell}: {n} person has no email left that they have not had",
        "runs dry: {cell}: {n} people have no email left that they have not had",
        cell.people,
    )
    return _fault(asking.place, told.format(cell=cell.name, n=cell.people), Severity.WARNING)


def _fired(session: Session, playbook: Playbook, now: datetime) -> Sequence[Fired]:
    """Each hot rule over the last nights: from the record where the rules are as they were, else lived again."""
    since = micros(now - timedelta(days=DAYS))
    if not playbook.sales.hot or session.scalar(select(event.c.id).where(event.c.occurred_at > since).limit(1)) is None:
        return ()
    if _as_before(session, playbook) or _too_many_acts(session):
        return _on_record(session, playbook, now)
    zone = ZoneInfo(playbook.office.zone)
    at = next((job.at for job in playbook.schedule.jobs if job.name == "nightly" and job.at is not None), _NIGHT)
    # What held before the first of them does not count.
    nights = [wall_time(zone, now - timedelta(days=n), at) for n in range(DAYS, -1, -1)]
    return would_have_fired(session, playbook, [night for night in nights if night <= now])


def _too_many_acts(session: Session) -> bool:
    acts = select(event.c.id).limit(MOST_ACTS + 1).subquery()
    return (session.scalar(select(func.count()).select_from(acts)) or 0) > MOST_ACTS


def _as_before(session: Session, playbook: Playbook) -> bool:
    """Whether every version that lately swept had the same hot rules, and the same things to judge them by."""
    recent = session.execute(
        select(playbook_version.c.files).order_by(playbook_version.c.first_used_at.desc()).limit(1)
    ).scalar_one_or_none()
    today = {path: hashlib.sha256(content).hexdigest() for path, content in playbook.files.items()}
    return recent is not None and _rests_on(recent) == _rests_on(today)


def _rests_on(files: Mapping[str, str]) -> Mapping[str, str]:
    return {path: digest for path, digest in files.items() if path.startswith(_RESTS_ON)}


def _on_record(session: Session, playbook: Playbook, now: datetime) -> Sequence[Fired]:
    zone = ZoneInfo(playbook.office.zone)
    opened = select(escalation.c.rule, escalation.c.opened_at).where(
        escalation.c.opened_at > micros(now - timedelta(days=DAYS))
    )
    days: dict[str, list[object]] = {}
    for rule, at in session.execute(opened):
        days.setdefault(rule, []).append(at.astimezone(zone).date())
    return [
        Fired(rule=name, times=len(seen), busiest=max(map(seen.count, seen)))
        for name, seen in ((rule.name, days.get(rule.name, [])) for rule in playbook.sales.hot)
        if seen
    ]


def _too_hot(playbook: Playbook, fired: Fired) -> Iterator[Fault]:
    """A rule that brought more in one night than the team takes a day, or half of all it can have open in a month."""
    per_day, seats = _limits(playbook.sales)
    often = per_day is not None and fired.busiest > per_day
    if often or (seats is not None and 2 * fired.times > seats):
        told = ngettext(
            'hot rule "{rule}" would have fired {n} time in the last {days} days, {busiest} in one night',
            'hot rule "{rule}" would have fired {n} times in the last {days} days, {busiest} in one night',
            fired.times,
        ).format(rule=fired.rule, n=fired.times, days=DAYS, busiest=fired.busiest)
        words = {
            (True, True): _("your team's limits add up to {per_day} a day, {seats} open"),
            (True, False): _("your team's limits add up to {per_day} a day"),
            (False, True): _("your team's limits add up to {seats} open"),
        }[per_day is not None, seats is not None]
        place = next(rule.place for rule in playbook.sales.hot if rule.name == fired.rule)
        yield _fault(place, f"{told} · {words.format(per_day=per_day, seats=seats)}", Severity.WARNING)


def _limits(sales: Sales) -> tuple[int | None, int | None]:
    """What the team takes a day, and what it can have open; None where somebody has no limit."""
    days, seats = [rep.per_day for rep in sales.team], [rep.open for rep in sales.team]
    return _sum(days), _sum(seats)


def _sum(limits: Sequence[int | None]) -> int | None:
    known = [limit for limit in limits if limit is not None]
    return sum(known) if known and len(known) == len(limits) else None


def _fault(place: Place, message: str, severity: Severity) -> Fault:
    found = Fault(file=place.file, line=place.line, column=place.column, message=message)
    return replace(found, severity=severity)
