"""Everybody, once: who gets a mail tonight, and the first reason why the others do not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, case, func, literal, select
from sqlalchemy.orm import Session

from leadflow.conditions.sources import live_sources
from leadflow.eligibility.blocks import Block, planning_blocks
from leadflow.models import decision, enrolment, lead, message, sequence_existing, verdict
from leadflow.playbook.model import Playbook
from leadflow.types import EnrolmentEnd, EnrolmentState, MessageState, Purpose, Reason, micros

#: In the place of a reason, for whoever gets a mail.
MAILED = "mailed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tonight:
    """All people, each counted once: mailed + skipped = people."""

    people: int
    mailed: int
    skipped: Mapping[Reason, int] = field(default_factory=dict)


def tonight(session: Session, playbook: Playbook, now: datetime) -> Tonight:
    """Count everybody after the sweep at `now`, in one statement."""
    word = _word(playbook, now)
    rows = _from_everybody(playbook, word.label("word")).subquery()
    found = {w: int(n) for w, n in session.execute(select(rows.c.word, func.count()).group_by(rows.c.word))}
    mailed = found.pop(MAILED, 0)
    skipped = {reason: found[reason] for reason in Reason if reason in found}
    return Tonight(people=mailed + sum(skipped.values()), mailed=mailed, skipped=skipped)


def words_tonight(playbook: Playbook, now: datetime) -> Select[Any]:
    """(lead_id, word) of everybody: why they get nothing from the sweep at `now`, or `mailed`."""
    sources = live_sources(playbook.vocabulary, zone=ZoneInfo(playbook.office.zone))
    return select(lead.c.id.label("lead_id"), _word(playbook, now).label("word")).select_from(sources.from_)


def reason_tonight(session: Session, playbook: Playbook, now: datetime, lead_id: int) -> Reason | None:
    """Why this person gets nothing from the sweep at `now`; None when a mail was planned."""
    word = session.scalar(_from_everybody(playbook, _word(playbook, now)).where(lead.c.id == lead_id))
    return None if word in (None, MAILED) else Reason(word)


def _from_everybody(playbook: Playbook, column: ColumnElement[Any]) -> Select[Any]:
    sources = live_sources(playbook.vocabulary, zone=ZoneInfo(playbook.office.zone))
    return select(column).select_from(sources.from_)


def _word(playbook: Playbook, now: datetime) -> ColumnElement[str]:
    """`mailed`, or the first reason: the person's, then the present step's, then where they stand."""
    sources = live_sources(playbook.vocabulary, zone=ZoneInfo(playbook.office.zone))
    blocks = planning_blocks(playbook, sources, now, Purpose.NURTURE)
    planned = select(message.c.lead_id).where(
        message.c.planned_at == micros(now), message.c.state != MessageState.FAILED
    )
    return case(
        (lead.c.id.in_(planned), MAILED),
        *((holds, reason.value) for reason, holds in [*blocks, *_waiting(), *_skipped(now), *_standing(playbook)]),
        else_=Reason.NO_SEQUENCE.value,
    )


#: Reasons that only put a mail off.
DEFERRING = (Reason.PAUSED, Reason.PRESSURE, Reason.WINDOW, Reason.OUTRANKED)
#: Of several enrolments the one nearest to a mail tells why.
_NEAREST = (
    *DEFERRING,
    Reason.NO_MAIL_LEFT,
    Reason.ALREADY_RECEIVED,
    Reason.MISSING_FIELD,
    Reason.EXPIRED,
)


def _waiting() -> list[Block]:
    """The verdicts on present steps."""
    return [
        (
            reason,
            lead.c.id.in_(
                select(enrolment.c.lead_id)
                .join(verdict, verdict.c.enrolment_id == enrolment.c.id)
                .where(verdict.c.reason == reason, enrolment.c.ended_at.is_(None))
            ),
        )
        for reason in _NEAREST
    ]


def _skipped(now: datetime) -> list[Block]:
    """A step was passed over tonight, for a reason that no verdict keeps: they stand on the next one already."""
    tonight = (decision.c.at == micros(now), decision.c.kind == "skip")
    return [
        (reason, lead.c.id.in_(select(decision.c.lead_id).where(*tonight, decision.c.reason == reason)))
        for reason in _NEAREST
        if reason not in DEFERRING
    ]


def _standing(playbook: Playbook) -> list[Block]:
    """Where people stand who have no verdict: on their way, still, waiting for their turn, or through."""

    def among(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
        return lead.c.id.in_(select(enrolment.c.lead_id).where(*conditions))

    flying = select(message.c.lead_id).where(message.c.state.in_(["planned", "claimed", "sending"]), message.c.counted)
    ramps = [s.name for s in playbook.sequences if s.live and s.existing_per_day]
    queued = select(sequence_existing.c.lead_id).where(sequence_existing.c.sequence.in_(ramps))
    live = enrolment.c.ended_at.is_(None)
    return [
        (Reason.OUTRANKED, lead.c.id.in_(flying)),
        (Reason.NOT_DUE, among(live, enrolment.c.state == EnrolmentState.ACTIVE)),
        (Reason.PAUSED, among(live, enrolment.c.state == EnrolmentState.PAUSED)),
        (Reason.PARKED, among(live, enrolment.c.state == EnrolmentState.PARKED)),
        (Reason.RAMP, lead.c.id.in_(queued)),
        (Reason.NO_MAIL_LEFT, among(enrolment.c.end_reason == EnrolmentEnd.NO_MAIL_LEFT)),
        (Reason.FINISHED, among(literal(1) == 1)),
    ]
