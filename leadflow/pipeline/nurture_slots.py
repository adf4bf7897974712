"""When each candidate's mail may leave: after the caps, in the window, and in its place among those who go together."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Select,
    Update,
    and_,
    case,
    false,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    type_coerce,
    union_all,
    update,
)
from sqlalchemy.orm import Session

from leadflow.db import analyze, greatest
from leadflow.models import message, preference
from leadflow.pipeline.nurture_exits import CANCELLED
from leadflow.pipeline.nurture_tables import candidate, choice, slot
from leadflow.playbook.model import Playbook
from leadflow.types import HOUR, MessageState, Reason, micros
from leadflow.windows import next_open, offset_of, width_of, within_hours

#: Mails planned for so long after the first of a queue share its hours.
_SAME_HOURS = 10 * HOUR


def find_slots(session: Session, playbook: Playbook, now: datetime) -> None:
    """Fill nurture_slot: the first candidate of each address gets its instant, or the reason why it waits."""
    names = ["enrolment_id", "send_at", "reason", "queue", "free_at"]
    session.execute(insert(slot).from_select(names, _slots(playbook, now)))
    analyze(session, slot)
    session.execute(_spread(playbook, now))
    session.execute(_put_off(playbook, now))


def _slots(playbook: Playbook, now: datetime) -> Select[Any]:
    """INSERT nurture_slot: when the caps, then the window, would let each first candidate's mail go at the earliest."""
    at = micros(now)
    ranked, free = _ranked().subquery("ranked"), _free_at(playbook, now).subquery("free")
    free_at = func.coalesce(free.c.free_at, 0)
    earliest = greatest(literal(at, BigInteger), free_at)
    opens = type_coerce(next_open(ranked.c.calendar_id, earliest), BigInteger)
    timed = (
        select(
            ranked.c.enrolment_id,
            ranked.c.place,
            ranked.c.counted,
            free_at.label("free_at"),
            earliest.label("earliest"),
            case((and_(ranked.c.counted, ranked.c.place == 1), opens), else_=null()).label("opens"),
        )
        .select_from(ranked.outerjoin(free, and_(free.c.address_id == ranked.c.address_id, ranked.c.counted)))
        .subquery("timed")
    )
    # Whoever is free at an instant of their own, in open hours, goes then; the others are many at once.
    together = or_(timed.c.opens > timed.c.earliest, timed.c.earliest == at)
    return select(
        timed.c.enrolment_id,
        case((timed.c.counted, timed.c.opens), else_=literal(at, BigInteger)),
        case((timed.c.place > 1, Reason.OUTRANKED.value)),
        case((together, timed.c.opens)),
        timed.c.free_at,
    )


def _spread(playbook: Playbook, now: datetime) -> Update:
    """UPDATE nurture_slot: each queue over the hours from its first instant on, in the order of the leads' seeds."""
    size, order = _sizes(playbook, now).subquery("size"), [candidate.c.seed, slot.c.enrolment_id]
    place = func.row_number().over(partition_by=slot.c.queue, order_by=order) - 1
    numbered = (
        select(slot.c.enrolment_id, candidate.c.calendar_id, candidate.c.seed, place.label("place"), size)
        .join(candidate, candidate.c.enrolment_id == slot.c.enrolment_id)
        .join(size, size.c.queue == slot.c.queue)
        .subquery("numbered")
    )
    offset = offset_of(numbered.c.place, numbered.c.own, numbered.c.width, numbered.c.seed)
    placed = select(numbered.c.enrolment_id, numbered.c.calendar_id, numbered.c.queue, offset.label("offset"))
    one = placed.subquery("placed")
    send_at = within_hours(one.c.calendar_id, one.c.queue, one.c.offset, playbook.window)
    return update(slot).where(slot.c.enrolment_id == one.c.enrolment_id).values(send_at=send_at)


def _sizes(playbook: Playbook, now: datetime) -> Select[Any]:
    """How many are in each queue, and over how long they go with those that earlier sweeps planned for its hours."""
    own = select(slot.c.queue, func.count().label("own")).where(slot.c.queue.is_not(None))
    queue = own.group_by(slot.c.queue).subquery("queue")
    send_at = type_coerce(message.c.send_at, BigInteger)
    before = and_(
        message.c.state.in_(CANCELLED),
        message.c.counted,
        message.c.planned_at < micros(now),
        send_at >= queue.c.queue,
        send_at < queue.c.queue + _SAME_HOURS,
    )
    every = (
        select(queue.c.queue, queue.c.own, (queue.c.own + func.count(message.c.id)).label("every"))
        .select_from(queue.outerjoin(message, before))
        .group_by(queue.c.queue, queue.c.own)
        .subquery("every")
    )
    spread = case((every.c.queue > micros(now), literal(playbook.window.spread, BigInteger)), else_=0)
    width = greatest(width_of(every.c.every, playbook.window), spread)
    return select(every.c.queue, every.c.own, width.label("width"))


def _put_off(playbook: Playbook, now: datetime) -> Update:
    """UPDATE nurture_slot: what would leave later than the horizon waits, for the cap or for the window."""
    at, horizon = micros(now), micros(now) + playbook.pressure.horizon
    near = func.coalesce(slot.c.send_at < horizon, false())
    why = case((slot.c.free_at > at, Reason.PRESSURE.value), else_=Reason.WINDOW.value)
    return update(slot).where(slot.c.reason.is_(None), ~near).values(reason=why)


def _ranked() -> Select[Any]:
    """Candidates with an email, placed within their address; service mail has no rival but itself."""
    rival = case((candidate.c.counted, ""), else_=choice.c.template)
    place = func.row_number().over(
        partition_by=[candidate.c.address_id, candidate.c.counted, rival],
        order_by=[candidate.c.priority.desc(), candidate.c.due_at, candidate.c.sequence, candidate.c.enrolment_id],
    )
    who = candidate.c
    columns = (who.enrolment_id, who.address_id, who.calendar_id, who.seed, who.counted)
    return (
        select(*columns, place.label("place"))
        .join(choice, choice.c.enrolment_id == who.enrolment_id)
        .where(who.block.is_(None), ~who.flying, choice.c.reason.is_(None))
    )


def _free_at(playbook: Playbook, now: datetime) -> Select[Any]:
    """For each address, the first instant at which no cap is full: n-th latest mail + span, the latest of them."""
    caps: dict[int, int] = {}
    for cap in playbook.pressure.caps:
        caps[cap.n] = max(cap.span, caps.get(cap.n, 0))
    longest, most = max(caps.values(), default=0), max(caps, default=0)
    addresses = select(candidate.c.address_id).where(candidate.c.counted)
    newest = func.row_number().over(
        partition_by=message.c.address_id, order_by=[message.c.sent_at.desc(), message.c.id.desc()]
    )
    sent = (
        select(message.c.address_id, type_coerce(message.c.sent_at, BigInteger).label("sent_at"), newest.label("n"))
        .where(
            message.c.address_id.in_(addresses),
            message.c.counted,
            message.c.state.in_([MessageState.ACCEPTED, MessageState.UNKNOWN]),
            message.c.sent_at > micros(now) - longest,
            message.c.sent_at < micros(now),
        )
        .subquery("sent")
    )
    frees = case(*((sent.c.n == n, sent.c.sent_at + span) for n, span in caps.items()), else_=0) if caps else literal(0)
    capped = select(sent.c.address_id, frees.label("free_at")).where(sent.c.n <= most)
    both = union_all(capped, _as_seldom_as_wished(now)).subquery("both")
    return select(both.c.address_id, func.max(both.c.free_at).label("free_at")).group_by(both.c.address_id)


def _as_seldom_as_wished(now: datetime) -> Select[Any]:
    """For each reader who wants mail at most every so often: the last one, and so much later."""
    addresses = select(candidate.c.address_id).where(candidate.c.counted)
    last = func.max(type_coerce(message.c.sent_at, BigInteger))
    return (
        select(preference.c.identity_id, (last + preference.c.gap).label("free_at"))
        .select_from(preference.join(message, message.c.address_id == preference.c.identity_id))
        .where(
            preference.c.gap.is_not(None),
            preference.c.identity_id.in_(addresses),
            message.c.counted,
            message.c.state.in_([MessageState.ACCEPTED, MessageState.UNKNOWN]),
            message.c.sent_at < micros(now),
        )
        .group_by(preference.c.identity_id, preference.c.gap)
    )
