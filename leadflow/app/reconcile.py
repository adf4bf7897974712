"""Reconciliation of this workspace's outbox with the log of its provider."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leadflow.app.workspace import App
from leadflow.models import message
from leadflow.pipeline.reconcile import reconcile_messages
from leadflow.types import MessageState


def reconcile_due(app: App, now: datetime) -> Mapping[str, int]:
    """Settle the attempts nobody can speak for; counts by what became of them."""
    return reconcile_messages(app.engine, app.playbook, now, log=app.ports.log)


def doubtful(app: App) -> int:
    """Mails on their way without an answer, whatever their age, and unknown ones where somebody can still tell."""
    tellable = app.ports.log is not None or app.playbook.delivery.on_unknown == "resend"
    states = (MessageState.SENDING, *((MessageState.UNKNOWN,) if tellable else ()))
    with Session(app.engine) as session:
        return session.scalar(select(func.count()).select_from(message).where(message.c.state.in_(states))) or 0
