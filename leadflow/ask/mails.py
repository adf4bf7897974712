"""What a person was sent, what became of it, and what they did with it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, func, select
from sqlalchemy.orm import Session

from leadflow.ask.person import Subject
from leadflow.ask.section import Section, day, minute
from leadflow.ask.words import reason_words
from leadflow.conditions.evaluate import View
from leadflow.models import decision, event, message
from leadflow.text import _
from leadflow.types import CLICK_WEIGHT, Click, Delivery, MessageState, Reason

_SHOWN = 20
_ENDED = (MessageState.FAILED, MessageState.SUPPRESSED)
_LEFT = (MessageState.ACCEPTED, MessageState.UNKNOWN)


def mails_section(session: Session, subject: Subject, view: View) -> Section:
    """One line a message planned by the subject's instant, the newest last."""
    query = (
        select(message)
        .where(message.c.lead_id == subject.lead_id, message.c.planned_at <= subject.at)
        .order_by(message.c.planned_at.desc(), message.c.id.desc())
    )
    rows = session.execute(query.limit(_SHOWN)).mappings().all()
    acts, ends = _acts(session, subject, view), _ends(session, subject)
    lines = [_line(row, acts.get(row["id"], ""), ends, subject.at, view) for row in reversed(rows)]
    return Section(title=_("MAILS"), lines=tuple(lines) or (_("none yet"),))


def _line(row: RowMapping, acts: str, ends: Mapping[str, datetime], at: datetime, view: View) -> str:
    left = row["sent_at"] is not None and row["sent_at"] <= at
    when = row["sent_at"] if left else row["send_at"]
    email = f"{row['email']} ({row['language']})"
    among = row["chosen"].get("candidates")
    chosen = " · " + _("chosen from {n}").format(n=among) if among and among > 1 else ""
    return f"{minute(when, view.zone)}  {email:<34} {_outcome(row, ends, at)}{acts}{chosen}"


def _outcome(row: RowMapping, ends: Mapping[str, datetime], at: datetime) -> str:
    """What was known of it by `at`."""
    state = MessageState(row["state"])
    if state in _LEFT and row["sent_at"] is not None and row["sent_at"] <= at:
        news = row["delivery"] if row["delivery_at"] is not None and row["delivery_at"] <= at else None
        told = _state_words(state)
        return told if news is None else f"{told}, {_delivery_words(Delivery(news))}"
    if state in _ENDED and ends.get(f"{row['sequence']}/{row['step']}", row["planned_at"]) <= at:
        reason = reason_words(Reason(row["reason"])) if row["reason"] else "–"
        return _("NOT SENT: {reason}").format(reason=reason)
    return _("on its way") if state is MessageState.SENDING else _("planned")


def _ends(session: Session, subject: Subject) -> Mapping[str, datetime]:
    """`sequence/step` → when its message was last cancelled."""
    mine = (decision.c.lead_id == subject.lead_id, decision.c.kind == "suppress")
    query = select(decision.c.subject, func.max(decision.c.at)).where(*mine).group_by(decision.c.subject)
    return {row[0]: row[1] for row in session.execute(query)}


def _acts(session: Session, subject: Subject, view: View) -> Mapping[int, str]:
    """Message → what the person did with it by then; clicks of machines are not theirs."""
    columns = (event.c.message_id, event.c.kind, event.c.weight, event.c.occurred_at)
    mine = (event.c.lead_id == subject.lead_id, event.c.message_id.is_not(None), event.c.weight > 0)
    seen = (event.c.occurred_at < subject.at, event.c.received_at < subject.at)
    kinds = event.c.kind.in_(["email_clicked", "email_replied"])
    found: dict[int, dict[str, str]] = {}
    for row in session.execute(select(*columns).where(*mine, *seen, kinds).order_by(event.c.occurred_at)):
        found.setdefault(row.message_id, {}).setdefault(_act_words(row), day(row.occurred_at, view.zone))
    return {key: "".join(f", {words} {on}" for words, on in acts.items()) for key, acts in found.items()}


def _act_words(row: Any) -> str:
    if row.kind == "email_replied":
        return _("replied")
    return _("clicked (human)") if row.weight > CLICK_WEIGHT[Click.UNKNOWN] else _("clicked (perhaps)")


def _state_words(state: MessageState) -> str:
    return _("accepted") if state is MessageState.ACCEPTED else _("perhaps sent")


def _delivery_words(delivery: Delivery) -> str:
    return {
        Delivery.PROCESSED: _("processed"),
        Delivery.DEFERRED: _("deferred by their server"),
        Delivery.DELIVERED: _("delivered"),
        Delivery.BLOCKED: _("blocked by their server"),
        Delivery.BOUNCED: _("bounced"),
        Delivery.UNSUBSCRIBED: _("delivered, unsubscribed"),
        Delivery.COMPLAINED: _("delivered, complained"),
    }[delivery]
