"""Where people go on to: a step completed, what follows it in today's file, and when that is due."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, case, func, literal, null, select, true, type_coerce, union_all
from sqlalchemy.orm import Session

from leadflow.db import analyze, insert_missing
from leadflow.models import enrolment
from leadflow.pipeline.nurture_tables import TOUCHED, moving, route, route_step
from leadflow.types import EnrolmentEnd, EnrolmentState, micros
from leadflow.windows import after_business_days, calendar_of

Values = dict[str, Any]

#: Each completed step with those that may follow it ('' at the end), and how long these wait.
onward = (
    select(route, route_step.c.wait_in, route_step.c.wait_days, route_step.c.asks)
    .select_from(
        route.outerjoin(route_step, and_(route_step.c.sequence == route.c.sequence, route_step.c.step == route.c.step))
    )
    .subquery("onward")
)

#: Whoever may move on; `find_moving` finds them.
ACTIVE = and_(enrolment.c.state == EnrolmentState.ACTIVE, enrolment.c.id.in_(select(moving.c.enrolment_id)))
#: Joins an enrolment to the row of its present step in today's files.
ON_STEP = and_(route_step.c.sequence == enrolment.c.sequence, route_step.c.step == enrolment.c.step)


def find_moving(session: Session, now: datetime) -> None:
    """INSERT nurture_moving: active enrolments of touched leads that are due, or of which nobody knows when."""
    active = select(enrolment.c.id).where(enrolment.c.state == EnrolmentState.ACTIVE, TOUCHED)
    # Two looks at the index: in one, each database would ask all enrolments whose they are.
    found = union_all(active.where(enrolment.c.due_at <= micros(now)), active.where(enrolment.c.due_at.is_(None)))
    rows = select(found.subquery("found").c.id).where(true())
    session.execute(insert_missing(moving, ["enrolment_id"], rows))
    analyze(session, moving)


def after(position: ColumnElement[Any], *, step: str | None = None) -> ColumnElement[bool]:
    """Joins an enrolment to what follows `position`: the usual step, or the one named."""
    which = onward.c.usual if step is None else onward.c.step == step
    return and_(onward.c.sequence == enrolment.c.sequence, onward.c.position == position, which)


def leave(completed: ColumnElement[Any] | datetime, now: datetime) -> Values:
    """Values of an enrolment that has completed its step at `completed`; beside `after(enrolment.c.step)`."""
    at = literal(micros(completed), BigInteger) if isinstance(completed, datetime) else _whole(completed)
    return {"position": enrolment.c.step, "completed_at": at} | arrive(at, now)


def arrive(completed: ColumnElement[Any], now: datetime) -> Values:
    """Values of an enrolment that now stands on the step of `onward`, or is through; beside `after(…)`."""
    last = onward.c.step == ""
    return {
        "step": func.nullif(onward.c.step, ""),
        "due_at": case((last, null()), else_=due(onward, completed, now)),
        "state": case((last, EnrolmentState.ENDED.value), else_=enrolment.c.state),
        "ended_at": case((last, micros(now)), else_=_whole(enrolment.c.ended_at)),
        "end_reason": case((last, EnrolmentEnd.FINISHED.value), else_=enrolment.c.end_reason),
    }


def due(step: Any, completed: ColumnElement[Any], now: datetime) -> ColumnElement[Any]:
    """When a row of `onward` or `route_step` is due: a wait when it is over, the others at once."""
    return case(
        (step.c.wait_in.is_not(None), _whole(completed) + step.c.wait_in),
        (
            step.c.wait_days.is_not(None),
            _whole(after_business_days(calendar_of(enrolment.c.lead_id), completed, step.c.wait_days)),
        ),
        # Hand-overs are opened by the next sweep: its escalate comes before this phase.
        (step.c.asks, literal(micros(now) + 1, BigInteger)),
        else_=literal(micros(now), BigInteger),
    )


def over(end: EnrolmentEnd, now: datetime) -> Values:
    """Values of an enrolment that ends."""
    ended = {"state": EnrolmentState.ENDED.value, "ended_at": micros(now), "end_reason": end.value}
    return ended | {"step": null(), "due_at": null()}


def _whole(column: ColumnElement[Any]) -> ColumnElement[int]:
    return type_coerce(column, BigInteger)
