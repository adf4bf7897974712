"""What becomes of a night the brake held, once a person has answered: it leaves, or it never was."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, literal, select, update
from sqlalchemy.orm import Session

from leadflow.db import json_object
from leadflow.models import assignment, escalation, lead_state, message
from leadflow.pipeline.asked import spans_of
from leadflow.pipeline.backlog import spread_late
from leadflow.pipeline.decisions import record_decisions, subject_of
from leadflow.playbook.model import Playbook
from leadflow.types import MessageState, Reason, micros
from leadflow.windows import due_after


def release_night(session: Session, playbook: Playbook, at: datetime, now: datetime) -> None:
    """The clocks of the night's hand-overs begin now, when salespeople hear of them; mails too late are spread."""
    spans = spans_of(playbook)
    due = {span: due_after(session, playbook, now, span) for span in set(spans.values())}
    for rule, span in spans.items():
        untold = and_(_of_night(at), escalation.c.rule == rule, escalation.c.alerted_at.is_(None))
        session.execute(update(escalation).where(untold).values(due_at=due[span]))
    session.execute(spread_late(playbook.window, now, message.c.planned_at == micros(at)))


def drop_night(session: Session, playbook: Playbook, at: datetime, now: datetime) -> None:
    """Suppress the night's mails and take back its hand-overs: whoever still has a cause is planned anew."""
    mails = and_(message.c.planned_at == micros(at), message.c.state == MessageState.PLANNED)
    subject = subject_of(message.c.sequence, message.c.step).label("subject")
    detail = json_object(brake=literal(micros(at))).label("detail")
    rows = select(message.c.lead_id, subject, literal(Reason.PAUSED.value).label("reason"), detail).where(mails)
    record_decisions(session, rows, kind="suppress", now=now, playbook=playbook)
    session.execute(update(message).where(mails).values(state=MessageState.SUPPRESSED, reason=Reason.PAUSED))
    # Nobody was told of them: a hot lead crosses its rule again, and a step asks again.
    people = select(escalation.c.lead_id).where(_of_night(at))
    session.execute(update(lead_state).where(lead_state.c.lead_id.in_(people)).values(with_sales=False, hot=0))
    gone = select(escalation.c.id).where(_of_night(at))
    session.execute(delete(assignment).where(assignment.c.escalation_id.in_(gone)))
    session.execute(delete(escalation).where(_of_night(at)))


def _of_night(at: datetime) -> ColumnElement[bool]:
    return escalation.c.opened_at == micros(at)
