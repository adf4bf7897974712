"""What people decide about their own data: how they want to be written to, and wishes that wait for their own click."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import SQLModel

from leadflow.db import Word
from leadflow.models.columns import instant, part_of_key, table_of, taken_from, whole, word


class Confirmation(SQLModel, table=True):
    """A wish that counts once the owner of the address has confirmed it: the mail that asks, and until when."""

    #: The mail whose link confirms it.
    message_id: int = part_of_key()
    #: consent, copy, erase or keep.
    kind: str = word()
    lead_id: int = taken_from()
    identity_id: int = whole()
    asked_at: datetime = instant()
    expires_at: datetime = instant()
    #: A link confirms once.
    used_at: datetime | None = instant(required=False)

    __table_args__ = (Index("ix_confirmation_identity", "identity_id", "asked_at"),)


class Preference(SQLModel, table=True):
    """How the reader of an address wants to be written to, where they have said so."""

    identity_id: int = part_of_key()
    #: Microseconds between two counted mails; NULL is as often as the playbook allows.
    gap: int | None = whole(required=False)
    #: No counted mail before.
    paused_until: datetime | None = instant(required=False)
    updated_at: datetime = instant()


class Declined(SQLModel, table=True):
    """A topic that the reader of an address does not want to hear of."""

    identity_id: int = part_of_key()
    topic: str = part_of_key(Word)
    at: datetime = instant()


class Opened(SQLModel, table=True):
    """The last day on which an address opened a mail, where `tracking: {opens: date}` asks for it: no hour, no mail."""

    identity_id: int = part_of_key()
    #: 2026-03-24, of the office.
    day: str = word()


confirmation = table_of(Confirmation)
preference = table_of(Preference)
declined = table_of(Declined)
opened = table_of(Opened)
