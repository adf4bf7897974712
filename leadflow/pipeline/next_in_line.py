"""Finds who would be asked next if a salesperson stayed silent: the routes are walked, and the walk is taken back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from leadflow.models import escalation
from leadflow.pipeline.routing import route_handovers
from leadflow.playbook.model import Playbook
from leadflow.types import EVERYONE


def next_in_line(
    session: Session, playbook: Playbook, now: datetime, rows: Sequence[Row[Any]]
) -> Mapping[int, str | None]:
    """Hand-over id → who gets it past its salesperson, as things stand at `now`; a few statements a salesperson."""
    found: dict[int, str | None] = {}
    team = {rep.name for rep in playbook.sales.team}
    # From the manager it is taken by nobody.
    for rep in sorted({row.rep for row in rows} & team):
        ids = [row.id for row in rows if row.rep == rep]
        walk = session.begin_nested()
        session.execute(update(escalation).where(escalation.c.id.in_(ids)).values(rep="", route=""))
        route_handovers(session, playbook, now, EVERYONE, without=rep)
        walked = session.execute(select(escalation.c.id, escalation.c.rep).where(escalation.c.id.in_(ids)))
        found |= {row.id: row.rep if row.rep != rep else None for row in walked}
        walk.rollback()
    return found
