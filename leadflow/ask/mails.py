"""What a person was sent, what comes next, and the first thing that stands in its way."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping, select
from sqlalchemy.orm import Session

from leadflow.ask.person import Subject
from leadflow.ask.words import reason_words
from leadflow.eligibility import reason_tonight
from leadflow.models import consent, enrolment, escalation, identity, lead, message, suppression, verdict
from leadflow.playbook.model import Playbook, Sequence
from leadflow.text import _
from leadflow.types import EnrolmentState, MessageState, Reason


def mail_lines(session: Session, playbook: Playbook, subject: Subject) -> tuple[str, ...]:
    """One line a message planned by the subject's instant, oldest first."""
    query = (
        select(message)
        .where(message.c.lead_id == subject.lead_id, message.c.planned_at <= subject.at)
        .order_by(message.c.planned_at, message.c.id)
    )
    zone = ZoneInfo(playbook.office.zone)
    lines = [_mail_line(row, zone) for row in session.execute(query).mappings()]
    return tuple(lines) or (_("none yet"),)


def _mail_line(row: RowMapping, zone: ZoneInfo) -> str:
    at = (row["sent_at"] or row["send_at"]).astimezone(zone)
    news = row["state"] if row["delivery"] is None else f"{row['state']}, {row['delivery']}"
    if row["reason"]:
        news += f": {reason_words(Reason(row['reason']))}"
    if row["state"] == MessageState.PLANNED:
        news = _("planned")
    chosen = row["chosen"].get("candidates")
    among = " · " + _("chosen from {n}").format(n=chosen) if chosen else ""
    return f"{at:%Y-%m-%d %H:%M}  {row['email']:<28}{row['sequence']}/{row['step']}  {news}{among}"


def next_lines(session: Session, playbook: Playbook, subject: Subject, now: datetime) -> tuple[str, ...]:
    """Where the person stands in each sequence, the first block, and when it lifts."""
    lines = list(_standing(session, playbook, subject))
    planned = session.scalar(
        select(message.c.send_at)
        .where(message.c.lead_id == subject.lead_id, message.c.state == MessageState.PLANNED)
        .order_by(message.c.send_at)
        .limit(1)
    )
    zone = ZoneInfo(playbook.office.zone)
    if planned is not None:
        return (*lines, _("the next one leaves on {at}").format(at=f"{planned.astimezone(zone):%Y-%m-%d %H:%M}"))
    reason = reason_tonight(session, playbook, now, subject.lead_id)
    if reason is None:
        return tuple(lines)
    lines.append(_("✗ first block: {reason}").format(reason=reason_words(reason)))
    lines.append("→ " + _lifts(session, playbook, subject, reason))
    return tuple(lines)


def _standing(session: Session, playbook: Playbook, subject: Subject) -> Iterator[str]:
    query = (
        select(enrolment, verdict.c.reason.label("verdict"), verdict.c.until.label("until"))
        .outerjoin(verdict, verdict.c.enrolment_id == enrolment.c.id)
        .where(enrolment.c.lead_id == subject.lead_id, enrolment.c.entered_at <= subject.at)
        .order_by(enrolment.c.entered_at, enrolment.c.id)
    )
    for row in session.execute(query).mappings():
        sequence = playbook.sequence(row["sequence"])
        place = row["sequence"] if sequence is None else f"{sequence.name} / {_present(sequence, row['position'])}"
        if row["ended_at"] is not None:
            yield _("{sequence}: ended {date}, {reason}").format(
                sequence=row["sequence"], date=f"{row['ended_at']:%Y-%m-%d}", reason=row["end_reason"]
            )
        elif row["state"] == EnrolmentState.PAUSED:
            yield _("{place}: on hold since {date} ({reason})").format(
                place=place, date=f"{row['paused_at']:%Y-%m-%d}", reason=row["pause_reason"]
            )
        else:
            yield _("{place}: due {date}").format(
                place=place, date=f"{row['due_at']:%Y-%m-%d}" if row["due_at"] else "–"
            )


def _present(sequence: Sequence, position: str | None) -> str:
    names = [step.name for step in sequence.steps]
    if position is None:
        return names[0]
    return names[names.index(position) + 1] if position in names[:-1] else position


def _lifts(session: Session, playbook: Playbook, subject: Subject, reason: Reason) -> str:
    """When the block goes away, where the record knows it."""
    zone = ZoneInfo(playbook.office.zone)

    def day(at: Any) -> str:
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"

    match reason:
        case Reason.PRESSURE | Reason.WINDOW | Reason.OUTRANKED:
            until = session.scalar(_live(verdict.c.until, subject).where(verdict.c.reason == reason))
            return _("lifts on {at}").format(at=day(until)) if until else _("lifts when the mail before it has left")
        case Reason.NOT_DUE:
            due = session.scalar(_live(enrolment.c.due_at, subject).where(enrolment.c.due_at.is_not(None)))
            return _("due on {at}").format(at=day(due)) if due else _("due when the mail before it is accepted")
        case Reason.WITH_SALES:
            held = select(escalation.c.rep).where(escalation.c.lead_id == subject.lead_id)
            rep = session.scalar(held.where(escalation.c.closed_at.is_(None)))
            return _("lifts when {rep} rejects or loses it, or after 14 days without an answer").format(rep=rep)
        case Reason.UNSUBSCRIBED | Reason.COMPLAINED | Reason.BOUNCED | Reason.INVALID_ADDRESS | Reason.OBJECTED:
            return _("never lifts by itself: since {at}").format(at=_since(session, subject, day))
        case Reason.RAMP:
            return _("lifts when the ramp of the sequence reaches this person")
        case Reason.NO_BASIS:
            return _("lifts with a legal basis, a source and the day the person was told")
        case _:
            return _("lifts when that changes")


def _live(column: Any, subject: Subject) -> Any:
    return (
        select(column)
        .select_from(enrolment.outerjoin(verdict, verdict.c.enrolment_id == enrolment.c.id))
        .where(enrolment.c.lead_id == subject.lead_id, enrolment.c.ended_at.is_(None))
        .order_by(column)
        .limit(1)
    )


def _since(session: Session, subject: Subject, day: Any) -> str:
    address = select(lead.c.address_id).where(lead.c.id == subject.lead_id).scalar_subquery()
    hashed = select(identity.c.hash).where(identity.c.id == address).scalar_subquery()
    at = session.scalar(select(suppression.c.at).where(suppression.c.address_hash == hashed))
    withdrawn = select(consent.c.at).where(consent.c.lead_id == subject.lead_id, consent.c.state == "withdrawn")
    at = at or session.scalar(withdrawn.order_by(consent.c.at.desc()).limit(1))
    return day(at) if at else "–"
