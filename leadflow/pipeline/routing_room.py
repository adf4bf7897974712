"""How much room each salesperson has today, and since when each has waited for a turn."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, Integer, Subquery, func, literal, select, type_coerce, union_all

from leadflow.db import Word, least, once
from leadflow.models import assignment, escalation
from leadflow.playbook.model import Playbook, Salesperson
from leadflow.types import micros

#: More hand-overs than any team can be given in a day.
_NO_LIMIT = 2**31


def room(playbook: Playbook, now: datetime, reps: Sequence[Salesperson], *, again: bool = False) -> Subquery:
    """rep, position, spare (places left today), last_at and last_turn of `reps`.

    The last turn at which each was given a new hand-over; or, `again`, one that somebody else had let lie.
    """
    zone = ZoneInfo(playbook.office.zone)
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    team = union_all(*(_member(rep, position) for position, rep in enumerate(reps))).subquery("team")
    mine = assignment.c.rep == team.c.rep
    # What was taken away again was asked of them all the same.
    today = select(func.count()).select_from(assignment).where(mine, assignment.c.at >= micros(midnight))
    held = (escalation.c.rep == team.c.rep) & escalation.c.closed_at.is_(None)
    open_now = select(func.count()).select_from(escalation).where(held)
    spare = least(
        team.c.per_day - today.correlate(team).scalar_subquery(),
        team.c.open_limit - open_now.correlate(team).scalar_subquery(),
    )
    kind = assignment.c.taken_from.is_not(None) if again else assignment.c.taken_from.is_(None)
    turns = mine & kind & (assignment.c.turn > 0)
    found = select(
        team.c.rep,
        team.c.position,
        spare.label("spare"),
        _newest(type_coerce(assignment.c.at, BigInteger), turns, team).label("last_at"),
        _newest(assignment.c.turn, turns, team).label("last_turn"),
    )
    # Counted once for each of them, not for each of their seats.
    return once(found, "room")


def _newest(column: ColumnElement[Any], turns: ColumnElement[bool], team: Subquery) -> ColumnElement[Any]:
    newest = select(column).where(turns).order_by(assignment.c.at.desc(), assignment.c.turn.desc()).limit(1)
    return func.coalesce(newest.correlate(team).scalar_subquery(), 0)


def _member(rep: Salesperson, position: int) -> Any:
    return select(
        literal(rep.name, Word).label("rep"),
        literal(position, Integer).label("position"),
        literal(_limit(rep.per_day), BigInteger).label("per_day"),
        literal(_limit(rep.open), BigInteger).label("open_limit"),
    )


def _limit(n: int | None) -> int:
    return _NO_LIMIT if n is None else n
