"""What people, or the brake, have stopped: the same rows for planning, intent, alerts and answers."""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, func, or_, select, type_coerce

from leadflow.db import json_object
from leadflow.models import hold, pause


def held(sweep_at: ColumnElement[Any]) -> ColumnElement[bool]:
    """What the sweep of that instant planned waits for somebody to approve it."""
    waiting = select(hold.c.at).where(hold.c.answer.is_(None))
    return sweep_at.in_(waiting.correlate(None))


def paused(
    *,
    sequence: ColumnElement[Any] | None = None,
    email: ColumnElement[Any] | None = None,
    stream: ColumnElement[Any] | None = None,
) -> ColumnElement[bool]:
    """A pause lasts that stops every mail, or those of this sequence, this email, this purpose."""
    return _lasting(sequence=sequence, email=email, stream=stream).exists()


def pause_detail(
    sequence: ColumnElement[Any], email: ColumnElement[Any], stream: ColumnElement[Any] | None = None
) -> ColumnElement[Any]:
    """What a decision keeps of the pause that stopped a mail: `{"pause": "sequence discovery", "since": …}`."""
    first = _lasting(sequence=sequence, email=email, stream=stream).order_by(pause.c.since, pause.c.id).limit(1)
    named = func.trim(pause.c.kind + " " + pause.c.name)
    return json_object(
        pause=first.with_only_columns(named).scalar_subquery(),
        since=first.with_only_columns(type_coerce(pause.c.since, BigInteger)).scalar_subquery(),
    )


def _lasting(**named: ColumnElement[Any] | None) -> Select[Any]:
    stops = [pause.c.kind == "all"]
    stops += [and_(pause.c.kind == kind, pause.c.name == name) for kind, name in named.items() if name is not None]
    return select(pause.c.id).where(pause.c.ended_at.is_(None), or_(*stops)).correlate_except(pause)
