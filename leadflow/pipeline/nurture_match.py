"""One pass over the leads that says which sequences each matches tonight, and what holds it back from all."""

from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, and_, case, func, insert, literal, null, select
from sqlalchemy.orm import Session

from leadflow.conditions.compile import compile_condition
from leadflow.conditions.sources import Sources, live_sources
from leadflow.conditions.tree import Condition
from leadflow.db import analyze
from leadflow.errors import LeadflowError
from leadflow.models import enrolment, lead, lead_state
from leadflow.pipeline.nurture_tables import touched
from leadflow.pipeline.scope import in_scope, not_ahead
from leadflow.playbook.model import Playbook, Sequence
from leadflow.types import Lifecycle, Reason, Scope

#: Bits of one whole number that both databases keep.
MOST_SEQUENCES = 60


def sources_of(playbook: Playbook) -> Sources:
    """The facts as they stand after this sweep's escalate."""
    return live_sources(playbook.vocabulary, zone=ZoneInfo(playbook.office.zone))


def find_matches(session: Session, playbook: Playbook, now: datetime, scope: Scope) -> None:
    """INSERT nurture_touched: the leads of `scope` no later sweep has looked at, with what holds for them."""
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

    rows = (
        select(lead.c.id, word(lambda s: s.enter), word(lambda s: s.exit), word(lambda s: s.goal), _held())
        .select_from(sources.from_)
        .where(in_scope(lead.c.id, scope), not_ahead(lead.c.id, now))
    )
    session.execute(insert(touched).from_select(["lead_id", "enters", "exits", "goals", "held"], rows))
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


def on_unmatch(playbook: Playbook, *what: str) -> ColumnElement[bool]:
    """Whether an enrolment's sequence says one of `what` of those it matches no longer."""
    names = [sequence.name for sequence in playbook.sequences if sequence.on_unmatch in what]
    return enrolment.c.sequence.in_(names)


def of_touched() -> ColumnElement[bool]:
    """Joins an enrolment that has not ended to its lead's row of `touched`."""
    return and_(enrolment.c.lead_id == touched.c.lead_id, enrolment.c.ended_at.is_(None))
