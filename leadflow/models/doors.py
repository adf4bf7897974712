"""Who may push in: keys of the API, and the answers that are given again to a request told twice."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import SQLModel

from leadflow.db import Word
from leadflow.models.columns import instant, part_of_key, raw, table_of, whole, word


class ApiKey(SQLModel, table=True):
    """A key of the API by its name; only its hash is kept."""

    __tablename__ = "api_key"

    name: str = part_of_key(Word)
    #: SHA-256 of the key, hex: it is random enough to need no salt.
    hash: str = word()
    #: What it may be used for, between single spaces: `events leads`.
    scopes: str = word()
    created_at: datetime = instant()
    #: The day it was last used, to the hour; NULL: never.
    used_at: datetime | None = instant(required=False)
    revoked_at: datetime | None = instant(required=False)

    __table_args__ = (UniqueConstraint("hash"),)


class Answered(SQLModel, table=True):
    """The answer to a request that brought an Idempotency-Key, kept for a day."""

    api_key: str = part_of_key(Word)
    key: str = part_of_key(Word)
    #: Of the door and the body: the same key with another request is refused.
    fingerprint: str = word()
    at: datetime = instant()
    status: int = whole(default=0, big=False)
    body: bytes = raw()

    __table_args__ = (Index("ix_answered_at", "at"),)


api_key = table_of(ApiKey)
answered = table_of(Answered)
