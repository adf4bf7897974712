"""Runs the hand-written decision pass, and counts in which rows its results differ from those of the phases."""

import re
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from bench.make_data import NOW
from leadflow.types import micros

PASS_SQL = (Path(__file__).parent / "floor" / "pass.sql").read_text(encoding="utf-8")
#: What is compared, by table: everything but reasons, who was given a hand-over, and what counts on its own.
COMPARED = {
    "engagement": "lead_id, (SELECT name FROM scoring_rule WHERE id = rule), total",
    "event_inbox": "event_id",
    "lead_score": "lead_id, fit, engagement, velocity, band, veto",
    "lead_state": "lead_id, stage, stage_since, stage_before, unmet_since, lifecycle, lifecycle_since, segment_main, "
    "qualification, criteria, with_sales, hot",
    "stage_change": 'lead_id, at, "before", "after"',
    "lifecycle_change": 'lead_id, "before", "after", cause, recorded_at',
    "membership": "segment, lead_id, joined_at, left_at",
    "escalation": "lead_id, account_id, number, rule, band, state, opened_at, due_at, raised_at",
    "enrolment": "lead_id, sequence, entry, state, entered_at, position, step, completed_at, due_at, paused_at, "
    "pause_reason, ended_at, end_reason",
    "message": "lead_id, address_id, sequence, step, email, language, purpose, state, reason, version, planned_at, "
    "send_at, expires_at",
}


def rows_left(connection: Connection) -> dict[str, set[tuple[object, ...]]]:
    """Table → what is compared of its rows."""
    return {
        name: {tuple(row) for row in connection.exec_driver_sql(f"SELECT {columns} FROM {name}")}
        for name, columns in COMPARED.items()
    }


def statements(engine: Engine) -> list[str]:
    """The statements of the file, as the database of `engine` reads them."""
    script = re.sub(r"--[^\n]*", "", PASS_SQL)
    if engine.dialect.name == "sqlite":
        script = re.sub(r"ANALYZE \w+;", "", script).replace("GREATEST(", "MAX(").replace("LEAST(", "MIN(")
    return [one.strip() for one in script.split(";") if one.strip()]


def parameters() -> dict[str, object]:
    """What the statements are asked about: the night that is measured."""
    days = {f"in_{n}": (NOW + timedelta(days=n)).date().isoformat() for n in (45, 60, 120, 365)}
    return {"now": micros(NOW), "today": NOW.date().isoformat(), **days}


def run_floor(session: Session) -> None:
    """The whole pass, in the transaction of `session`."""
    asked, engine = parameters(), session.get_bind()
    assert isinstance(engine, Engine)
    for statement in statements(engine):
        session.execute(text(statement), {name: value for name, value in asked.items() if f":{name}" in statement})
