"""Who enters a sequence: the highest of each track that matches, by its ramp for those who were there before it."""

from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import Session

from leadflow.db import analyze, insert_missing, json_object
from leadflow.models import enrolment, lead, sequence_existing, sequence_live
from leadflow.pipeline.decisions import record_decisions
from leadflow.pipeline.nurture_exits import moved_on
from leadflow.pipeline.nurture_match import bits
from leadflow.pipeline.nurture_tables import entry, touched
from leadflow.playbook.model import Playbook, Sequence
from leadflow.types import EnrolmentEnd, EnrolmentState, Everyone, Reason, Scope, micros

_last = enrolment.alias("last")


def enter_sequences(session: Session, playbook: Playbook, now: datetime, scope: Scope) -> None:
    """Find where each lead belongs, hand it on from where it was, and let it in."""
    _go_live(session, playbook, now, scope)
    for sequence in playbook.sequences:
        _find(session, playbook, sequence, now)
    analyze(session, entry)
    _hand_on(session, now)
    _reopen(session, playbook, now)
    _enrol(session, playbook, now)
    _leave_queue(session, playbook)


def _go_live(session: Session, playbook: Playbook, now: datetime, scope: Scope) -> None:
    """Remember who matched when a sequence was first live: a single lead's sweep does not open it."""
    everyone = literal(isinstance(scope, Everyone))
    for sequence in playbook.sequences:
        opened = exists().where(sequence_live.c.sequence == sequence.name)
        first = and_(everyone, literal(sequence.live), ~opened)
        waiting = (
            select(literal(sequence.name), touched.c.lead_id)
            .join(lead, lead.c.id == touched.c.lead_id)
            .where(first, _has(touched.c.enters, playbook, sequence), lead.c.created_at < micros(now))
            .where(literal(sequence.existing_per_day is not None))
        )
        session.execute(insert_missing(sequence_existing, ["sequence", "lead_id"], waiting))
        since = select(literal(sequence.name), literal(micros(now))).where(first)
        session.execute(insert_missing(sequence_live, ["sequence", "since"], since))


def _find(session: Session, playbook: Playbook, sequence: Sequence, now: datetime) -> None:
    """INSERT nurture_entry: who belongs in `sequence`, unless a higher one of its track has them already."""
    at_once = or_(_stands, ~_queued(sequence), _last.c.end_reason == EnrolmentEnd.HANDED_ON)
    rows = _belonging(playbook, sequence, now).where(at_once, _worth_saying(playbook, sequence))
    _insert(session, rows)
    if sequence.existing_per_day:
        _insert(session, _ramp(playbook, sequence, now))


def _insert(session: Session, rows: Select[Any]) -> None:
    names = ["lead_id", "track", "sequence", "how", "enrolment_id", "entry"]
    session.execute(insert_missing(entry, names, rows))


_stands = and_(_last.c.id.is_not(None), _last.c.ended_at.is_(None))


def _belonging(playbook: Playbook, sequence: Sequence, now: datetime, *, how: str | None = None) -> Select[Any]:
    """Leads with a place in `sequence` now: in it, coming back to it, or allowed to enter."""
    again = sequence.reentry
    may_again = and_(
        literal(again.again),
        _last.c.ended_at <= micros(now) - again.cool_down,
        literal(True) if again.at_most is None else _last.c.entry < again.at_most,
    )
    open_ = and_(literal(sequence.live), exists().where(sequence_live.c.sequence == sequence.name))
    may_enter = and_(open_, or_(_last.c.id.is_(None), may_again))
    came = case((_stands, "stay"), (_last.c.end_reason == EnrolmentEnd.HANDED_ON, "reopen"), else_=how or "new")
    matched = and_(
        _has(touched.c.enters, playbook, sequence),
        ~_has(touched.c.exits, playbook, sequence),
        ~_has(touched.c.goals, playbook, sequence),
        or_(touched.c.held.is_(None), and_(literal(sequence.service), touched.c.held == Reason.WITH_SALES)),
    )
    if sequence.on_unmatch == "finish":
        matched = or_(matched, _stands)
    return (
        select(
            touched.c.lead_id,
            literal(sequence.track).label("track"),
            literal(sequence.name).label("sequence"),
            came.label("how"),
            _last.c.id.label("enrolment_id"),
            (func.coalesce(_last.c.entry, 0) + 1).label("entry"),
        )
        .select_from(_with_last(sequence))
        .where(matched, or_(_stands, _last.c.end_reason == EnrolmentEnd.HANDED_ON, may_enter))
    )


def _with_last(sequence: Sequence) -> FromClause:
    """Each touched lead with its last enrolment in `sequence`, if any."""
    other = enrolment.alias("other")
    newest = (
        select(func.max(other.c.entry))
        .where(other.c.lead_id == touched.c.lead_id, other.c.sequence == sequence.name)
        .scalar_subquery()
        .correlate(touched)
    )
    on = and_(_last.c.lead_id == touched.c.lead_id, _last.c.sequence == sequence.name, _last.c.entry == newest)
    return touched.outerjoin(_last, on)


def _worth_saying(playbook: Playbook, sequence: Sequence) -> ColumnElement[bool]:
    """A lead that stays where it is needs a row only to keep a lower sequence of the track from taking it."""
    marks = bits(playbook)
    others = sum(marks[s.name] for s in playbook.sequences if s.track == sequence.track and s is not sequence)
    # Of all enrolments at once: most people stay where they are, and are not to be looked up one by one.
    standing = select(enrolment.c.lead_id).where(enrolment.c.sequence == sequence.name, enrolment.c.ended_at.is_(None))
    stays = touched.c.lead_id.in_(standing.correlate(None))
    return or_(~stays, touched.c.enters.op("&")(literal(others, BigInteger)) != 0)


def _queued(sequence: Sequence) -> ColumnElement[bool]:
    """Matched already when the sequence went live, and has not had its turn."""
    if sequence.existing_per_day is None:
        return literal(False)
    waiting = select(sequence_existing.c.lead_id).where(sequence_existing.c.sequence == sequence.name)
    return touched.c.lead_id.in_(waiting)


def _ramp(playbook: Playbook, sequence: Sequence, now: datetime) -> Select[Any]:
    """Those whose turn it is: as many a day of the office as the file says, in the order of their seeds."""
    taken = select(entry.c.lead_id).where(entry.c.track == sequence.track)
    waiting = (
        _belonging(playbook, sequence, now, how="ramp")
        .where(~_stands, _queued(sequence), touched.c.lead_id.not_in(taken))
        .subquery("waiting")
    )
    place = func.row_number().over(order_by=[lead.c.seed, lead.c.id])
    ranked = select(waiting, place.label("place")).join(lead, lead.c.id == waiting.c.lead_id).subquery("ranked")
    came = select(func.count()).where(
        enrolment.c.sequence == sequence.name,
        enrolment.c.ramped,
        enrolment.c.entered_at >= micros(_midnight(playbook, now)),
    )
    columns = [column for column in ranked.c if column.name != "place"]
    return select(*columns).where(ranked.c.place + came.scalar_subquery() <= literal(sequence.existing_per_day))


def _midnight(playbook: Playbook, now: datetime) -> datetime:
    zone = ZoneInfo(playbook.office.zone)
    return datetime.combine(now.astimezone(zone).date(), time(), zone)


def _hand_on(session: Session, now: datetime) -> None:
    """UPDATE enrolment: those whom another sequence of the track takes over.

    A goal or an unmatch of tonight that leads on to the next sequence is a handing on too, so that
    whoever moves back on the journey goes on where they stood.
    """
    elsewhere = and_(
        entry.c.lead_id == enrolment.c.lead_id,
        entry.c.track == enrolment.c.track,
        entry.c.sequence != enrolment.c.sequence,
    )
    over = {
        "state": EnrolmentState.ENDED.value,
        "ended_at": micros(now),
        "end_reason": EnrolmentEnd.HANDED_ON.value,
    }
    tonight = and_(
        enrolment.c.ended_at == micros(now),
        enrolment.c.end_reason.in_([EnrolmentEnd.GOAL, EnrolmentEnd.UNMATCHED]),
    )
    session.execute(update(enrolment).where(elsewhere, or_(enrolment.c.ended_at.is_(None), tonight)).values(over))


def _reopen(session: Session, playbook: Playbook, now: datetime) -> None:
    """UPDATE enrolment: those who come back to a sequence they were handed on from."""
    returning = select(entry.c.enrolment_id).where(entry.c.how == "reopen")
    # Not asked of the index of those that ended: PostgreSQL takes tonight's for none, and would walk `entry` for each.
    ended = func.coalesce(enrolment.c.ended_at, 0) > 0
    back = and_(enrolment.c.id.in_(returning), ended)
    rows = select(
        enrolment.c.lead_id, enrolment.c.sequence.label("subject"), enrolment.c.end_reason.label("reason")
    ).where(back)
    record_decisions(session, rows, kind="resume", now=now, playbook=playbook)
    session.execute(update(enrolment).where(back).values(moved_on(now)))


def _enrol(session: Session, playbook: Playbook, now: datetime) -> None:
    """INSERT enrolment: one more entry for everybody let in, standing before the first step."""
    at, comes = literal(micros(now)), entry.c.how.in_(["new", "ramp"])
    firsts = {sequence.name: sequence.steps[0].name for sequence in playbook.sequences if sequence.steps}
    first = case(firsts, value=entry.c.sequence, else_=null()) if firsts else null()
    rows = select(
        entry.c.lead_id,
        entry.c.sequence,
        entry.c.track,
        entry.c.entry,
        literal(EnrolmentState.ACTIVE.value),
        at,
        at.label("completed"),
        first,
        entry.c.how == "ramp",
    ).where(comes)
    names = ["lead_id", "sequence", "track", "entry", "state", "entered_at", "completed_at", "step", "ramped"]
    session.execute(insert(enrolment).from_select(names, rows.order_by(entry.c.lead_id, entry.c.track)))
    detail = json_object(entry=entry.c.entry).label("detail")
    entered = select(entry.c.lead_id, entry.c.sequence.label("subject"), detail).where(comes)
    record_decisions(session, entered, kind="enrol", now=now, playbook=playbook)


def _leave_queue(session: Session, playbook: Playbook) -> None:
    """DELETE sequence_existing: those let in, and those who match no longer."""
    queue = sequence_existing.c
    let_in = exists().where(entry.c.lead_id == queue.lead_id, entry.c.sequence == queue.sequence)
    session.execute(delete(sequence_existing).where(let_in))
    marks = {name: literal(bit, BigInteger) for name, bit in bits(playbook).items()}
    bit = case(marks, value=queue.sequence, else_=literal(0, BigInteger)) if marks else literal(0, BigInteger)
    gone = exists().where(touched.c.lead_id == queue.lead_id, touched.c.enters.op("&")(bit) == 0)
    session.execute(delete(sequence_existing).where(gone, true()))


def _has(word: ColumnElement[int], playbook: Playbook, sequence: Sequence) -> ColumnElement[bool]:
    return word.op("&")(literal(bits(playbook)[sequence.name], BigInteger)) != 0
