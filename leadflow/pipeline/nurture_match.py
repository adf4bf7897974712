"""One pass over the leads that says which sequences each matches tonight, and what holds it back from all."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, FromClause, and_, case, func, insert, literal, null, or_, select
from sqlalchemy.orm import Session

from leadflow.conditions.compile import compile_condition
from leadflow.conditions.sources import Sources, live_sources
from leadflow.conditions.tree import Condition
from leadflow.db import analyze, refill
from leadflow.errors import LeadflowError
from leadflow.models import enrolment, lead, lead_state
from leadflow.pipeline.nurture_tables import route, shift, touched
from leadflow.pipeline.scope import in_scope, looked_at
from leadflow.playbook.model import Playbook, Sequence
from leadflow.types import EnrolmentEnd, EnrolmentState, Lifecycle, Reason, Scope

#: Bits of one whole number that both databases keep.
MOST_SEQUENCES = 60


def sources_of(playbook: Playbook) -> Sources:
    """The facts as they stand after this sweep's escalate."""
    return live_sources(playbook.vocabulary, zone=ZoneInfo(playbook.office.zone))


def find_matches(session: Session, playbook: Playbook, now: datetime, scope: Scope) -> None:
    """Fill nurture_touched: the leads of `scope` no later sweep has looked at, with what holds for them."""
    if len(playbook.sequences) > MOST_SEQUENCES:
        raise LeadflowError(f"a playbook has at most {MOST_SEQUENCES} sequences")
    sources = sources_of(playbook)

    def word(condition_of: Callable[[Sequence], Condition | None]) -> ColumnElement[int]:
        bits: ColumnElement[int] = literal(0, BigInteger)
        for i, sequence in enumerate(playbook.sequences):
            condition = condition_of(sequence)
            if condition is not None:
                holds = compile_condition(condition, sources, now, playbook.vocabulary)
                bits = bits + case((holds, literal(1 << i, BigInteger)), else_=literal(0, BigInteger))
        return bits

    words = (word(lambda s: s.enter), word(lambda s: s.exit), word(lambda s: s.goal))
    columns: tuple[ColumnElement[Any], ...] = (lead.c.id, *words, _held())
    rows = (
        select(*(given.label(column.name) for given, column in zip(columns, touched.c, strict=True)))
        .select_from(sources.from_)
        .where(in_scope(lead.c.id, scope), looked_at(lead_state.c.as_of, now))
    )
    refill(session, touched.name, touched.c.lead_id.name, rows)
    analyze(session, touched)


def _held() -> ColumnElement[str]:
    state = lead_state.c
    return case(
        (state.lifecycle == Lifecycle.CUSTOMER, Reason.CUSTOMER.value),
        (state.lifecycle == Lifecycle.DISQUALIFIED, Reason.DISQUALIFIED.value),
        (func.coalesce(state.with_sales, False), Reason.WITH_SALES.value),
        else_=null(),
    )


def bits(playbook: Playbook) -> Mapping[str, int]:
    """The bit of each sequence."""
    return {sequence.name: 1 << i for i, sequence in enumerate(playbook.sequences)}


def matches(playbook: Playbook, word: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether the bit of an enrolment's sequence is set in a word of `touched`."""
    if not playbook.sequences:
        return literal(1) == 0
    named = {name: literal(bit, BigInteger) for name, bit in bits(playbook).items()}
    bit = case(named, value=enrolment.c.sequence, else_=literal(0, BigInteger))
    return word.op("&")(bit) != 0


def service_sequences(playbook: Playbook) -> ColumnElement[bool]:
    """Whether an enrolment's sequence goes on while sales have the lead."""
    return enrolment.c.sequence.in_([sequence.name for sequence in playbook.sequences if sequence.service])


def on_unmatch(playbook: Playbook, *what: str) -> ColumnElement[bool]:
    """Whether an enrolment's sequence says one of `what` of those it matches no longer."""
    names = [sequence.name for sequence in playbook.sequences if sequence.on_unmatch in what]
    return enrolment.c.sequence.in_(names)


def find_shifts(session: Session, playbook: Playbook) -> None:
    """INSERT nurture_shift: the touched enrolments that tonight ends, pauses or lets go on, or that stand nowhere."""
    who, here = touched.c, route.alias("here")
    with_sales = and_(func.coalesce(who.held, "") == Reason.WITH_SALES, ~service_sequences(playbook))
    matched = matches(playbook, who.enters)
    unmatched = and_(on_unmatch(playbook, "pause"), ~matched)
    ends = case(
        (who.held == Reason.CUSTOMER, EnrolmentEnd.CUSTOMER.value),
        (who.held == Reason.DISQUALIFIED, EnrolmentEnd.DISQUALIFIED.value),
        (matches(playbook, who.exits), EnrolmentEnd.EXITED.value),
        (matches(playbook, who.goals), EnrolmentEnd.GOAL.value),
        (and_(on_unmatch(playbook, "exit"), ~matched), EnrolmentEnd.UNMATCHED.value),
        else_=null(),
    )
    active, parked = (enrolment.c.state == state for state in (EnrolmentState.ACTIVE, EnrolmentState.PARKED))
    found = (
        select(
            enrolment.c.id,
            ends.label("ends"),
            case(
                (and_(active, with_sales), Reason.WITH_SALES.value),
                (and_(active, unmatched), Reason.PAUSED.value),
                else_=null(),
            ).label("pauses"),
            and_(enrolment.c.state == EnrolmentState.PAUSED, ~with_sales, ~unmatched).label("resumes"),
            or_(parked, here.c.sequence.is_(None)).label("lost"),
        )
        .select_from(enrolment.join(touched, who.lead_id == enrolment.c.lead_id).outerjoin(here, _stands_on(here)))
        .where(enrolment.c.ended_at.is_(None))
        .subquery("found")
    )
    some = or_(found.c.ends.is_not(None), found.c.pauses.is_not(None), found.c.resumes, found.c.lost)
    session.execute(insert(shift).from_select([column.name for column in shift.c], select(found).where(some)))
    analyze(session, shift)


def _stands_on(way: FromClause) -> ColumnElement[bool]:
    """Joins an enrolment to the way of today's files from its last completed step to its present one."""
    return and_(
        way.c.sequence == enrolment.c.sequence,
        way.c.position == func.coalesce(enrolment.c.position, ""),
        way.c.step == func.coalesce(enrolment.c.step, ""),
    )
