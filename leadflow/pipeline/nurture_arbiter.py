"""One arbiter over all sequences: at most one mail an address, when the caps and its window allow it."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    and_,
    case,
    delete,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.orm import Session

from leadflow.db import insert_into, json_object
from leadflow.eligibility import pause_detail
from leadflow.models import enrolment, message, tpl, verdict
from leadflow.pipeline.decisions import record_decisions, subject_of
from leadflow.pipeline.nurture_choice import stream_of_choice
from leadflow.pipeline.nurture_exits import NOT_FINAL
from leadflow.pipeline.nurture_slots import find_slots
from leadflow.pipeline.nurture_tables import TOUCHED, candidate, choice, route_step, slot
from leadflow.pipeline.nurture_variants import variant_of
from leadflow.playbook.model import Playbook
from leadflow.types import DAY, IN_FLIGHT, MessageState, Reason, micros
from leadflow.windows import after_business_days

#: A message that says nothing else goes out stale after this many business days.
EXPIRES_DAYS = 5


def arbitrate(session: Session, playbook: Playbook, now: datetime) -> None:
    """Give each address's first candidate its instant, plan it when that is near, and say why the others wait."""
    find_slots(session, playbook, now)
    _plan(session, playbook, now)
    _say_why(session, playbook, now)


_PLANNED = {
    "lead_id": candidate.c.lead_id,
    "address_id": candidate.c.address_id,
    "enrolment_id": candidate.c.enrolment_id,
    "sequence": candidate.c.sequence,
    "step": candidate.c.step,
    "email": choice.c.template,
    "language": choice.c.language,
    "purpose": tpl.c.purpose,
    "basis": candidate.c.basis,
    "counted": tpl.c.counted,
    "version": tpl.c.version,
    "send_at": slot.c.send_at,
}


def _plan(session: Session, playbook: Playbook, now: datetime) -> None:
    """INSERT message: one for each slot; one that was cancelled by a pause is planned again in its row."""
    columns: dict[str, ColumnElement[Any]] = _PLANNED | {
        "variant": variant_of(playbook, choice.c.template, candidate.c.seed),
        "state": literal(MessageState.PLANNED.value),
        "reason": null(),
        "playbook": literal(playbook.version),
        "planned_at": literal(micros(now)),
        "expires_at": _expires_at(),
        "chosen": json_object(
            stage=candidate.c.stage,
            segment=candidate.c.segment_main,
            band=candidate.c.band,
            candidates=choice.c.among,
        ),
    }
    rows = select(*columns.values()).select_from(_joined()).where(slot.c.reason.is_(None), ~_taken())
    add = insert_into(session, message).from_select(list(columns), rows.order_by(candidate.c.enrolment_id))
    renewed = {name: add.excluded[name] for name in columns if name not in {"enrolment_id", "step"}}
    cancelled = and_(message.c.state == MessageState.SUPPRESSED, message.c.reason.in_(NOT_FINAL))
    session.execute(add.on_conflict_do_update(index_elements=["enrolment_id", "step"], set_=renewed, where=cancelled))
    _record_plans(session, playbook, now)


def _joined() -> Any:
    who = candidate.c
    on_step = and_(route_step.c.sequence == who.sequence, route_step.c.step == who.step)
    return (
        slot.join(candidate, who.enrolment_id == slot.c.enrolment_id)
        .join(choice, choice.c.enrolment_id == who.enrolment_id)
        .join(tpl, tpl.c.template == choice.c.template)
        .join(route_step, on_step)
    )


def _taken() -> ColumnElement[bool]:
    """The address has another counted message in flight, whoever planned it."""
    other = message.alias("other")
    same = and_(other.c.enrolment_id == candidate.c.enrolment_id, other.c.step == candidate.c.step)
    return and_(
        candidate.c.counted,
        exists().where(
            other.c.address_id == candidate.c.address_id,
            other.c.counted,
            other.c.state.in_(IN_FLIGHT),
            or_(other.c.enrolment_id.is_(None), ~same),
        ),
    )


def _expires_at() -> ColumnElement[Any]:
    """The step's `expires`, else the email's, else five business days, after the instant it would leave."""
    step, own = route_step.c, tpl.c
    elapsed = func.coalesce(step.expires_in, case((step.expires_days.is_(None), own.expires_in)))
    days = func.coalesce(step.expires_days, own.expires_days, EXPIRES_DAYS)
    by_days = after_business_days(candidate.c.calendar_id, slot.c.send_at, days)
    return case(
        (elapsed.is_not(None), slot.c.send_at + elapsed),
        else_=func.coalesce(type_coerce(by_days, BigInteger), slot.c.send_at + 7 * DAY),
    )


def _record_plans(session: Session, playbook: Playbook, now: datetime) -> None:
    who = candidate.c
    made = exists().where(
        message.c.enrolment_id == who.enrolment_id, message.c.step == who.step, message.c.planned_at == micros(now)
    )
    rows = (
        select(
            who.lead_id,
            subject_of(who.sequence, who.step).label("subject"),
            json_object(
                email=choice.c.template,
                language=choice.c.language,
                send_at=slot.c.send_at,
                candidates=choice.c.among,
            ).label("detail"),
        )
        .join(slot, slot.c.enrolment_id == who.enrolment_id)
        .join(choice, choice.c.enrolment_id == who.enrolment_id)
        .where(slot.c.reason.is_(None), made)
    )
    record_decisions(session, rows, kind="plan", now=now, playbook=playbook)


def _say_why(session: Session, playbook: Playbook, now: datetime) -> None:
    """Keep one verdict for each candidate that waits; a decision only where the reason is another than before."""
    reason = func.coalesce(
        candidate.c.block,
        case((candidate.c.flying, Reason.OUTRANKED.value)),
        choice.c.reason,
        slot.c.reason,
    )
    rows = (
        select(candidate.c.enrolment_id, candidate.c.step, reason, literal(micros(now)), slot.c.send_at)
        .select_from(
            candidate.outerjoin(choice, choice.c.enrolment_id == candidate.c.enrolment_id).outerjoin(
                slot, slot.c.enrolment_id == candidate.c.enrolment_id
            )
        )
        .where(reason.is_not(None))
    )
    add = insert_into(session, verdict).from_select(["enrolment_id", "step", "reason", "since", "until"], rows)
    new = add.excluded
    same = and_(verdict.c.step == new.step, verdict.c.reason == new.reason)
    session.execute(
        add.on_conflict_do_update(
            index_elements=["enrolment_id"],
            set_={
                "step": new.step,
                "reason": new.reason,
                "since": case((same, verdict.c.since), else_=new.since),
                "until": new.until,
            },
            where=or_(~same, verdict.c.until.is_distinct_from(new.until)),
        )
    )
    waiting = rows.with_only_columns(candidate.c.enrolment_id)
    ours = exists().where(enrolment.c.id == verdict.c.enrolment_id, TOUCHED)
    over = and_(verdict.c.enrolment_id.not_in(waiting), ours)
    session.execute(delete(verdict).where(over, true()))
    by_whom = pause_detail(enrolment.c.sequence, choice.c.template, stream_of_choice())
    changed = (
        select(
            enrolment.c.lead_id,
            subject_of(enrolment.c.sequence, verdict.c.step).label("subject"),
            verdict.c.reason,
            case(
                (verdict.c.reason == Reason.PAUSED, by_whom),
                (verdict.c.until.is_not(None), json_object(until=type_coerce(verdict.c.until, BigInteger))),
                else_=json_object({}),
            ).label("detail"),
        )
        .join(enrolment, enrolment.c.id == verdict.c.enrolment_id)
        .outerjoin(choice, choice.c.enrolment_id == verdict.c.enrolment_id)
        .where(verdict.c.since == micros(now), TOUCHED)
    )
    record_decisions(session, changed, kind="skip", now=now, playbook=playbook)
