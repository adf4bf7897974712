"""What an answer to a mail does: the sequence it came from ends, and whoever cares for the person is told the words."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, literal, select, update
from sqlalchemy.orm import Session

from leadflow.db import Word, insert_into
from leadflow.errors import ProviderError
from leadflow.models import account, enrolment, escalation, event, lead, message, reply
from leadflow.pipeline.alert_blocks import one_line
from leadflow.pipeline.alert_text import spoken_to
from leadflow.pipeline.alerts import rep_of
from leadflow.pipeline.decisions import record_decisions, subject_of
from leadflow.pipeline.scope import in_scope
from leadflow.playbook.model import Playbook
from leadflow.ports import Alert, AlertChannel
from leadflow.text import _
from leadflow.types import EnrolmentEnd, EnrolmentState, MessageState, Reason, Scope, micros

_log = logging.getLogger(__name__)
#: Answers are looked at again for so long: the sweep that read one may have been cut off.
_LOOKED_AT = timedelta(days=30)


def keep_replies(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Keep the words of these answers until they are told; each once."""
    if rows:
        session.execute(insert_into(session, reply).on_conflict_do_nothing(), list(rows))


def stop_answered(session: Session, playbook: Playbook, now: datetime, scope: Scope) -> int:
    """End the enrolments whose mail was answered before `now`, and take back what they had planned; how many."""
    ended = select(enrolment.c.id).where(enrolment.c.id.in_(_answered(now, scope)), enrolment.c.ended_at.is_(None))
    ids = session.scalars(ended).all()
    if not ids:
        return 0
    mine = enrolment.c.id.in_(ids)
    why = literal(str(EnrolmentEnd.REPLIED), Word).label("reason")
    rows = select(enrolment.c.lead_id, enrolment.c.sequence.label("subject"), why).where(mine)
    record_decisions(session, rows, kind="exit", now=now, playbook=playbook)
    values = {"state": EnrolmentState.ENDED, "ended_at": micros(now), "end_reason": EnrolmentEnd.REPLIED}
    session.execute(update(enrolment).where(mine).values(values))
    planned = message.c.enrolment_id.in_(ids) & message.c.state.in_((MessageState.PLANNED, MessageState.CLAIMED))
    exited = literal(str(Reason.EXITED), Word).label("reason")
    subject = subject_of(message.c.sequence, message.c.step).label("subject")
    taken = select(message.c.lead_id, subject, exited).where(planned)
    record_decisions(session, taken, kind="suppress", now=now, playbook=playbook)
    session.execute(update(message).where(planned).values(state=MessageState.SUPPRESSED, reason=Reason.EXITED))
    return len(ids)


def _answered(now: datetime, scope: Scope) -> Select[Any]:
    """Enrolments that a person has answered a mail of."""
    return (
        select(message.c.enrolment_id)
        .join(event, event.c.message_id == message.c.id)
        .where(event.c.kind == "email_replied", event.c.occurred_at >= micros(now - _LOOKED_AT))
        .where(event.c.occurred_at < micros(now), event.c.received_at < micros(now))
        .where(message.c.enrolment_id.is_not(None), in_scope(message.c.lead_id, scope))
    )


def tell_replies(session: Session, playbook: Playbook, now: datetime, channel: AlertChannel) -> int:
    """Tell each answer that waits to whoever cares for the person, and forget its words; how many were told.

    The hand-over's salesperson, else who knows the company, else the manager. One that cannot be told waits on.
    """
    told = 0
    for row in session.execute(_waiting(now)).all():
        try:
            channel.tell(_alert(playbook, row))
        except ProviderError as error:
            _log.error("nobody was told of an answer of lead %s: %s", row.lead_id, type(error).__name__)
            continue
        done = update(reply).where(reply.c.told_as == row.told_as)
        session.execute(done.values(told_at=micros(now), words=None, subject=None))
        session.commit()
        told += 1
    return told


def _waiting(now: datetime) -> Select[Any]:
    open_now = (escalation.c.lead_id == reply.c.lead_id) & escalation.c.closed_at.is_(None)
    names = (lead.c.first_name, lead.c.last_name, account.c.name.label("company"), message.c.email)
    whose = func.coalesce(escalation.c.rep, account.c.owner, "").label("rep")
    return (
        select(reply, *names, whose, func.coalesce(escalation.c.id, 0).label("escalation_id"))
        .select_from(
            reply.join(lead, lead.c.id == reply.c.lead_id)
            .outerjoin(account, account.c.id == lead.c.account_id)
            .outerjoin(message, message.c.id == reply.c.message_id)
            .outerjoin(escalation, open_now)
        )
        .where(reply.c.told_at.is_(None), reply.c.at <= micros(now))
        .order_by(reply.c.at, reply.c.told_as)
    )


def _alert(playbook: Playbook, row: Any) -> Alert:
    rep = rep_of(playbook, row.rep)
    with spoken_to(rep, playbook):
        name = " ".join(filter(None, (row.first_name, row.last_name)))
        who = one_line(", ".join(filter(None, (name, row.company)))) or f"L-{row.lead_id:04}"
        lines = [
            _("Answers the mail “{email}”.").format(email=row.email) if row.email else _("Answers one of our mails."),
            _("Subject: {subject}").format(subject=row.subject) if row.subject else "",
            "",
            row.words or _("(without words)"),
            "",
            _("The sequence has stopped: the next word is yours."),
        ]
        return Alert(
            escalation_id=row.escalation_id,
            to=rep.name,
            url=rep.alert,
            title=_("✉ {who} has answered").format(who=who),
            body="\n".join(lines),
        )
