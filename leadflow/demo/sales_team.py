"""How the demo's salespeople answer: one at once, one late, one after lunch."""

import random
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from leadflow.app import App
from leadflow.intake.answers import answer
from leadflow.models import escalation
from leadflow.types import Answer, EscalationState

#: Of a day's chances to answer; the slow ones let clocks run out.
_PROMPT = {"Inès": 0.95, "Marc": 0.35, "Sofia": 0.8}


def answer_hand_overs(app: App, day: datetime, seed: int) -> int:
    """Each salesperson's answers of `day` (an aware midnight), given in the afternoon; returns how many."""
    now = day + timedelta(hours=14)
    given = 0
    with Session(app.engine) as session, session.begin():
        rows = session.execute(
            select(escalation.c.id, escalation.c.lead_id, escalation.c.rep, escalation.c.state, escalation.c.opened_at)
            .where(escalation.c.closed_at.is_(None), escalation.c.opened_at < now)
            .order_by(escalation.c.lead_id)
        ).all()
        for row in rows:
            chance = random.Random(f"{seed}/{row.lead_id}/{day:%Y-%m-%d}")
            if row.state == EscalationState.WAITING:
                given += _first_answer(session, app, now, row.id, row.rep, chance)
            elif row.state == EscalationState.ACCEPTED:
                given += _conclude(session, app, now, row.id, (now - row.opened_at).days, chance)
    return given


def _first_answer(
    session: Session, app: App, now: datetime, escalation_id: int, rep: str, chance: random.Random
) -> int:
    if chance.random() > _PROMPT.get(rep, 0.6):
        return 0
    if chance.random() < 0.72:
        answer(session, app.playbook, now, escalation_id, Answer.ACCEPT)
    else:
        why = chance.choice(("no_project", "no_budget", "too_late", "not_a_fit"))
        answer(session, app.playbook, now, escalation_id, Answer.REJECT, reason=why)
    return 1


def _conclude(session: Session, app: App, now: datetime, escalation_id: int, days: int, chance: random.Random) -> int:
    if days < 4 or chance.random() > 0.12:
        return 0
    if chance.random() < 0.6:
        amount = chance.randrange(6, 31) * 1000_00
        answer(session, app.playbook, now, escalation_id, Answer.WON, amount=amount)
    else:
        answer(session, app.playbook, now, escalation_id, Answer.LOST, reason="price")
    return 1
