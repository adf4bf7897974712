"""The decisions taken about a person, newest first, as they were recorded."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, select
from sqlalchemy.orm import Session

from leadflow.ask.dates import short_of
from leadflow.ask.person import Subject
from leadflow.ask.section import Section
from leadflow.ask.words import doubt_words, end_words, lifecycle_words, reason_words
from leadflow.conditions.evaluate import View
from leadflow.models import decision
from leadflow.text import _
from leadflow.types import EnrolmentEnd, Reason, instant_of

_SHOWN = 12


def record_section(session: Session, subject: Subject, view: View) -> Section:
    """The newest decisions by the subject's instant."""
    query = (
        select(decision)
        .where(decision.c.lead_id == subject.lead_id, decision.c.at <= subject.at)
        .order_by(decision.c.at.desc(), decision.c.kind, decision.c.subject)
        .limit(_SHOWN + 1)
    )
    rows = session.execute(query).mappings().all()
    lines = [f"{short_of(row['at'], view):<20} {said(row, view)}" for row in rows[:_SHOWN]]
    if len(rows) > _SHOWN:
        lines.append(_("… and earlier ones"))
    return Section(title=_("DECISIONS"), lines=tuple(lines) or (_("none yet"),))


def that_night(session: Session, subject: Subject, view: View) -> tuple[str, ...]:
    """What the last sweep by the subject's instant that decided anything about mails decided."""
    about_mail = decision.c.kind.in_(["plan", "skip", "suppress", "pause", "exit", "enrol", "resume"])
    mine = (decision.c.lead_id == subject.lead_id, decision.c.at <= subject.at, about_mail)
    last = session.scalar(select(decision.c.at).where(*mine).order_by(decision.c.at.desc()).limit(1))
    if last is None:
        return (_("nothing had been decided yet"),)
    query = select(decision).where(*mine, decision.c.at == last).order_by(decision.c.kind, decision.c.subject)
    same = last == subject.at
    head = _("decided at that sweep:") if same else _("last decided on {at}:").format(at=short_of(last, view))
    return (head, *(f"  {said(row, view)}" for row in session.execute(query).mappings()))


def said(row: RowMapping | Mapping[str, Any], view: View) -> str:
    """One decision in words."""
    subject, detail = row["subject"], row["detail"] or {}
    match row["kind"]:
        case "stage":
            return _("stage {before} → {after}").format(before=detail.get("before") or "–", after=subject)
        case "lifecycle":
            return _("now: {lifecycle}").format(lifecycle=lifecycle_words(subject))
        case "enrol":
            return _("entered {sequence}").format(sequence=subject)
        case "exit":
            return _("left {sequence}: {reason}").format(sequence=subject, reason=_end(row["reason"]))
        case "pause":
            return _("{sequence} stands still: {reason}").format(sequence=subject, reason=_why(row["reason"]))
        case "resume":
            return _("{sequence} goes on").format(sequence=subject)
        case "plan":
            return _planned(subject, detail, view)
        case "skip":
            return _("{step}: no mail, {reason}").format(step=subject, reason=_why(row["reason"]))
        case "suppress":
            return _("{step}: planned mail cancelled, {reason}").format(step=subject, reason=_why(row["reason"]))
        case "reconcile" | "resend":
            return f"{subject}: {doubt_words(row['kind'], row['reason'], detail)}"
        case "escalate":
            return _("handed over to {rep}: {rule}").format(rep=detail.get("rep") or "–", rule=subject)
        case kind:
            return f"{kind} {subject} {row['reason']}".rstrip()


def _planned(subject: str, detail: Mapping[str, Any], view: View) -> str:
    at = _instant(detail.get("send_at"))
    return _("{step}: {email} planned in {language} for {at}, chosen from {n}").format(
        step=subject,
        email=detail.get("email"),
        language=detail.get("language"),
        at=short_of(at, view) if at else "–",
        n=detail.get("candidates") or 1,
    )


def _instant(value: object) -> datetime | None:
    return instant_of(int(value)) if isinstance(value, int | str) else None


def _why(reason: str) -> str:
    return reason_words(Reason(reason)) if reason in {*Reason} else reason


def _end(reason: str) -> str:
    return end_words(EnrolmentEnd(reason)) if reason in {*EnrolmentEnd} else reason
