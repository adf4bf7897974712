"""Takes a hand raised while sales have the lead to whoever has it: at once, whatever was put off until when."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import BigInteger, ColumnElement, Update, and_, case, func, literal, or_, select, update
from sqlalchemy.orm import Session

from leadflow.db import Word, json_object, least
from leadflow.models import escalation
from leadflow.pipeline.crossing import crossing
from leadflow.pipeline.decisions import record_decisions
from leadflow.playbook.model import Playbook
from leadflow.types import EscalationState, micros

_OPEN = escalation.c.closed_at.is_(None)
_LATER = escalation.c.state == EscalationState.LATER


def raise_again(session: Session, playbook: Playbook, now: datetime, due: Mapping[str, datetime]) -> int:
    """Tell again of the open hand-overs whose leads are in `crossing` with a raised hand; how many."""
    for i, rule in enumerate(playbook.sales.hot):
        if rule.name in playbook.sales.again_unless:
            session.execute(_tell_again(now, 1 << i, due[rule.name]))
    told = escalation.c.raised_at == micros(now)
    words = literal("raised_again", Word).label("reason")
    detail = json_object(rep=escalation.c.rep).label("detail")
    rows = select(escalation.c.lead_id, escalation.c.rule.label("subject"), words, detail).where(told)
    record_decisions(session, rows, kind="escalate", now=now, playbook=playbook)
    return session.scalar(select(func.count()).select_from(escalation).where(told)) or 0


def _tell_again(now: datetime, bit: int, due_at: datetime) -> Update:
    """UPDATE escalation: put off, it is due again; waiting, it is due sooner; accepted, it is told once more."""
    crossed = crossing.c.opening.bitwise_and(literal(bit, BigInteger)) != 0
    raised = escalation.c.lead_id.in_(select(crossing.c.lead_id).where(crossed))
    unseen = or_(escalation.c.raised_at.is_(None), escalation.c.raised_at < micros(now))
    due = literal(micros(due_at), BigInteger)
    waiting = escalation.c.state == EscalationState.WAITING
    sooner: ColumnElement[int] = case(
        (_LATER, due), (waiting, least(escalation.c.due_at, due)), else_=escalation.c.due_at
    )
    values = {
        "state": case((_LATER, EscalationState.WAITING), else_=escalation.c.state),
        "due_at": sooner,
        "reminders": case((_LATER, 0), else_=escalation.c.reminders),
        # The fortnight of silence begins anew.
        "again_at": case((_LATER, literal(micros(now), BigInteger)), else_=escalation.c.again_at),
        "raised_at": micros(now),
        "alerted_at": None,
    }
    # What was opened in this very sweep is told for this very act.
    return update(escalation).where(and_(_OPEN, raised, unseen, escalation.c.opened_at < micros(now))).values(values)
