"""Who: leads, their addresses, companies, what changed about them, what they agreed to."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import SQLModel

from leadflow.db import Word
from leadflow.models.columns import (
    document,
    flag,
    instant,
    key,
    part_of_key,
    prose,
    refers,
    table_of,
    taken_from,
    whole,
    word,
)


class Account(SQLModel, table=True):
    """A company leads work for."""

    id: int = key()
    #: The domain when it is not a free mailbox's, else `name:` and the casefolded name.
    key: str = word()
    name: str | None = word(required=False)
    domain: str | None = word(required=False)
    #: Name of the salesperson who knows this company.
    owner: str | None = word(required=False)
    created_at: datetime = instant()

    __table_args__ = (UniqueConstraint("key"),)


class Lead(SQLModel, table=True):
    """A person, whatever their maturity."""

    id: int = key()
    #: 1…2³¹−2, keyed from the id: spreads sendings, arms and shards (SQLite cannot hash).
    seed: int = whole()
    account_id: int | None = refers("account.id", required=False, index=True)
    #: The identity that is mailed.
    address_id: int | None = whole(required=False)
    first_name: str | None = word(required=False)
    last_name: str | None = word(required=False)
    phone: str | None = word(required=False)
    language: str | None = word(required=False)
    country: str | None = word(required=False)
    zone: str | None = word(required=False)
    email_domain: str | None = word(required=False)
    email_is_free: bool = flag()
    audience: str = word(default="b2b")
    basis: str | None = word(required=False)
    source: str | None = word(required=False)
    #: ISO date on which the person was told where the data came from.
    informed_on: str | None = word(required=False)
    no_mail: bool = flag()
    #: none, open, won or lost, as the CRM last said.
    deal_state: str | None = word(required=False)
    #: Declared fields as typed at intake: numbers, booleans, texts, ISO dates.
    attributes: dict[str, Any] = document()
    #: Text fields for comparing: `x` casefolded, `x#words` as ` word word ` between single spaces.
    folded: dict[str, Any] = document()
    #: Where each declared field's value comes from (`form`, `import`, `sales`) and its ISO date.
    provenance: dict[str, Any] = document()
    #: Business date of the first contact; `created_at` is when the row came.
    first_seen_at: datetime = instant()
    created_at: datetime = instant()
    updated_at: datetime = instant()

    __table_args__ = (Index("ix_lead_address", "address_id"),)


class Identity(SQLModel, table=True):
    """An address, visitor id or external id; `lead_id` is today's owner."""

    id: int = key()
    #: email, visitor or external.
    kind: str = word()
    value: str = word()
    #: Keyed hash of the value: what a suppression is kept under.
    hash: str = word()
    lead_id: int | None = refers("lead.id", required=False, index=True)
    #: A visitor whom a click alone made this lead's: mails are passed on, so it gives way to who says who they are.
    by_click: bool = flag()

    __table_args__ = (UniqueConstraint("kind", "value"),)


class LeadChange(SQLModel, table=True):
    """One attribute of one lead changed; with all of them any past lead can be rebuilt."""

    __tablename__ = "lead_change"

    id: int = key()
    lead_id: int = whole()
    field: str = word()
    #: {"v": value} or NULL for a missing value.
    before: dict[str, Any] | None = document(required=False)
    after: dict[str, Any] | None = document(required=False)
    at: datetime = instant()
    source: str = word()

    __table_args__ = (Index("ix_lead_change_lead", "lead_id", "field", "at"), Index("ix_lead_change_at", "at"))


class Consent(SQLModel, table=True):
    """Append-only ledger of what a person agreed to or withdrew, with proof."""

    id: int = key()
    lead_id: int = refers("lead.id", index=True)
    identity_id: int | None = whole(required=False)
    purpose: str = word()
    #: given, withdrawn, or asked: given once the owner of the address confirms it.
    state: str = word()
    at: datetime = instant()
    #: form, import, api, double_opt_in, link, preferences.
    method: str = word()
    wording_hash: str | None = word(required=False)
    wording_version: str | None = word(required=False)
    page: str | None = word(required=False)
    #: IPv4 cut to /24, IPv6 to /48.
    ip: str | None = word(required=False)
    user_agent: str | None = prose()
    confirmed_at: datetime | None = instant(required=False)


class Suppression(SQLModel, table=True):
    """An address that must not be mailed, kept as a keyed hash; nothing lifts it but a person's own act."""

    address_hash: str = part_of_key(Word)
    reason: str = word()
    at: datetime = instant()
    source: str = word()


class Dirty(SQLModel, table=True):
    """Leads whose engagement sums must be folded again from their events."""

    lead_id: int = part_of_key()


class LifecycleChange(SQLModel, table=True):
    """One move of a lead's lifecycle, with its business date and the date it was recorded."""

    __tablename__ = "lifecycle_change"

    id: int = key()
    lead_id: int = taken_from(index=True)
    before: str = word()
    after: str = word()
    #: sweep, sales, crm or import.
    cause: str = word()
    effective_at: datetime = instant()
    recorded_at: datetime = instant()


class Deal(SQLModel, table=True):
    """A sale as the CRM last told it."""

    id: int = key()
    lead_id: int = refers("lead.id", index=True)
    external_id: str = word()
    #: open, won or lost.
    state: str = word()
    #: Cents of the workspace's currency.
    amount: int | None = whole(required=False)
    owner: str | None = word(required=False)
    reason: str | None = word(required=False)
    closed_at: datetime | None = instant(required=False)
    updated_at: datetime = instant()

    __table_args__ = (UniqueConstraint("external_id"),)


account = table_of(Account)
lead = table_of(Lead)
identity = table_of(Identity)
lead_change = table_of(LeadChange)
consent = table_of(Consent)
suppression = table_of(Suppression)
dirty = table_of(Dirty)
lifecycle_change = table_of(LifecycleChange)
deal = table_of(Deal)
