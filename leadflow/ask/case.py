"""What stands first between a person and a mail: the reason, the step it meets, the mail it stopped."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, select
from sqlalchemy.orm import Session

from leadflow.ask.person import Subject
from leadflow.ask.scores import Scored
from leadflow.conditions.evaluate import View
from leadflow.eligibility import reason_tonight
from leadflow.models import enrolment, message, verdict
from leadflow.playbook.model import Playbook, Sequence
from leadflow.steps.base import Step
from leadflow.types import EnrolmentState, MessageState, Reason, micros

_OVER = (MessageState.FAILED, MessageState.SUPPRESSED, MessageState.UNKNOWN)
#: Of several places the one nearest to a mail is spoken of.
_NEARNESS = {EnrolmentState.ACTIVE: 0, EnrolmentState.PAUSED: 1, EnrolmentState.PARKED: 2, EnrolmentState.ENDED: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One person whom something stops, as the last sweep left them."""

    session: Session
    playbook: Playbook
    subject: Subject
    scored: Scored
    #: `now` is the sweep's instant.
    view: View
    reason: Reason
    #: The enrolment nearest to a mail, with its verdict (`verdict`, `since`, `until`); None in no sequence.
    place: RowMapping | None
    #: The mail that was planned and did not leave.
    mail: RowMapping | None = None

    @property
    def sequence(self) -> Sequence | None:
        """Today's file of the sequence they stand in."""
        return self.playbook.sequence(self.place["sequence"]) if self.place else None

    @property
    def step(self) -> Step | None:
        """Today's file of their present step."""
        name = self.place["step"] if self.place else None
        return self.sequence.step(name) if self.sequence and name else None


def case_of(session: Session, playbook: Playbook, subject: Subject, scored: Scored, view: View) -> Case | None:
    """The first thing that stops the next mail; None when one is on its way or has just left."""
    mail = _stopped(session, subject, view.now)
    reason = Reason(mail["reason"]) if mail else reason_tonight(session, playbook, view.now, subject.lead_id)
    if reason is None:
        return None
    return Case(
        session=session,
        playbook=playbook,
        subject=subject,
        scored=scored,
        view=view,
        reason=reason,
        place=_place(session, subject, reason, mail),
        mail=mail,
    )


def _stopped(session: Session, subject: Subject, looked: datetime) -> RowMapping | None:
    """The newest mail, if it was to leave after that sweep and did not: no sweep has spoken of it yet."""
    mine = (message.c.lead_id == subject.lead_id, message.c.planned_at <= micros(looked))
    newest = select(message).where(*mine).order_by(message.c.planned_at.desc(), message.c.id.desc()).limit(1)
    row = session.execute(newest).mappings().one_or_none()
    over = row is not None and row["state"] in _OVER and row["reason"] and row["send_at"] >= looked
    return row if over and not _settled(row, looked) else None


def _settled(row: Any, looked: datetime) -> bool:
    """Cancelled by the sweep itself, which then says why of the person."""
    return bool(row["planned_at"] < looked and row["state"] == MessageState.SUPPRESSED and row["attempts"] == 0) and (
        row["reason"] in (Reason.WITH_SALES, Reason.PAUSED, Reason.PARKED, Reason.CUSTOMER, Reason.DISQUALIFIED)
    )


def _place(session: Session, subject: Subject, reason: Reason, mail: RowMapping | None) -> RowMapping | None:
    columns = (verdict.c.reason.label("verdict"), verdict.c.since, verdict.c.until)
    mine = (enrolment.c.lead_id == subject.lead_id, enrolment.c.entered_at <= subject.at)
    query = select(enrolment, *columns).outerjoin(verdict, verdict.c.enrolment_id == enrolment.c.id).where(*mine)
    rows = session.execute(query.order_by(enrolment.c.entered_at.desc(), enrolment.c.id.desc())).mappings().all()

    def nearness(row: RowMapping) -> tuple[bool, bool, int]:
        of_mail = mail is not None and row["id"] == mail["enrolment_id"]
        return not of_mail, row["verdict"] != reason, _NEARNESS[EnrolmentState(row["state"])]

    return min(rows, key=nearness, default=None)
