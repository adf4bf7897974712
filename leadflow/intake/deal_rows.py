"""Writes deals and what follows from them: the state on the lead, the act, the customer, the rest after a loss."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import and_, bindparam, case, func, insert, literal, or_, select, update
from sqlalchemy.orm import Session

from leadflow.intake.events import NewEvent, record_events
from leadflow.intake.importing import Rejected, Taken
from leadflow.intake.lifecycle import Cause, move_lifecycle
from leadflow.intake.people import Change
from leadflow.models import deal, identity, lead, lead_change, lead_state
from leadflow.playbook.model import Playbook
from leadflow.text import _, ngettext
from leadflow.types import Lifecycle, micros

#: Who tells, in events and history.
SOURCE = "crm"


class DealState(StrEnum):
    OPEN = "open"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDeal:
    """A deal as a file tells it."""

    #: Identity (kind, value) of the person.
    key: tuple[str, str]
    external_id: str
    state: DealState
    #: Cents.
    amount: int | None
    owner: str | None
    reason: str | None
    #: The business date on which it was won or lost.
    closed_at: datetime | None
    notes: tuple[str, ...] = ()


_COLUMNS = ("lead_id", "state", "amount", "owner", "reason", "closed_at")


def write_deals(
    session: Session, playbook: Playbook, deals: Sequence[NewDeal], *, now: datetime
) -> Sequence[Taken | Rejected]:
    """Keep a batch of deals and draw the consequences of those that changed; at most 22 statements."""
    people = _people(session, {one.key for one in deals})
    stored = _stored(session, [one.external_id for one in deals])
    new: list[tuple[NewDeal, int]] = []
    changed: list[tuple[NewDeal, int]] = []
    results: list[Taken | Rejected] = []
    for one in deals:
        person = people.get(one.key)
        if person is None:
            results.append(Rejected(reason=_("nobody with this address or id is known: import the people first")))
            continue
        known = stored.get(one.external_id)
        change = _change(one, person.id, known)
        if change is not Change.UNCHANGED:
            (new if known is None else changed).append((one, person.id))
        results.append(Taken(change=change, lead_id=person.id, notes=_notes(one, person.first_seen_at)))
    _write(session, new, changed, now)
    _conclude(session, playbook, [*new, *changed], people, stored, now)
    return results


def _people(session: Session, keys: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], Any]:
    values: dict[str, list[str]] = {}
    for kind, value in sorted(keys):
        values.setdefault(kind, []).append(value)
    asked = [and_(identity.c.kind == kind, identity.c.value.in_(some)) for kind, some in values.items()]
    columns = [identity.c.kind, identity.c.value, identity.c.id.label("identity_id"), lead.c.id, lead.c.first_seen_at]
    query = select(*columns).join_from(identity, lead, lead.c.id == identity.c.lead_id).where(or_(*asked))
    return {(row.kind, row.value): row for row in session.execute(query)}


def _stored(session: Session, external_ids: Sequence[str]) -> Mapping[str, Any]:
    query = select(deal).where(deal.c.external_id.in_(external_ids))
    return {row.external_id: row for row in session.execute(query)}


def _change(one: NewDeal, lead_id: int, known: Any) -> Change:
    if known is None:
        return Change.CREATED
    told = {name: value for name, value in _row(one, lead_id).items() if value is not None}
    same = all(getattr(known, name) == value for name, value in told.items())
    return Change.UNCHANGED if same else Change.UPDATED


def _row(one: NewDeal, lead_id: int) -> dict[str, Any]:
    values = (lead_id, str(one.state), one.amount, one.owner, one.reason, one.closed_at)
    return dict(zip(_COLUMNS, values, strict=True))


def _notes(one: NewDeal, first_seen_at: datetime) -> tuple[str, ...]:
    if one.state is DealState.WON and one.closed_at is not None and one.closed_at < first_seen_at:
        days = (first_seen_at - one.closed_at).days
        words = ngettext(
            "won {n} day before the first contact: kept as it is",
            "won {n} days before the first contact: kept as it is",
            days,
        )
        return (*one.notes, words.format(n=days))
    return one.notes


def _write(
    session: Session, new: Sequence[tuple[NewDeal, int]], changed: Sequence[tuple[NewDeal, int]], now: datetime
) -> None:
    stamp = {"updated_at": micros(now)}
    if new:
        rows = [{"external_id": one.external_id, **_row(one, lead_id), **stamp} for one, lead_id in new]
        session.execute(insert(deal), rows)
    if changed:
        # What a later export leaves empty stays as an earlier one told it; the date follows the state.
        new_value = {name: bindparam(f"new_{name}", type_=deal.c[name].type) for name in _COLUMNS}
        kept: dict[str, Any] = {name: func.coalesce(value, deal.c[name]) for name, value in new_value.items()}
        kept |= {"closed_at": new_value["closed_at"], **stamp}
        statement = update(deal).where(deal.c.external_id == bindparam("told")).values(kept)
        rows = [
            {"told": one.external_id, **{f"new_{name}": value for name, value in _row(one, lead_id).items()}}
            for one, lead_id in changed
        ]
        session.connection().execute(statement, rows)


def _conclude(
    session: Session,
    playbook: Playbook,
    told: Sequence[tuple[NewDeal, int]],
    people: Mapping[tuple[str, str], Any],
    stored: Mapping[str, Any],
    now: datetime,
) -> None:
    """What follows where a deal was told for the first time or changed."""
    if not told:
        return
    _set_deal_state(session, sorted({lead_id for _one, lead_id in told}), now)
    closed = [(one, lead_id) for one, lead_id in told if one.state is not DealState.OPEN]
    events = [
        NewEvent(
            source=SOURCE,
            external_id=f"{one.external_id}:{one.state}",
            kind=f"deal_{one.state}",
            occurred_at=one.closed_at or now,
            lead_id=lead_id,
            identity_id=people[one.key].identity_id,
        )
        for one, lead_id in closed
    ]
    record_events(session, events, received_at=now)
    turned = [
        (one, lead_id)
        for one, lead_id in closed
        if one.external_id not in stored or stored[one.external_id].state != one.state
    ]
    _move(
        session, playbook, [lead_id for one, lead_id in turned if one.state is DealState.WON], Lifecycle.CUSTOMER, now
    )
    lost = [lead_id for one, lead_id in turned if one.state is DealState.LOST]
    _move(session, playbook, lost, Lifecycle.LEAD, now)
    _rest(session, playbook, lost)


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
            "before": {"v": row.deal_state} if row.deal_state else None,
            "after": {"v": row.word},
            "at": micros(now),
            "source": SOURCE,
        }
        for row in moved
    ]
    session.execute(insert(lead_change), history)


def _move(session: Session, playbook: Playbook, lead_ids: Sequence[int], to: Lifecycle, now: datetime) -> None:
    if not lead_ids:
        return
    state = DealState.WON if to is Lifecycle.CUSTOMER else DealState.LOST
    closed_at = func.coalesce(deal.c.closed_at, micros(now))
    dated = select(deal.c.lead_id, func.min(closed_at).label("effective_at"))
    people = dated.where(deal.c.lead_id.in_(lead_ids), deal.c.state == state).group_by(deal.c.lead_id)
    move_lifecycle(session, now, people=people, to=to, cause=Cause.CRM, playbook=playbook.version)


def _rest(session: Session, playbook: Playbook, lead_ids: Sequence[int]) -> None:
    """After a loss nobody is handed over before the rest is over, counted from the day it was lost."""
    if not lead_ids:
        return
    rest = literal(playbook.journey.lifecycle.rest)
    lost_at = select(func.max(func.coalesce(deal.c.closed_at, deal.c.updated_at))).where(
        deal.c.lead_id == lead_state.c.lead_id, deal.c.state == "lost"
    )
    until = lost_at.scalar_subquery() + rest
    later = or_(lead_state.c.rest_until.is_(None), lead_state.c.rest_until < until)
    session.execute(update(lead_state).where(lead_state.c.lead_id.in_(lead_ids), later).values(rest_until=until))
