"""How many of some people may be mailed tonight, and the first reason why each of the others may not."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leadflow.conditions.sources import live_sources
from leadflow.eligibility import first_reason, planning_blocks
from leadflow.playbook.model import Playbook
from leadflow.types import Purpose, Reason

_BATCH = 10_000


def mailable(
    session: Session, playbook: Playbook, lead_ids: Sequence[int], now: datetime
) -> Mapping[Reason | None, int]:
    """Reason → people, each counted once; None counts those whom nothing stops."""
    sources = live_sources(playbook.vocabulary, zone=ZoneInfo(playbook.office.zone))
    reason = first_reason(planning_blocks(playbook, sources, now, Purpose.NURTURE)).label("reason")
    ids = sorted(set(lead_ids))
    found: Counter[Reason | None] = Counter()
    for start in range(0, len(ids), _BATCH):
        some = select(reason).select_from(sources.from_).where(sources.lead_id.in_(ids[start : start + _BATCH]))
        asked = some.subquery()
        counted = select(asked.c.reason, func.count()).group_by(asked.c.reason)
        for word, people in session.execute(counted):
            found[None if word is None else Reason(word)] += people
    return found
