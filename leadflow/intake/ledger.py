"""The consent ledger as a person writes in it: what was asked for is given by their own click, or taken back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, select, update
from sqlalchemy.orm import Session

from leadflow.conditions.words import change_of
from leadflow.intake.confirming import LASTS, Confirmed
from leadflow.models import consent, identity, lead, lead_change, suppression
from leadflow.types import OWN_NO, Basis, Purpose, micros

#: Consent to one of these is a basis to write on.
_MAILED = (Purpose.NURTURE, Purpose.NEWSLETTER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Where a word for the ledger comes from."""

    method: str
    page: str | None = None
    #: Cut to its network.
    ip: str | None = None
    user_agent: str | None = None


def give_what_was_asked(session: Session, done: Confirmed, *, at: datetime, proof: Proof) -> tuple[str, ...]:
    """Consent to every purpose that was asked for and not taken back since; the wording is that of the form."""
    asked = [row for row in session.execute(_last_words(done.lead_id)) if _still_asked(row, at)]
    if not asked:
        return ()
    copied = ("purpose", "identity_id", "wording_hash", "wording_version", "page")
    written = [
        {name: getattr(row, name) for name in copied}
        | _word(done.lead_id, "given", at, proof)
        | {"page": row.page, "confirmed_at": at}
        for row in asked
    ]
    session.execute(insert(consent), written)
    lift_own_no(session, done.identity_id, before=done.asked_at)
    purposes = tuple(row.purpose for row in asked)
    if set(purposes) & set(_MAILED):
        write_on_consent(session, done.lead_id, at, source=proof.method)
    return purposes


def say(
    session: Session, lead_id: int, identity_id: int | None, words: Mapping[str, bool], at: datetime, proof: Proof
) -> int:
    """A line of the ledger for each of `words` (purpose → agrees) that differs from the last; how many."""
    known = {purpose: state == "given" for purpose, state in standing(session, lead_id).items()}
    new = {purpose: agrees for purpose, agrees in words.items() if known.get(purpose) is not agrees}
    lines = [
        {"purpose": purpose, "identity_id": identity_id} | _word(lead_id, "given" if agrees else "withdrawn", at, proof)
        for purpose, agrees in new.items()
    ]
    if lines:
        session.execute(insert(consent), lines)
    return len(lines)


def standing(session: Session, lead_id: int) -> dict[str, str]:
    """Purpose → the last word on it, `given` or `withdrawn`."""
    lines = select(consent.c.purpose, consent.c.state).where(consent.c.lead_id == lead_id, consent.c.state != "asked")
    return {row.purpose: row.state for row in session.execute(lines.order_by(consent.c.at, consent.c.id))}


def lift_own_no(session: Session, identity_id: int, *, before: datetime) -> None:
    """DELETE suppression: the address's own no from before then."""
    hashed = select(identity.c.hash).where(identity.c.id == identity_id).scalar_subquery()
    mine = (suppression.c.address_hash == hashed, suppression.c.at <= micros(before))
    session.execute(delete(suppression).where(*mine, suppression.c.reason.in_(OWN_NO)))


def _last_words(lead_id: int) -> Select[Any]:
    """The newest line of each purpose, an unanswered one included."""
    newest = func.row_number().over(partition_by=consent.c.purpose, order_by=[consent.c.at.desc(), consent.c.id.desc()])
    lines = select(consent, newest.label("newest")).where(consent.c.lead_id == lead_id).subquery()
    return select(lines).where(lines.c.newest == 1).order_by(lines.c.id)


def _still_asked(row: Row[Any], at: datetime) -> bool:
    return row.state == "asked" and micros(row.at) > micros(at) - LASTS


def _word(lead_id: int, state: str, at: datetime, proof: Proof) -> dict[str, Any]:
    return {
        "lead_id": lead_id,
        "state": state,
        "at": at,
        "method": proof.method,
        "page": proof.page,
        "ip": proof.ip,
        "user_agent": proof.user_agent,
    }


def write_on_consent(session: Session, lead_id: int, at: datetime, *, source: str) -> None:
    """UPDATE lead: consent is what this person is written to on, and whatever kept mail away is over."""
    was = session.execute(select(lead.c.basis, lead.c.no_mail).where(lead.c.id == lead_id)).one_or_none()
    if was is None:
        return
    basis = was.basis if was.basis == Basis.CUSTOMER else Basis.CONSENT.value
    new = {"basis": basis, "no_mail": False}
    changed = {name: value for name, value in new.items() if getattr(was, name) != value}
    if not changed:
        return
    session.execute(update(lead).where(lead.c.id == lead_id).values(**changed, updated_at=at))
    history = [
        {"lead_id": lead_id, "field": name, "before": change_of(getattr(was, name)), "after": change_of(value)}
        | {"at": at, "source": source}
        for name, value in changed.items()
    ]
    session.execute(insert(lead_change), history)
