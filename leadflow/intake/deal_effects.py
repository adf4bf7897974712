"""What follows from a deal: the lead's deal state, the act, the customer, the hand-over closed, the rest."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, bindparam, case, func, insert, select, update
from sqlalchemy.orm import Session

from leadflow.conditions.words import change_of
from leadflow.intake.deal_words import DealState, Told, not_said_before
from leadflow.intake.events import NewEvent, record_events
from leadflow.intake.lifecycle import Cause, move_lifecycle
from leadflow.intake.owners import own_accounts
from leadflow.intake.recycle import lead_again
from leadflow.models import deal, escalation, lead, lead_change, lead_state
from leadflow.playbook.model import Playbook
from leadflow.types import DAY, Lifecycle, micros

#: Who tells, in events and history.
SOURCE = "crm"


def conclude(session: Session, playbook: Playbook, told: Sequence[Told], now: datetime) -> None:
    """Draw the consequences of a batch of deals; the deals themselves are written."""
    if not told:
        return
    _set_deal_state(session, sorted({one.lead_id for one in told}), now)
    own_accounts(session, {one.lead_id: one.owner for one in told if one.owner and one.state is not DealState.LOST})
    turned = not_said_before(session, [one for one in told if one.turned and one.state is not DealState.OPEN])
    record_events(session, [_event(one, now) for one in turned], received_at=now)
    _close_handovers(session, turned, now)
    won = [one.lead_id for one in turned if one.state is DealState.WON]
    if won:
        people = _dated(won, DealState.WON, now)
        move_lifecycle(session, now, people=people, to=Lifecycle.CUSTOMER, cause=Cause.CRM, playbook=playbook.version)
    _take_back(session, playbook, [one for one in turned if one.state is DealState.LOST], now)


def _event(one: Told, now: datetime) -> NewEvent:
    return NewEvent(
        source=SOURCE,
        external_id=f"{one.external_id}:{one.state}",
        kind=f"deal_{one.state}",
        occurred_at=one.closed_at or now,
        lead_id=one.lead_id,
        identity_id=one.identity_id,
    )


def _set_deal_state(session: Session, lead_ids: Sequence[int], now: datetime) -> None:
    """One word for all deals of a lead: open while one is, else won if one was."""

    def any_is(state: DealState) -> Any:
        return func.max(case((deal.c.state == state, 1), else_=0)) == 1

    word = case((any_is(DealState.OPEN), "open"), (any_is(DealState.WON), "won"), else_="lost").label("word")
    query = (
        select(lead.c.id, lead.c.deal_state, word)
        .join_from(lead, deal, deal.c.lead_id == lead.c.id)
        .where(lead.c.id.in_(lead_ids))
        .group_by(lead.c.id, lead.c.deal_state)
    )
    moved = [row for row in session.execute(query) if row.deal_state != row.word]
    if not moved:
        return
    statement = update(lead).where(lead.c.id == bindparam("whose"))
    statement = statement.values(deal_state=bindparam("word"), updated_at=micros(now))
    session.connection().execute(statement, [{"whose": row.id, "word": row.word} for row in moved])
    history = [
        {
            "lead_id": row.id,
            "field": "deal_state",
            "before": change_of(row.deal_state),
            "after": change_of(row.word),
            "at": micros(now),
            "source": SOURCE,
        }
        for row in moved
    ]
    session.execute(insert(lead_change), history)


def _close_handovers(session: Session, turned: Sequence[Told], now: datetime) -> None:
    """The CRM's word answers an open hand-over as a salesperson's would; a loss only one that was opened by then."""
    if not turned:
        return
    open_one = update(escalation).where(
        escalation.c.lead_id == bindparam("whose"),
        escalation.c.closed_at.is_(None),
        escalation.c.opened_at < bindparam("until"),
    )
    answered = open_one.values(
        state=bindparam("word"),
        closed_at=micros(now),
        answered_at=func.coalesce(escalation.c.answered_at, micros(now)),
        answer_reason=bindparam("why"),
        amount=bindparam("cents"),
    )
    rows = [
        {
            "whose": one.lead_id,
            "word": str(one.state),
            "why": one.reason,
            "cents": one.amount,
            "until": _until(one, now),
        }
        for one in turned
    ]
    session.connection().execute(answered, rows)
    theirs = lead_state.c.lead_id.in_([one.lead_id for one in turned])
    free = lead_state.c.lead_id.not_in(_still_open())
    session.execute(update(lead_state).where(theirs, free, lead_state.c.with_sales).values(with_sales=False))


def _until(one: Told, now: datetime) -> int:
    """A CRM tells days, not hours: a deal lost on the day of the hand-over is that hand-over's."""
    lost_at = one.closed_at if one.state is DealState.LOST else None
    return micros(lost_at) + DAY if lost_at else micros(now) + 1


def _still_open() -> Select[Any]:
    return select(escalation.c.lead_id).where(escalation.c.closed_at.is_(None))


def _take_back(session: Session, playbook: Playbook, lost: Sequence[Told], now: datetime) -> None:
    """Whoever bought nothing is a lead again and rests; a loss whose rest is over leaves no trace but the lifecycle."""
    rest = timedelta(microseconds=playbook.journey.lifecycle.rest)
    recent = [one.lead_id for one in lost if (one.closed_at or now) + rest > now]
    if recent:
        lead_again(session, playbook, now, people=_dated(recent, DealState.LOST, now), cause=Cause.CRM)
    older = [one.lead_id for one in lost if one.lead_id not in set(recent)]
    if older:
        people = _dated(older, DealState.LOST, now)
        move_lifecycle(session, now, people=people, to=Lifecycle.LEAD, cause=Cause.CRM, playbook=playbook.version)


def _dated(lead_ids: Sequence[int], state: DealState, now: datetime) -> Select[Any]:
    """Leads with the business date of their first deal of that state; after a loss only those with nothing open."""
    closed_at = func.coalesce(deal.c.closed_at, micros(now))
    dated = select(deal.c.lead_id, func.min(closed_at).label("effective_at"))
    dated = dated.where(deal.c.lead_id.in_(lead_ids), deal.c.state == state).group_by(deal.c.lead_id)
    if state is DealState.LOST:
        dated = dated.where(
            deal.c.lead_id.in_(select(lead.c.id).where(lead.c.deal_state == state)),
            deal.c.lead_id.not_in(_still_open()),
        )
    return dated
