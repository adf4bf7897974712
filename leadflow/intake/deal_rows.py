"""Writes deals as a file tells them, each under its own id, and tells their people how they stand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, func, insert, or_, select, update
from sqlalchemy.orm import Session

from leadflow.intake.deal_effects import conclude
from leadflow.intake.deal_words import DealState, Told
from leadflow.intake.importing import Rejected, Taken
from leadflow.intake.people import Change
from leadflow.models import deal, identity, lead
from leadflow.playbook.model import Playbook
from leadflow.text import _, ngettext
from leadflow.types import micros


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
    """Keep a batch of deals and draw the consequences of those that changed; at most 25 statements."""
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
    before = {one.external_id: stored[one.external_id].state for one, _lead_id in changed}
    conclude(session, playbook, [_told(one, lead_id, people, before) for one, lead_id in (*new, *changed)], now)
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


def _told(one: NewDeal, lead_id: int, people: Mapping[tuple[str, str], Any], before: Mapping[str, str]) -> Told:
    return Told(
        external_id=one.external_id,
        lead_id=lead_id,
        identity_id=people[one.key].identity_id,
        state=one.state,
        turned=before.get(one.external_id) != one.state,
        closed_at=one.closed_at,
        amount=one.amount,
        reason=one.reason,
        owner=one.owner,
    )
