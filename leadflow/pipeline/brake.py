"""The brake: a sweep that would send far more than usual plans everything and lets nothing leave until somebody looks.

A mistake in a file, an inverted filter say, must not reach four thousand people.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from statistics import median_high
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from leadflow.db import insert_into
from leadflow.models import escalation, hold, message, sweep
from leadflow.pipeline.scope import in_scope
from leadflow.playbook.model import Brake, Playbook
from leadflow.types import DAY, Everyone, MessageState, Scope, micros

#: How many nights of one weekday are looked back to; and nights of any, while a workspace is young.
NIGHTS = 14
#: Of one weekday, before they say what is usual for it; of any weekday, before they do.
ENOUGH, ENOUGH_OF_ANY = 4, 7
#: Numbers no larger than these are never too many because others were smaller.
FLOORS = {"mails": 50, "handovers": 20}


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What one night planned."""

    mails: int
    handovers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tripped:
    """The limit that was passed, by what, and what the last nights of that weekday had of it."""

    rule: str
    what: str
    low: int | None = None
    high: int | None = None


def judge(brake: Brake, tonight: Night, *, alike: Sequence[Night] = (), lately: Sequence[Night] = ()) -> Tripped | None:
    """The first limit that `tonight` passes, None for a night like others.

    `alike` are the last nights of the same weekday: more than `times_usual` times their median is not usual. While
    they are few, the busiest of the nights of `lately` stands for them, which forgives a workspace its first weeks.
    """
    for what, rule, limit in _limits(brake, alike, lately):
        if limit is not None and getattr(tonight, what) > limit:
            seen = [getattr(night, what) for night in alike]
            return Tripped(rule=rule, what=what, low=min(seen, default=None), high=max(seen, default=None))
    return None


def _limits(brake: Brake, alike: Sequence[Night], lately: Sequence[Night]) -> Iterator[tuple[str, str, int | None]]:
    for what, absolute, rule in (
        ("mails", brake.sends_over, "sends_over"),
        ("handovers", brake.handovers_over, "handovers_over"),
    ):
        yield what, rule, absolute
        usual = _usual([getattr(night, what) for night in alike], [getattr(night, what) for night in lately])
        relative = brake.times_usual is not None and usual is not None
        yield what, "times_usual", max(FLOORS[what], (brake.times_usual or 0) * (usual or 0)) if relative else None


def _usual(alike: Sequence[int], lately: Sequence[int]) -> int | None:
    if len(alike) >= ENOUGH:
        return median_high(alike)
    return max(lately) if len(lately) >= ENOUGH_OF_ANY else None


def brake_sweep(session: Session, playbook: Playbook, now: datetime, scope: Scope) -> bool:
    """INSERT hold when this sweep trips the brake: in the transaction that plans, so that nothing slips out before.

    A sweep of single leads is judged by the absolute numbers alone. True when the sweep is held.
    """
    if playbook.brake == Brake():
        return False
    alike, lately = past_nights(session, playbook, now) if isinstance(scope, Everyone) else ([], [])
    tonight = _planned(session, now, scope)
    tripped = judge(playbook.brake, tonight, alike=alike, lately=lately)
    if tripped is not None:
        _hold(session, playbook, now, tonight, tripped)
    return session.scalar(select(hold.c.at).where(hold.c.at == micros(now))) is not None


def past_nights(session: Session, playbook: Playbook, now: datetime) -> tuple[list[Night], list[Night]]:
    """The last nights of the weekday of `now`, and of any weekday, oldest first; one that nobody let go is no model."""
    zone = ZoneInfo(playbook.office.zone)
    today = now.astimezone(zone).date()
    since = micros(now) - (7 * NIGHTS + 1) * DAY
    rows = select(sweep.c.at, sweep.c.counts).where(
        sweep.c.scope == "everyone",
        sweep.c.finished_at.is_not(None),
        sweep.c.at >= since,
        sweep.c.at < micros(now),
        sweep.c.at.not_in(select(hold.c.at).where(hold.c.answer.is_distinct_from("approved"))),
    )
    nights: dict[date, Night] = {}
    for at, counts in session.execute(rows.order_by(sweep.c.at)):
        day = at.astimezone(zone).date()
        if day == today:
            continue
        # Of several sweeps of one day the largest is the night.
        before = nights.get(day, Night(mails=0, handovers=0))
        mails, handovers = (int(counts.get(phase, {}).get("changed", 0)) for phase in ("nurture", "escalate"))
        nights[day] = Night(mails=max(mails, before.mails), handovers=max(handovers, before.handovers))
    alike = [night for day, night in nights.items() if day.weekday() == today.weekday()]
    return alike[-NIGHTS:], list(nights.values())[-NIGHTS:]


def _planned(session: Session, now: datetime, scope: Scope) -> Night:
    mails = select(func.count()).where(
        message.c.planned_at == micros(now),
        message.c.state == MessageState.PLANNED,
        in_scope(message.c.lead_id, scope),
    )
    handovers = select(func.count()).where(escalation.c.opened_at == micros(now), in_scope(escalation.c.lead_id, scope))
    return Night(mails=session.scalar(mails) or 0, handovers=session.scalar(handovers) or 0)


def _hold(session: Session, playbook: Playbook, now: datetime, tonight: Night, tripped: Tripped) -> None:
    values = {
        "at": micros(now),
        "night": f"{now.astimezone(ZoneInfo(playbook.office.zone)):%Y-%m-%d}",
        "rule": tripped.rule,
        "what": tripped.what,
        "mails": tonight.mails,
        "handovers": tonight.handovers,
        "usual_low": tripped.low,
        "usual_high": tripped.high,
    }
    add = insert_into(session, hold).values(values)
    counts = {name: add.excluded[name] for name in values if name not in {"at", "night"}}
    # Escalate may have held the sweep already, before its mails were planned.
    other = or_(hold.c.mails != add.excluded.mails, hold.c.handovers != add.excluded.handovers)
    session.execute(
        add.on_conflict_do_update(index_elements=[hold.c.at], set_=counts, where=and_(hold.c.answer.is_(None), other))
    )
