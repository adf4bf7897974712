"""How often each hot rule would have fired lately: the nights lived again, in a transaction that is rolled back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, null, or_, select, true, update
from sqlalchemy.orm import Session

from leadflow.models import engagement, event, event_inbox, lead_state
from leadflow.pipeline.crossing import crossing, find_crossings
from leadflow.pipeline.score import score_leads
from leadflow.playbook.model import Playbook
from leadflow.types import EVERYONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """A hot rule over some nights: how often in all, and on the busiest of them."""

    rule: str
    times: int
    busiest: int


def would_have_fired(session: Session, playbook: Playbook, nights: Iterable[datetime]) -> tuple[Fired, ...]:
    """Each hot rule over `nights`, the earliest first, which only tells what held before.

    Acts and scores are those of each night; attributes, stage and segments are today's. Whoever asks rolls back.
    """
    _forget(session)
    counts: list[Mapping[str, int]] = []
    for night in nights:
        score_leads(session, playbook, night, EVERYONE)
        find_crossings(session, playbook, night, EVERYONE)
        counts.append(_opened(session, playbook))
    lived = counts[1:]
    return tuple(
        Fired(
            rule=rule.name,
            times=sum(night[rule.name] for night in lived),
            busiest=max((night[rule.name] for night in lived), default=0),
        )
        for rule in playbook.sales.hot
    )


def _forget(session: Session) -> None:
    """Every act waits to be folded again, none is spent, nobody is hot, and no sweep has looked."""
    columns = ("id", "month", "lead_id", "occurred_at", "received_at")
    acts = select(*(event.c[name] for name in columns)).where(true())
    session.execute(delete(engagement))
    session.execute(delete(event_inbox))
    session.execute(insert(event_inbox).from_select(["event_id", *columns[1:]], acts))
    plain = {"hot": 0, "as_of": null(), "spent_before": null()}
    known = (lead_state.c.as_of.is_not(None), lead_state.c.spent_before.is_not(None))
    session.execute(update(lead_state).where(or_(lead_state.c.hot != 0, *known)).values(plain))


def _opened(session: Session, playbook: Playbook) -> Mapping[str, int]:
    """Rule → for how many it began to hold this night; the first rule of the file that does counts."""
    found = dict.fromkeys((rule.name for rule in playbook.sales.hot), 0)
    for bits in session.scalars(select(crossing.c.opening).where(crossing.c.opening != 0)):
        first = (bits & -bits).bit_length() - 1
        found[playbook.sales.hot[first].name] += 1
    return found
