"""The night before the one that is measured: people stand all along their sequences, as on any night but the first."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from bench.make_data import BEFORE, load_data, settle
from leadflow.models import enrolment, message
from leadflow.models.schema import create_schema
from leadflow.pipeline.escalate import escalate_leads
from leadflow.pipeline.nurture import nurture_leads
from leadflow.pipeline.score import score_leads
from leadflow.pipeline.segment import segment_leads
from leadflow.pipeline.stage import stage_leads
from leadflow.playbook.model import Playbook
from leadflow.types import DAY, EVERYONE, HOUR, MessageState, Outcome, Scope, micros

#: The decision pass: what a night does before anything is delivered.
DECISIONS: dict[str, Callable[[Session, Playbook, datetime, Scope], Outcome]] = {
    "score": score_leads,
    "stage": stage_leads,
    "segment": segment_leads,
    "escalate": escalate_leads,
    "nurture": nurture_leads,
}
#: Waits end spread over so many days.
_SPREAD = 15
#: One in so many of the first mails has not left yet.
_WAITING = 30


def measured(playbook: Playbook) -> Playbook:
    """`playbook` with the one track that pass.sql is written for."""
    return replace(playbook, sequences=tuple(one for one in playbook.sequences if one.track == "nurture"))


def live_until_before(engine: Engine, playbook: Playbook, *, leads: int, events: int) -> None:
    """Fill an empty database and bring it to the morning after `BEFORE`."""
    create_schema(engine)
    # The sequences go live before anybody is there: whoever came since is in one, not in a queue.
    _run(engine, playbook, BEFORE - timedelta(days=30), "nurture")
    load_data(engine, leads=leads, events=events)
    settle(engine)
    _run(engine, playbook, BEFORE, *DECISIONS)
    _send_first_mails(engine)
    _run(engine, playbook, BEFORE + timedelta(hours=1), "nurture")
    _spread_waits(engine)
    settle(engine)


def _run(engine: Engine, playbook: Playbook, now: datetime, *phases: str) -> None:
    for name in phases:
        with Session(engine) as session, session.begin():
            DECISIONS[name](session, playbook, now, EVERYONE)


def _send_first_mails(engine: Engine) -> None:
    sent_at = micros(BEFORE) - 4 * DAY + message.c.lead_id % 48 * HOUR
    left = update(message).where(message.c.lead_id % _WAITING != 0)
    with engine.begin() as connection:
        connection.execute(left.values(state=MessageState.ACCEPTED.value, sent_at=sent_at, planned_at=sent_at - DAY))


def _spread_waits(engine: Engine) -> None:
    """Whatever comes next for those on a wait comes within `_SPREAD` days, so that a few are due each night."""
    due_at = micros(BEFORE) + 2 * HOUR + enrolment.c.lead_id % _SPREAD * DAY
    with engine.begin() as connection:
        connection.execute(update(enrolment).where(enrolment.c.due_at > micros(BEFORE) + HOUR).values(due_at=due_at))
