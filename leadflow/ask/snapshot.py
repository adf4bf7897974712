"""What a rehearsed sweep left of everybody, small enough to hold two of them side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from leadflow.ask.dry import DryCell, dry_cells
from leadflow.models import enrolment, escalation, lead_score, lead_state, membership, message
from leadflow.playbook.model import Playbook
from leadflow.types import DAY, EnrolmentState, MessageState, micros

#: The same email within this long is the same email twice, whatever an edited `again_after` now says.
_AGAIN = 365 * DAY
_NIGHT_HOURS = (*range(7), 21, 22, 23)
_SENT = (MessageState.ACCEPTED, MessageState.UNKNOWN, MessageState.SENDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everybody after a sweep; ids are of leads."""

    #: (lead, band, stage), by lead.
    people: Sequence[tuple[int, str, str]]
    #: Segment → who is in it.
    segments: Mapping[str, frozenset[int]]
    #: Who gets which email tonight: (lead, email).
    mails: frozenset[tuple[int, str]]
    #: Lead → salesperson, of the hand-overs opened tonight.
    handovers: Mapping[int, str]
    #: The same, had nobody a limit.
    wanted: Mapping[int, str] = field(default_factory=dict)
    #: Who stands on a step that no file names.
    parked: frozenset[int]
    #: Who gets an email tonight that they had within a year: (lead, email).
    repeated: frozenset[tuple[int, str]]
    #: Email → mails planned before tonight that wait with a text of this playbook.
    texts: Mapping[tuple[str, str], int]
    #: How many of tonight's mails leave between 21:00 and 7:00 of the office.
    at_night: int = 0
    dry: tuple[DryCell, ...]
    #: Mails of tonight and of each night lived in thought after it.
    nights: Sequence[int] = ()


def snapshot(
    session: Session, playbook: Playbook, now: datetime, *, was: Mapping[str, str], wanted: Mapping[int, str]
) -> Snapshot:
    """What the sweep at `now` left; `was` names emails whose text had another name before."""
    mails = frozenset((lead_id, email) for lead_id, email in session.execute(_mails(now)))
    return Snapshot(
        people=[(lead_id, band, stage) for lead_id, band, stage in session.execute(_people())],
        segments=_segments(session),
        mails=mails,
        handovers=handovers(session, now),
        wanted=wanted,
        parked=frozenset(session.scalars(_parked())),
        repeated=_repeated(session, mails, now, was),
        texts={(email, version): n for email, version, n in session.execute(_waiting(now))},
        at_night=_at_night(session, playbook, now),
        dry=dry_cells(session, playbook, now),
    )


def handovers(session: Session, now: datetime) -> dict[int, str]:
    """Lead → salesperson, of those opened at `now`."""
    rows = select(escalation.c.lead_id, escalation.c.rep).where(escalation.c.opened_at == micros(now))
    return dict(tuple(row) for row in session.execute(rows))


def _people() -> Select[Any]:
    return (
        select(lead_state.c.lead_id, lead_score.c.band, lead_state.c.stage)
        .join(lead_score, lead_score.c.lead_id == lead_state.c.lead_id)
        .order_by(lead_state.c.lead_id)
    )


def _segments(session: Session) -> Mapping[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for name, lead_id in session.execute(
        select(membership.c.segment, membership.c.lead_id).where(membership.c.left_at.is_(None))
    ):
        found.setdefault(name, set()).add(lead_id)
    return {name: frozenset(inside) for name, inside in found.items()}


def _mails(now: datetime) -> Select[Any]:
    return select(message.c.lead_id, message.c.email).where(
        message.c.planned_at == micros(now), message.c.state == MessageState.PLANNED
    )


def _at_night(session: Session, playbook: Playbook, now: datetime) -> int:
    zone = ZoneInfo(playbook.office.zone)
    mine = (message.c.planned_at == micros(now), message.c.state == MessageState.PLANNED, message.c.counted)
    hours = (at.astimezone(zone).hour for at in session.scalars(select(message.c.send_at).where(*mine)))
    return sum(hour in _NIGHT_HOURS for hour in hours)


def _parked() -> Select[Any]:
    """Enrolments that stand where no file leads on from."""
    return select(enrolment.c.lead_id).where(enrolment.c.ended_at.is_(None), enrolment.c.state == EnrolmentState.PARKED)


def _waiting(now: datetime) -> Select[Any]:
    waiting = (message.c.planned_at < micros(now), message.c.state == MessageState.PLANNED)
    rows = select(message.c.email, message.c.version, func.count()).where(*waiting)
    return rows.group_by(message.c.email, message.c.version)


def _repeated(
    session: Session, mails: frozenset[tuple[int, str]], now: datetime, was: Mapping[str, str]
) -> frozenset[tuple[int, str]]:
    """Those of `mails` whose reader had them, under this name or the one before."""
    tonight = message.alias("tonight")
    renamed = [and_(tonight.c.email == name, message.c.email == old) for name, old in was.items()]
    rows = (
        select(tonight.c.lead_id, tonight.c.email)
        .join(message, and_(message.c.lead_id == tonight.c.lead_id, message.c.id != tonight.c.id))
        .where(tonight.c.planned_at == micros(now), tonight.c.state == MessageState.PLANNED)
        .where(or_(message.c.email == tonight.c.email, *renamed))
        .where(message.c.state.in_(_SENT), message.c.sent_at > micros(now) - _AGAIN)
    )
    return frozenset((lead_id, email) for lead_id, email in session.execute(rows)) & mails
