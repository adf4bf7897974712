"""Appends decisions to the record: one statement for any number of them, each counted once an instant."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, Text, cast, literal, select, true
from sqlalchemy.orm import Session

from leadflow.db import insert_missing, json_object
from leadflow.models import decision
from leadflow.playbook.model import Playbook
from leadflow.types import micros, month_of


def record_decisions(session: Session, rows: Select[Any], *, kind: str, now: datetime, playbook: Playbook) -> None:
    """Insert one decision for each of `rows` (lead_id, subject, perhaps reason and detail); twice changes nothing."""
    found = rows.subquery()
    names = ["lead_id", "subject", "reason", "detail", "kind", "at", "month", "playbook"]
    values = select(
        found.c.lead_id,
        found.c.subject,
        _column(found, "reason", literal("")),
        _column(found, "detail", json_object({})),
        literal(kind),
        literal(micros(now)),
        literal(month_of(now)),
        literal(playbook.version),
    ).where(true())
    session.execute(insert_missing(decision, names, values))


def subject_of(*parts: ColumnElement[Any]) -> ColumnElement[str]:
    """`sequence/step` of two columns."""
    joined: ColumnElement[str] = cast(parts[0], Text)
    for part in parts[1:]:
        joined = joined + "/" + part
    return joined


def _column(found: FromClause, name: str, default: ColumnElement[Any]) -> ColumnElement[Any]:
    return found.c.get(name, default)
