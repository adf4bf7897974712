"""Where a person stands in each sequence, the first thing that blocks the next mail, and when it lifts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping, Select, select
from sqlalchemy.orm import Session

from leadflow.ask.person import Subject
from leadflow.ask.section import Section, day, minute
from leadflow.ask.words import end_words, reason_words
from leadflow.conditions.evaluate import View
from leadflow.conditions.sources import live_sources
from leadflow.eligibility import planning_blocks, reason_tonight
from leadflow.models import consent, enrolment, escalation, identity, lead, lead_state, message, suppression, verdict
from leadflow.playbook.model import Playbook
from leadflow.text import _
from leadflow.types import EnrolmentEnd, EnrolmentState, MessageState, Purpose, Reason, instant_of, micros

_R = Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class NextMail:
    """The answer in words, and the instant at which the block lifts of itself, where it does."""

    section: Section
    lifts: datetime | None = None
    #: The caps and the window say when the mail leaves, not when it is planned.
    leaves_then: bool = False


def next_mail(session: Session, playbook: Playbook, subject: Subject, view: View) -> NextMail:
    """As things stand now: what may be asked about the last sweep, not about a past one."""
    standing = [*_checks(session, playbook, subject, view), *_standing(session, subject, view)]
    due = select(message.c.send_at, message.c.email).where(
        message.c.lead_id == subject.lead_id, message.c.state.in_([MessageState.PLANNED, MessageState.CLAIMED])
    )
    planned = session.execute(due.order_by(message.c.send_at).limit(1)).one_or_none()
    if planned is not None:
        leaves = _("→ {email} leaves on {at}").format(email=planned.email, at=minute(planned.send_at, view.zone))
        return NextMail(section=Section(title=_("NEXT MAIL"), lines=(*standing, leaves)))
    reason = reason_tonight(session, playbook, view.now, subject.lead_id)
    if reason is None:
        return NextMail(section=Section(title=_("NEXT MAIL"), lines=tuple(standing)))
    lifts = _lifts_at(session, playbook, subject, reason)
    block = _("✗ first block: {reason}").format(reason=reason_words(reason))
    words = "→ " + _lifts(session, subject, view, reason, lifts)
    return NextMail(
        section=Section(title=_("NEXT MAIL"), lines=(*standing, block, words)),
        lifts=lifts if reason in (Reason.NOT_DUE, Reason.PRESSURE, Reason.WINDOW) else None,
        leaves_then=reason in (Reason.PRESSURE, Reason.WINDOW),
    )


def would_get(session: Session, playbook: Playbook, lead_id: int, night: datetime) -> str:
    """What a sweep at `night` has just planned for the person, or why nothing."""
    zone = ZoneInfo(playbook.office.zone)
    mine = (message.c.lead_id == lead_id, message.c.planned_at == night, message.c.state == MessageState.PLANNED)
    row = session.execute(select(message.c.email, message.c.language, message.c.send_at).where(*mine)).one_or_none()
    if row is not None:
        told = _("then, if nothing else happens: {email} ({language}) on {at}")
        return told.format(email=row.email, language=row.language, at=minute(row.send_at, zone))
    reason = reason_tonight(session, playbook, night, lead_id)
    words = reason_words(reason) if reason else "–"
    return _("then, if nothing else happens, still no mail on {date}: {reason}").format(
        date=day(night, zone), reason=words
    )


def _checks(session: Session, playbook: Playbook, subject: Subject, view: View) -> Iterator[str]:
    """✓ what does not stand in the way of any mail; ✗ what does."""
    sources = live_sources(playbook.vocabulary, zone=view.zone)
    blocks = planning_blocks(playbook, sources, view.now, Purpose.NURTURE)
    asked = select(*(holds.label(f"b{i}") for i, (_reason, holds) in enumerate(blocks)))
    row = session.execute(asked.select_from(sources.from_).where(sources.lead_id == subject.lead_id)).one()
    stopped = [reason for (reason, _holds), holds in zip(blocks, row, strict=True) if holds]
    yield "   ".join(f"✓ {words}" for words, reasons in _groups(subject) if not {*reasons} & {*stopped})
    for reason in dict.fromkeys(stopped):
        yield f"✗ {reason_words(reason)}"


def _groups(subject: Subject) -> Sequence[tuple[str, tuple[Reason, ...]]]:
    row = subject.row
    known = (row["basis"], row["source"], row["informed_on"] and _("informed {date}").format(date=row["informed_on"]))
    basis = _("legal basis: {basis}").format(basis=", ".join(str(part).replace("_", " ") for part in known if part))
    return (
        (_("address works"), (_R.NO_ADDRESS, _R.BOUNCED, _R.INVALID_ADDRESS)),
        (_("subscribed"), (_R.UNSUBSCRIBED, _R.COMPLAINED, _R.OBJECTED, _R.NO_MAIL_FLAG)),
        (basis, (_R.NO_BASIS,)),
        (_("not on a never list"), (_R.NEVER_LIST,)),
        (_("not with sales"), (_R.WITH_SALES, _R.OPEN_DEAL, _R.CUSTOMER, _R.DISQUALIFIED)),
    )


def _standing(session: Session, subject: Subject, view: View) -> Iterator[str]:
    query = (
        select(enrolment, verdict.c.reason.label("verdict"), verdict.c.since.label("since"))
        .outerjoin(verdict, verdict.c.enrolment_id == enrolment.c.id)
        .where(enrolment.c.lead_id == subject.lead_id)
        .order_by(enrolment.c.ended_at.is_(None), enrolment.c.entered_at, enrolment.c.id)
    )
    for row in session.execute(query).mappings():
        yield _stands(row, view)


def _stands(row: RowMapping, view: View) -> str:
    place = f"{row['sequence']} / {row['step'] or row['position'] or '–'}"
    if row["ended_at"] is not None:
        why = end_words(EnrolmentEnd(row["end_reason"])) if row["end_reason"] else "–"
        return _("{sequence}: ended {date}, {reason}").format(
            sequence=row["sequence"], date=day(row["ended_at"], view.zone), reason=why
        )
    if row["state"] == EnrolmentState.PAUSED:
        return _("{place}: on hold since {date} ({reason})").format(
            place=place, date=day(row["paused_at"], view.zone), reason=reason_words(Reason(row["pause_reason"]))
        )
    if row["state"] == EnrolmentState.PARKED:
        return _("{place}: no file has this step any more").format(place=place)
    due = minute(row["due_at"], view.zone) if row["due_at"] else "–"
    if row["verdict"]:
        return _("{place}: due since {date}, waits since {since} ({reason})").format(
            place=place, date=due, since=day(row["since"], view.zone), reason=reason_words(Reason(row["verdict"]))
        )
    return _("{place}: due {date}").format(place=place, date=due)


def _lifts_at(session: Session, playbook: Playbook, subject: Subject, reason: Reason) -> datetime | None:
    """The instant, where the record knows it."""
    live = (
        select(verdict.c.until, enrolment.c.due_at)
        .select_from(enrolment.outerjoin(verdict, verdict.c.enrolment_id == enrolment.c.id))
        .where(enrolment.c.lead_id == subject.lead_id, enrolment.c.state == EnrolmentState.ACTIVE)
    )
    match reason:
        case Reason.PRESSURE | Reason.WINDOW:
            return session.scalar(live.with_only_columns(verdict.c.until).where(verdict.c.reason == reason).limit(1))
        case Reason.NOT_DUE:
            later = live.with_only_columns(enrolment.c.due_at).where(enrolment.c.due_at > subject.at)
            return session.scalar(later.order_by(enrolment.c.due_at).limit(1))
        case Reason.RESTING:
            return session.scalar(select(lead_state.c.rest_until).where(lead_state.c.lead_id == subject.lead_id))
        case Reason.WITH_SALES:
            opened = session.scalar(_open_handover(subject).with_only_columns(escalation.c.opened_at))
            return instant_of(micros(opened) + playbook.sales.no_answer.after) if opened else None
        case _:
            return None


def _lifts(session: Session, subject: Subject, view: View, reason: Reason, at: datetime | None) -> str:
    match reason:
        case Reason.PRESSURE | Reason.WINDOW if at is not None:
            return _("lifts on {at}").format(at=minute(at, view.zone))
        case Reason.PRESSURE | Reason.WINDOW | Reason.OUTRANKED:
            return _("lifts when the mail before it has left")
        case Reason.NOT_DUE if at is not None:
            return _("due on {at}").format(at=minute(at, view.zone))
        case Reason.NOT_DUE:
            return _("the next sweep goes on")
        case Reason.WITH_SALES:
            rep = session.scalar(_open_handover(subject).with_only_columns(escalation.c.rep))
            until = minute(at, view.zone) if at else "–"
            return _("lifts when {rep} gives the lead back, or on {at} without an answer").format(rep=rep, at=until)
        case Reason.UNSUBSCRIBED | Reason.COMPLAINED | Reason.BOUNCED | Reason.INVALID_ADDRESS | Reason.OBJECTED:
            return _("never lifts by itself; so since {at}").format(at=_since(session, subject, view))
        case Reason.RAMP:
            return _("lifts when the ramp of the sequence reaches this person")
        case Reason.NO_BASIS:
            return _("lifts with a legal basis, a source and the day the person was told")
        case Reason.FINISHED | Reason.NO_MAIL_LEFT | Reason.NO_SEQUENCE:
            return _("lifts with a sequence they match, or new content")
        case Reason.PAUSED:
            return _("lifts when the sequence's entry holds again")
        case _:
            return _("lifts when that changes")


def _open_handover(subject: Subject) -> Select[tuple[int]]:
    mine = (escalation.c.lead_id == subject.lead_id, escalation.c.closed_at.is_(None))
    return select(escalation.c.id).where(*mine).limit(1)


def _since(session: Session, subject: Subject, view: View) -> str:
    address = select(lead.c.address_id).where(lead.c.id == subject.lead_id).scalar_subquery()
    hashed = select(identity.c.hash).where(identity.c.id == address).scalar_subquery()
    at = session.scalar(select(suppression.c.at).where(suppression.c.address_hash == hashed))
    withdrawn = select(consent.c.at).where(consent.c.lead_id == subject.lead_id, consent.c.state == "withdrawn")
    at = at or session.scalar(withdrawn.order_by(consent.c.at.desc()).limit(1))
    return day(at, view.zone) if at else "–"
