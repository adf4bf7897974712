"""Phase segment: which segments each lead is in tonight, and which of them is the main one."""

from datetime import datetime

from sqlalchemy import ColumnElement, Table, and_, case, delete, exists, func, literal, select, true, union_all, update
from sqlalchemy.orm import Session

from leadflow.db import CreateTableAs, insert_into
from leadflow.models import lead, lead_state, membership
from leadflow.pipeline.scope import in_scope, not_ahead
from leadflow.pipeline.segment_words import entrants, find_changes, is_inside, scratch_table, words_of
from leadflow.playbook.model import Playbook
from leadflow.scoring.columns import Chosen
from leadflow.types import Outcome, Phase, Scope, micros


def segment_leads(session: Session, playbook: Playbook, now: datetime, scope: Scope) -> Outcome:
    """Judge all segments in one pass, then open and close the memberships of the leads for whom something changed."""

    def chosen(lead_id: ColumnElement[int]) -> ColumnElement[bool]:
        return and_(in_scope(lead_id, scope), not_ahead(lead_id, now))

    scratch = scratch_table(len(words_of(playbook)))
    session.execute(CreateTableAs(scratch.name, find_changes(playbook, now, chosen)))
    _leave(session, playbook, scratch, now)
    _join(session, playbook, scratch, now)
    _write_main(session, scratch)
    changed = session.scalar(select(func.count()).select_from(scratch))
    scratch.drop(session.connection(), checkfirst=False)
    read = session.scalar(select(func.count()).select_from(lead).where(chosen(lead.c.id)))
    counts = _counts(session, now, chosen)
    return Outcome(phase=Phase.SEGMENT, read=read or 0, changed=changed or 0, counts=counts)


def _leave(session: Session, playbook: Playbook, scratch: Table, now: datetime) -> None:
    """Close the memberships that no longer hold; one opened at this very instant never was, and goes."""
    outside = ~is_inside(words_of(playbook), membership.c.segment, scratch)
    opened, mine = membership.c.left_at.is_(None), scratch.c.lead_id == membership.c.lead_id
    never = (membership.c.joined_at == micros(now), membership.c.lead_id.in_(select(scratch.c.lead_id)))
    session.execute(delete(membership).where(*never, opened, exists().where(mine, outside)))
    # Joined from the few leads, not asked of each membership.
    session.execute(update(membership).where(opened, mine, outside).values(left_at=micros(now)))


def _join(session: Session, playbook: Playbook, scratch: Table, now: datetime) -> None:
    """Open the memberships that hold and are not open yet, sixty segments a statement."""
    for word, names in enumerate(words_of(playbook)):
        if names:
            found = union_all(*entrants(names, word, scratch)).subquery("found")
            rows = select(found.c.segment, found.c.lead_id, literal(micros(now))).where(true())
            add = insert_into(session, membership).from_select(["segment", "lead_id", "joined_at"], rows)
            session.execute(
                add.on_conflict_do_nothing(
                    index_elements=["segment", "lead_id"], index_where=membership.c.left_at.is_(None)
                )
            )


def _write_main(session: Session, scratch: Table) -> None:
    """lead_state.segment_main where it is another one now."""
    same = lead_state.c.lead_id == scratch.c.lead_id
    differs = lead_state.c.segment_main.is_distinct_from(scratch.c.main)
    session.execute(update(lead_state).where(same, differs).values(segment_main=scratch.c.main))


def _counts(session: Session, now: datetime, chosen: Chosen) -> dict[str, int]:
    """How many memberships began and ended at `now`."""
    at, rows = micros(now), membership.c
    joined = func.sum(case((rows.joined_at == at, 1), else_=0))
    left = func.sum(case((rows.left_at == at, 1), else_=0))
    row = session.execute(select(joined, left).where(chosen(rows.lead_id))).one()
    return {"joined": int(row[0] or 0), "left": int(row[1] or 0)}
