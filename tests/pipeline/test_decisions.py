"""Decisions are recorded in the database, once an instant."""

from datetime import UTC, datetime

from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from leadflow.db import json_object
from leadflow.models import decision
from leadflow.pipeline.decisions import record_decisions
from leadflow.types import month_of
from tests.build import playbook

NOW = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)


def test_a_decision_is_kept_once_with_its_detail(session: Session) -> None:
    book = playbook()
    rows = select(
        literal(7).label("lead_id"),
        literal("discovery/welcome").label("subject"),
        json_object({"email": literal("welcome"), "send_at": literal(12)}).label("detail"),
    )
    for _ in range(2):
        record_decisions(session, rows, kind="plan", now=NOW, playbook=book)
    (row,) = session.execute(select(decision)).all()
    assert (row.lead_id, row.kind, row.reason, row.month) == (7, "plan", "", 202603)
    assert row.detail == {"email": "welcome", "send_at": 12}


def test_the_month_of_a_decision_is_that_of_utc() -> None:
    assert month_of(NOW) == 202603
