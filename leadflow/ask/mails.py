"""What a person was sent, what became of it, and what they did with it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, select
from sqlalchemy.orm import Session

from leadflow.ask.choice import chosen_words
from leadflow.ask.dates import clock_of, date_of, short_of
from leadflow.ask.person import Subject
from leadflow.ask.section import Section
from leadflow.ask.words import delivery_words, doubt_words, reason_words
from leadflow.conditions.evaluate import View
from leadflow.models import decision, event, message
from leadflow.playbook.model import Playbook
from leadflow.text import _
from leadflow.types import CLICK_WEIGHT, Click, Delivery, MessageState, Reason

_SHOWN = 20
#: Under the name of the mail.
_UNDER = " " * 19
#: (kind, `sequence/step`) → the last such decision.
Record = Mapping[tuple[str, str], Any]
_ENDED = (MessageState.FAILED, MessageState.SUPPRESSED)
_LEFT = (MessageState.ACCEPTED, MessageState.UNKNOWN)


def mails_section(session: Session, playbook: Playbook, subject: Subject, view: View) -> Section:
    """One line a message planned by the subject's instant, the newest last; below it from which it was chosen."""
    query = (
        select(message)
        .where(message.c.lead_id == subject.lead_id, message.c.planned_at <= subject.at)
        .order_by(message.c.planned_at.desc(), message.c.id.desc())
    )
    rows = session.execute(query.limit(_SHOWN)).mappings().all()
    acts, record = _acts(session, subject, view), _record(session, subject)
    lines: list[str] = []
    for row in reversed(rows):
        lines.append(_line(row, acts.get(row["id"], ""), record, subject.at, view))
        below = (
            chosen_words(session, playbook, row, view),
            _texts(row, record),
            _doubt(row, record, subject.at, view),
        )
        lines += [_UNDER + words for words in below if words]
    return Section(title=_("MAILS"), lines=tuple(lines) or (_("none yet"),))


def _line(row: RowMapping, acts: str, record: Record, at: datetime, view: View) -> str:
    left = row["sent_at"] is not None and row["sent_at"] <= at
    when = short_of(row["sent_at"], view) if left else date_of(row["send_at"], view)
    text = ", ".join(filter(None, (row["language"], row["variant"])))
    email = f"{row['email']} ({text})"
    return f"{when:<18} {email:<38} {_outcome(row, record, at, view)}{acts}"


def _outcome(row: RowMapping, record: Record, at: datetime, view: View) -> str:
    """What was known of it by `at`."""
    state = MessageState(row["state"])
    if state in _LEFT and row["sent_at"] is not None and row["sent_at"] <= at:
        news = row["delivery"] if row["delivery_at"] is not None and row["delivery_at"] <= at else None
        told = _state_words(state)
        return told if news is None else f"{told}, {delivery_words(Delivery(news))}"
    over = record.get(("suppress", _subject(row)))
    if state in _ENDED and (over.at if over else row["planned_at"]) <= at:
        return _not_sent(row, over.at if over else None, view)
    if state is MessageState.SENDING:
        return _("on its way")
    return _("planned for {time}").format(time=clock_of(row["send_at"], view))


def _not_sent(row: RowMapping, cancelled: datetime | None, view: View) -> str:
    """`NOT SENT: planned on 21 March for 09:00, cancelled 23 March 04:15, reason: with sales`."""
    reason = reason_words(Reason(row["reason"])) if row["reason"] else "–"
    planned = _("planned on {date} for {time}").format(
        date=date_of(row["planned_at"], view), time=clock_of(row["send_at"], view)
    )
    if cancelled is None:
        return _("NOT SENT: {planned}, reason: {reason}").format(planned=planned, reason=reason)
    return _("NOT SENT: {planned}, cancelled {at}, reason: {reason}").format(
        planned=planned, at=short_of(cancelled, view), reason=reason
    )


def _texts(row: RowMapping, record: Record) -> str:
    """Both versions, where the text was merged after the mail was planned."""
    planned = record.get(("plan", _subject(row)))
    if planned is None or planned.playbook == row["playbook"]:
        return ""
    return _("planned with the text of playbook {before}, goes out with that of {after}").format(
        before=planned.playbook[:6], after=row["playbook"][:6]
    )


def _doubt(row: RowMapping, record: Record, at: datetime, view: View) -> str:
    """How an attempt without an answer was settled, or who had the mail sent again, whichever came last."""
    taken = (record.get((kind, _subject(row))) for kind in ("reconcile", "resend"))
    known = [found for found in taken if found is not None and found.at <= at]
    last = max(known, key=lambda found: found.at, default=None)
    return "" if last is None else f"{doubt_words(last.kind, last.reason, last.detail)} ({short_of(last.at, view)})"


def _subject(row: RowMapping) -> str:
    return f"{row['sequence']}/{row['step']}"


def _record(session: Session, subject: Subject) -> Record:
    """The last decision to plan, to cancel, to settle and to send again each step's mail."""
    kinds = decision.c.kind.in_(["plan", "suppress", "reconcile", "resend"])
    mine = (decision.c.lead_id == subject.lead_id, kinds)
    query = select(decision.c.kind, decision.c.subject, decision.c.at, decision.c.playbook).where(*mine)
    query = query.add_columns(decision.c.reason, decision.c.detail)
    return {(row.kind, row.subject): row for row in session.execute(query.order_by(decision.c.at))}


def _acts(session: Session, subject: Subject, view: View) -> Mapping[int, str]:
    """Message → what the person did with it by then; clicks of machines are not theirs."""
    columns = (event.c.message_id, event.c.kind, event.c.weight, event.c.occurred_at)
    mine = (event.c.lead_id == subject.lead_id, event.c.message_id.is_not(None), event.c.weight > 0)
    seen = (event.c.occurred_at < subject.at, event.c.received_at < subject.at)
    kinds = event.c.kind.in_(["email_clicked", "email_replied"])
    found: dict[int, dict[str, str]] = {}
    for row in session.execute(select(*columns).where(*mine, *seen, kinds).order_by(event.c.occurred_at)):
        found.setdefault(row.message_id, {}).setdefault(
            _act_words(row), _("on {date}").format(date=date_of(row.occurred_at, view))
        )
    return {key: "".join(f", {words} {on}" for words, on in acts.items()) for key, acts in found.items()}


def _act_words(row: Any) -> str:
    if row.kind == "email_replied":
        return _("replied")
    return _("clicked (human)") if row.weight > CLICK_WEIGHT[Click.UNKNOWN] else _("clicked (perhaps)")


def _state_words(state: MessageState) -> str:
    return _("accepted") if state is MessageState.ACCEPTED else _("perhaps sent")
