"""What a CRM says of a deal, and whether a salesperson has said so before."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leadflow.models import deal, event, event_key

#: Who tells what a salesperson answered, in event keys.
HANDOVER = "handover"


class DealState(StrEnum):
    OPEN = "open"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A deal that was told for the first time, or otherwise than before."""

    external_id: str
    lead_id: int
    identity_id: int
    state: DealState
    #: Its state is new.
    turned: bool
    closed_at: datetime | None
    amount: int | None
    reason: str | None
    #: The salesperson the CRM names.
    owner: str | None = None


def not_said_before(session: Session, turned: Sequence[Told]) -> list[Told]:
    """Those of `turned` that are news: a sale a salesperson told of is sold once, though the CRM tells it, too.

    Two statements. A lead's deals that made no event of their own were a salesperson's, each of a hand-over.
    """
    if not turned:
        return []
    unmatched = _unmatched(session, turned)
    news = []
    for one in turned:
        if unmatched[one.lead_id, one.state] > 0:
            unmatched[one.lead_id, one.state] -= 1
        else:
            news.append(one)
    return news


def _unmatched(session: Session, turned: Sequence[Told]) -> Counter[tuple[int, DealState]]:
    """How often salespeople closed a deal with each lead that no deal of the CRM stands for yet."""
    leads, new = {one.lead_id for one in turned}, [one.external_id for one in turned]
    told = select(event.c.lead_id, event.c.kind, event_key.c.source, func.count().label("n"))
    told = told.join(event_key, event_key.c.event_id == event.c.id)
    told = told.where(event.c.lead_id.in_(leads), event.c.kind.in_(["deal_won", "deal_lost"]))
    said: Counter[tuple[int, DealState]] = Counter()
    own: Counter[tuple[int, DealState]] = Counter()
    for row in session.execute(told.group_by(event.c.lead_id, event.c.kind, event_key.c.source)):
        by = said if row.source == HANDOVER else own
        by[row.lead_id, DealState(row.kind.removeprefix("deal_"))] += row.n
    known = select(deal.c.lead_id, deal.c.state, func.count().label("n")).where(
        deal.c.lead_id.in_(leads), deal.c.external_id.not_in(new), deal.c.state != DealState.OPEN
    )
    for row in session.execute(known.group_by(deal.c.lead_id, deal.c.state)):
        key = row.lead_id, DealState(row.state)
        said[key] -= max(row.n - own[key], 0)
    return said
