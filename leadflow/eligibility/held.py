"""What people, or the brake, have stopped: the same rows for planning, intent, alerts and answers."""

from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select

from leadflow.models import hold, pause


def held(sweep_at: ColumnElement[Any]) -> ColumnElement[bool]:
    """What the sweep of that instant planned waits for somebody to approve it."""
    waiting = select(hold.c.at).where(hold.c.answer.is_(None))
    return sweep_at.in_(waiting.correlate(None))


def paused(sequence: ColumnElement[Any], email: ColumnElement[Any]) -> ColumnElement[bool]:
    """A pause lasts that stops this mail."""
    stops = or_(
        pause.c.kind == "all",
        and_(pause.c.kind == "sequence", pause.c.name == sequence),
        and_(pause.c.kind == "email", pause.c.name == email),
    )
    return select(pause.c.id).where(pause.c.ended_at.is_(None), stops).correlate_except(pause).exists()
