"""Takes hand-overs back whose signals turned out to be a machine's: the lead goes on as if nobody had been asked."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, Select, literal, select, update
from sqlalchemy.orm import Session

from leadflow.db import Word, json_object
from leadflow.errors import ProviderError
from leadflow.models import account, escalation, lead, lead_state
from leadflow.pipeline.alert_blocks import one_line
from leadflow.pipeline.alert_text import spoken_to
from leadflow.pipeline.alerts import rep_of
from leadflow.pipeline.decisions import record_decisions
from leadflow.playbook.model import Playbook
from leadflow.ports import Alert, AlertChannel
from leadflow.text import _
from leadflow.types import EscalationState, micros

_log = logging.getLogger(__name__)


def recall_handovers(session: Session, playbook: Playbook, now: datetime, ids: Sequence[int]) -> int:
    """Close these hand-overs as recalled; no rest, nothing spent: the person did nothing wrong. How many were open."""
    mine = escalation.c.id.in_(ids) & escalation.c.closed_at.is_(None)
    rows = (
        select(
            escalation.c.lead_id,
            escalation.c.rule.label("subject"),
            literal(str(EscalationState.RECALLED), Word).label("reason"),
            json_object({"from": escalation.c.rep}).label("detail"),
        )
        .join(lead_state, lead_state.c.lead_id == escalation.c.lead_id)
        .where(mine)
    )
    record_decisions(session, rows, kind="escalate", now=now, playbook=playbook)
    whose = select(escalation.c.lead_id).where(mine)
    session.execute(update(lead_state).where(lead_state.c.lead_id.in_(whose)).values(with_sales=False))
    closed = session.execute(
        update(escalation).where(mine).values(state=EscalationState.RECALLED, closed_at=micros(now))
    )
    return int(closed.rowcount)  # type: ignore[attr-defined]


def tell_recalled(engine: Engine, playbook: Playbook, now: datetime, channel: AlertChannel) -> int:
    """Tell whoever was alerted of a hand-over that has been taken back since; how many were told.

    Marked after the telling, as alerts are: a process that dies between the two tells again.
    """
    with Session(engine) as session:
        rows = session.execute(_not_told()).all()
    return sum(_tell(engine, playbook, now, channel, row) for row in rows)


def _not_told() -> Select[Any]:
    """Hand-overs taken back after their salesperson had heard of them for the last time."""
    return (
        select(escalation.c.id, escalation.c.rep, lead.c.first_name, lead.c.last_name, account.c.name.label("company"))
        .join(lead, lead.c.id == escalation.c.lead_id)
        .outerjoin(account, account.c.id == lead.c.account_id)
        .where(escalation.c.state == EscalationState.RECALLED, escalation.c.alerted_at < escalation.c.closed_at)
        .order_by(escalation.c.id)
    )


def _tell(engine: Engine, playbook: Playbook, now: datetime, channel: AlertChannel, row: Row[Any]) -> int:
    try:
        channel.tell(_taken_back(playbook, row))
    except ProviderError as error:
        _log.error("nobody was told that hand-over %s is taken back: %s", row.id, type(error).__name__)
        return 0
    with Session(engine) as session, session.begin():
        session.execute(update(escalation).where(escalation.c.id == row.id).values(alerted_at=micros(now)))
    return 1


def _taken_back(playbook: Playbook, row: Row[Any]) -> Alert:
    rep = rep_of(playbook, row.rep)
    with spoken_to(rep, playbook):
        who = ", ".join(filter(None, (" ".join(filter(None, (row.first_name, row.last_name))), row.company)))
        return Alert(
            escalation_id=row.id,
            to=rep.name,
            url=rep.alert,
            title=_("Taken back: {who}").format(who=one_line(who) or row.id),
            body=_("The clicks behind this hand-over were a program's that checks links. There is nothing to do."),
        )
