"""What comes next for a person: where they stand, the first thing that blocks the next mail, and when it lifts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, select
from sqlalchemy.orm import Session

from leadflow.ask.block import Block, block_of
from leadflow.ask.case import Case, case_of
from leadflow.ask.dates import date_of, moment_of, weekday_of
from leadflow.ask.person import Subject
from leadflow.ask.scores import Scored
from leadflow.ask.words import end_words, reason_words
from leadflow.conditions.dates import iso_words
from leadflow.conditions.evaluate import View
from leadflow.eligibility import held, reason_tonight
from leadflow.eligibility.blocks import PERSONAL
from leadflow.models import enrolment, message, verdict
from leadflow.playbook.model import Playbook
from leadflow.text import _
from leadflow.types import EnrolmentEnd, EnrolmentState, MessageState, Reason

_R = Reason
_GOING = (MessageState.PLANNED, MessageState.CLAIMED, MessageState.SENDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class NextMail:
    """The answer in parts: `why` prints all of them, `why --not` the ticks and the block."""

    ticks: tuple[str, ...]
    standing: tuple[str, ...]
    #: A mail that leaves, or has left since the sweep.
    going: str | None = None
    block: Block | None = None

    def lines(self, then: str | None) -> tuple[str, ...]:
        """All of it; `then` is what would leave once the block has lifted."""
        ends = self.block.lines(then) if self.block else ()
        return (*self.standing, *([self.going] if self.going else []), *ends)


def next_mail(session: Session, playbook: Playbook, subject: Subject, scored: Scored, view: View) -> NextMail:
    """As things stand now: what may be asked about the last sweep, not about a past one."""
    case, standing = case_of(session, playbook, subject, scored, view), tuple(_standing(session, subject, view))
    going = _going(session, subject, view)
    if case is None or (going and case.mail is None and case.reason is not Reason.OUTRANKED):
        return NextMail(ticks=_ticks(subject, view, None), standing=standing, going=going)
    return NextMail(ticks=_ticks(subject, view, case), standing=standing, block=block_of(case))


def _going(session: Session, subject: Subject, view: View) -> str | None:
    """The mail that this sweep or an earlier one sent on its way and that has not left, or left since."""
    mine = (message.c.lead_id == subject.lead_id, message.c.planned_at <= view.now)
    flying = select(message).where(*mine, message.c.state.in_(_GOING)).order_by(message.c.send_at).limit(1)
    row = session.execute(flying).mappings().one_or_none()
    if row is not None and session.scalar(select(held(message.c.planned_at)).where(message.c.id == row["id"])):
        return "→ " + _("{email} was planned on {date}; the brake holds that night until leadflow approve").format(
            email=row["email"], date=weekday_of(row["planned_at"], view)
        )
    if row is not None:
        return "→ " + _("{email} leaves {date}").format(email=row["email"], date=moment_of(row["send_at"], view))
    tonight = select(message).where(*mine, message.c.planned_at == view.now, message.c.sent_at.is_not(None)).limit(1)
    row = session.execute(tonight).mappings().one_or_none()
    if row is None or row["state"] != MessageState.ACCEPTED:
        return None
    return "→ " + _("{email} left {date}").format(email=row["email"], date=moment_of(row["sent_at"], view))


@dataclass(frozen=True, slots=True, kw_only=True)
class Would:
    """What a night that was only tried would do for somebody."""

    night: datetime
    email: str | None = None
    leaves: datetime | None = None
    reason: Reason | None = None

    def words(self, view: View) -> str:
        """`would then get what-buyers-compare Tue 24 March at 09:44`."""
        if self.email is not None and self.leaves is not None:
            return _("would then get {email} {date}").format(email=self.email, date=moment_of(self.leaves, view))
        why = reason_words(self.reason) if self.reason else "–"
        return _("then still no mail on {date}: {reason}").format(date=weekday_of(self.night, view), reason=why)


def would_get(session: Session, playbook: Playbook, lead_id: int, night: datetime) -> Would:
    """What a sweep at `night` has just planned for the person, or why nothing."""
    mine = (message.c.lead_id == lead_id, message.c.planned_at == night, message.c.state == MessageState.PLANNED)
    row = session.execute(select(message.c.email, message.c.send_at).where(*mine)).first()
    if row is not None:
        return Would(night=night, email=row.email, leaves=row.send_at)
    return Would(night=night, reason=reason_tonight(session, playbook, night, lead_id))


def _ticks(subject: Subject, view: View, case: Case | None) -> tuple[str, ...]:
    """✓ what does not stand in the way, up to the first block."""
    passed: list[str] = []
    for words, reasons in _groups(subject, view):
        if case is not None and case.reason in reasons:
            return ("   ".join(passed),) if passed else ()
        passed.append(f"✓ {words}")
    place = _place_tick(case) if case is not None and case.reason not in PERSONAL else None
    return ("   ".join(passed), *([place] if place else []))


def _place_tick(case: Case) -> str | None:
    """Their step is due: what blocks it lies in the mail or its hour."""
    place = case.place
    if place is None or place["state"] != EnrolmentState.ACTIVE or place["verdict"] is None:
        return None
    return "✓ " + _('in "{sequence}", step {step} is due since {date}').format(
        sequence=place["sequence"], step=place["step"], date=date_of(place["due_at"], case.view)
    )


def _groups(subject: Subject, view: View) -> Sequence[tuple[str, tuple[Reason, ...]]]:
    """In the order in which a sweep looks."""
    row, today = subject.row, view.now.astimezone(view.zone).date()
    told = row["informed_on"] and _("informed {date}").format(date=iso_words(row["informed_on"], today))
    known = (_basis_words(row["basis"]), row["source"], told)
    basis = _("legal basis: {basis}").format(basis=", ".join(str(part) for part in known if part))
    return (
        (_("address works"), (_R.NO_ADDRESS, _R.BOUNCED, _R.INVALID_ADDRESS)),
        (_("subscribed"), (_R.UNSUBSCRIBED, _R.COMPLAINED, _R.OBJECTED, _R.NO_MAIL_FLAG)),
        (basis, (_R.NO_BASIS,)),
        (_("not on a never list"), (_R.NEVER_LIST,)),
        (_("not with sales"), (_R.WITH_SALES, _R.OPEN_DEAL, _R.CUSTOMER, _R.DISQUALIFIED)),
    )


def _basis_words(basis: str | None) -> str:
    words = {
        "consent": _("consent"),
        "legitimate_interest": _("legitimate interest"),
        "customer": _("customer"),
    }
    return words.get(basis or "", basis or "")


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
            sequence=row["sequence"], date=date_of(row["ended_at"], view), reason=why
        )
    if row["state"] == EnrolmentState.PAUSED:
        return _("{place}, on hold since {date}").format(place=place, date=date_of(row["paused_at"], view))
    if row["state"] == EnrolmentState.PARKED:
        return _("{place}: no file has this step any more").format(place=place)
    due = moment_of(row["due_at"], view) if row["due_at"] else "–"
    if row["verdict"]:
        return _("{place}: due since {date}").format(place=place, date=due)
    return _("{place}: due {date}").format(place=place, date=due)
