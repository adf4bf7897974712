"""What happened: raw intake, events and the keys that make each count once."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import SQLModel

from leadflow.db import Word
from leadflow.models.columns import (
    BY_KEY,
    document,
    flag,
    instant,
    key,
    leave_room,
    part_of_key,
    prose,
    raw,
    table_of,
    whole,
    word,
)


class Intake(SQLModel, table=True):
    """What came from outside, stored as it came before anything reads it."""

    id: int = key()
    #: sendgrid, mail, form, event, replay …
    kind: str = word()
    received_at: datetime = instant()
    body: bytes = raw()
    processed_at: datetime | None = instant(required=False)
    error: str | None = prose()

    __table_args__ = (
        Index(
            "ix_intake_waiting",
            "id",
            sqlite_where=text("processed_at IS NULL"),
            postgresql_where=text("processed_at IS NULL"),
        ),
    )


class EventKey(SQLModel, table=True):
    """Idempotency of events, apart from them so that `event` may be partitioned by month."""

    __tablename__ = "event_key"

    event_id: int = key()
    source: str = word()
    external_id: str = word()

    __table_args__ = (UniqueConstraint("source", "external_id"),)


class Event(SQLModel, table=True):
    """Something a lead did or a message met with, in normalised words."""

    id: int = part_of_key()
    #: Year and month of `occurred_at` in UTC, 202603: lets PostgreSQL partition the table.
    month: int = part_of_key()
    lead_id: int | None = whole(required=False)
    #: The address or visitor that did it; never changes.
    identity_id: int | None = whole(required=False)
    kind: str = word()
    occurred_at: datetime = instant()
    received_at: datetime = instant()
    #: What the sender claimed, where it lay after `received_at` and was clamped.
    claimed_at: datetime | None = instant(required=False)
    #: Page, link or document path: the one property asked of a million rows, so it is a column.
    path: str | None = word(required=False)
    #: Hundredths: human and everything else 100, unknown click 30, machine click 0.
    weight: int = whole(default=100, big=False)
    #: The message it answers, for clicks and replies.
    message_id: int | None = whole(required=False)
    #: Typed properties other than path.
    properties: dict[str, Any] = document()
    #: Version of the rule that classified a click.
    classified_by: str | None = word(required=False)

    __table_args__ = (
        Index("ix_event_kind", "kind", "occurred_at", "received_at", "lead_id", "path", "weight"),
        Index("ix_event_lead", "lead_id", "occurred_at"),
        Index("ix_event_recent", "occurred_at", "lead_id", "kind", "path", "weight", "received_at"),
    )


class EventInbox(SQLModel, table=True):
    """Events not folded into the engagement sums yet; a row leaves with the transaction that adds it."""

    __tablename__ = "event_inbox"

    event_id: int = part_of_key()
    month: int = whole(big=False)
    lead_id: int = whole()
    occurred_at: datetime = instant()
    received_at: datetime = instant()
    #: The fold that took it; NULL while it waits.
    batch: int | None = whole(required=False)

    __table_args__ = (BY_KEY,)


class Link(SQLModel, table=True):
    """The target of a click, stored here and never in the address itself."""

    id: int = key()
    url: str = word()

    __table_args__ = (UniqueConstraint("url"),)


class Hit(SQLModel, table=True):
    """A raw visit of a link of ours, or one a provider tells of: kept, so that it can be judged again."""

    id: int = key()
    message_id: int = whole()
    link_id: int = whole()
    at: datetime = instant()
    method: str = word()
    #: The network it came from: the address without its last part.
    ip: str | None = word(required=False)
    user_agent: str | None = prose()
    #: The browser said that it only fetches ahead.
    ahead: bool = flag()
    #: The provider's own id of it, and when it told; NULL for a visit of ours.
    told_as: str | None = word(required=False)
    told_at: datetime | None = instant(required=False)
    #: What speaks for a machine, as bits; NULL until it is looked at, or looked at again.
    signs: int | None = whole(required=False)
    event_id: int | None = whole(required=False)

    __table_args__ = (
        UniqueConstraint("told_as"),
        Index("ix_hit_message", "message_id", "at"),
        Index("ix_hit_network", "ip", "message_id"),
        Index("ix_hit_new", "id", sqlite_where=text("signs IS NULL"), postgresql_where=text("signs IS NULL")),
        Index("ix_hit_alone", "id", sqlite_where=text("event_id IS NULL"), postgresql_where=text("event_id IS NULL")),
    )


class Network(SQLModel, table=True):
    """A network whose visits of many mails' links show a machine; a cache of what `hit` says of it."""

    network: str = part_of_key(Word)
    #: Which rules its record meets, as bits.
    standing: int = whole(big=False)


class Touch(SQLModel, table=True):
    """Where a visit came from, for the first and the last source of whoever it was."""

    id: int = key()
    #: The visitor or address that came; whose it is today, `identity` says.
    identity_id: int = whole()
    at: datetime = instant()
    #: utm_source, else the site or network the referrer names, else `direct`.
    source: str = word()
    medium: str | None = word(required=False)
    campaign: str | None = word(required=False)
    #: Host of the page that led here.
    referrer: str | None = word(required=False)

    __table_args__ = (UniqueConstraint("identity_id", "at"),)


class Reply(SQLModel, table=True):
    """Somebody answered a mail; its words are kept until whoever cares for that person has been told them."""

    #: The mail's own id, as its event has it.
    told_as: str = part_of_key(Word)
    lead_id: int = whole()
    message_id: int | None = whole(required=False)
    at: datetime = instant()
    subject: str | None = prose()
    words: str | None = prose()
    told_at: datetime | None = instant(required=False)

    __table_args__ = (
        Index("ix_reply_waiting", "at", sqlite_where=text("told_at IS NULL"), postgresql_where=text("told_at IS NULL")),
    )


intake = table_of(Intake)
event_key = table_of(EventKey)
event = table_of(Event)
event_inbox = table_of(EventInbox)
link = table_of(Link)
hit = table_of(Hit)
touch = table_of(Touch)
network = table_of(Network)
reply = table_of(Reply)

leave_room(event_inbox, 45)
