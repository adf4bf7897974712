"""Messages and the catalogue of templates as rows, so that choosing is one statement."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import SQLModel

from leadflow.db import Word
from leadflow.models.columns import document, flag, instant, key, part_of_key, prose, table_of, taken_from, whole, word

_FLYING = "counted AND state IN ('planned', 'claimed', 'sending')"


class Message(SQLModel, table=True):
    """One planned message to one lead; also its whole delivery history."""

    id: int = key()
    channel: str = word(default="email")
    lead_id: int = taken_from()
    address_id: int = whole()
    enrolment_id: int | None = taken_from(required=False)
    sequence: str | None = word(required=False)
    step: str | None = word(required=False)
    email: str = word()
    language: str = word()
    #: The variant of the email, from the lead's seed; NULL for the original.
    variant: str | None = word(required=False)
    purpose: str = word()
    #: The lawful basis it is sent on; a message cannot exist without one.
    basis: str = word()
    #: Every purpose but service counts against the pressure caps.
    counted: bool = flag(default=True)
    state: str = word(default="planned")
    #: Why it failed or was suppressed.
    reason: str | None = word(required=False)
    #: Version of the email: content hash of its folder and the base it stands in.
    version: str = word()
    playbook: str = word()
    #: What the choice saw: stage, segment, band, how many it was chosen from.
    chosen: dict[str, Any] = document()
    planned_at: datetime = instant()
    #: The instant it is planned to leave.
    send_at: datetime = instant()
    expires_at: datetime = instant()
    #: Written with the intent, corrected by the answer.
    sent_at: datetime | None = instant(required=False)
    owner: str | None = word(required=False)
    #: On the database's clock.
    lease_until: datetime | None = instant(required=False)
    attempt_id: str | None = word(required=False)
    attempts: int = whole(default=0, big=False)
    #: When the intent was committed, on the database's clock: graces run from here.
    intent_at: datetime | None = instant(required=False)
    #: When the provider's log last said that it knows nothing of the attempt, on the database's clock.
    asked_at: datetime | None = instant(required=False)
    #: How often it has said so.
    negatives: int = whole(default=0, big=False)
    #: The provider's name for it; a note, never a key.
    provider_id: str | None = word(required=False)
    delivery: str | None = word(required=False)
    delivery_rank: int = whole(default=-1, big=False)
    delivery_at: datetime | None = instant(required=False)
    #: When the mailbox had it, whatever was heard since.
    delivered_at: datetime | None = instant(required=False)
    note: str | None = prose()

    __table_args__ = (
        UniqueConstraint("enrolment_id", "step"),
        Index(
            "ux_message_in_flight",
            "address_id",
            unique=True,
            sqlite_where=text(_FLYING),
            postgresql_where=text(_FLYING),
        ),
        Index("ix_message_due", "state", "send_at", "id"),
        Index("ix_message_address", "address_id", "sent_at"),
        Index("ix_message_lead_email", "lead_id", "email"),
        UniqueConstraint("attempt_id"),
    )


class Tpl(SQLModel, table=True):
    """One email of the playbook in use, its `for` as numbers; 0 or NULL means anybody."""

    template: str = part_of_key(Word)
    purpose: str = word()
    #: Bits of the stages, fit bands (A=1 … D=8) and engagement bands (1=1 … 4=8) it is for; all bits when anybody.
    stages: int = whole(big=False)
    fits: int = whole(big=False)
    engagements: int = whole(big=False)
    #: Whether tpl_segment lists any.
    has_segments: bool = flag()
    #: The bit of its `when`, 0 when it has none.
    when_bit: int = whole(default=0)
    rank: int = whole(big=False)
    specificity: int = whole(big=False)
    #: Microseconds.
    again_after: int = whole()
    #: Microseconds from planning to expiry, when elapsed; NULL with business days.
    expires_in: int | None = whole(required=False)
    expires_days: int | None = whole(required=False, big=False)
    counted: bool = flag(default=True)
    #: `pick: named` emails are never chosen by `best_for`.
    pickable: bool = flag(default=True)
    #: What it is about, where readers may decline that.
    topic: str | None = word(required=False)
    version: str = word()


class TplSegment(SQLModel, table=True):
    """The segments an email is for."""

    __tablename__ = "tpl_segment"

    template: str = part_of_key(Word)
    segment: str = part_of_key(Word)


class TplLang(SQLModel, table=True):
    """Which body a reader of `for_lang` gets, and the fields it needs (bit i = i-th needed field of the playbook)."""

    __tablename__ = "tpl_lang"

    template: str = part_of_key(Word)
    #: Lower-case tag a lead may carry (`fr`, `fr-be`), '' for a lead without one or with one nobody writes.
    for_lang: str = part_of_key(Word)
    lang: str = word()
    needs: int = whole(default=0)


message = table_of(Message)
tpl = table_of(Tpl)
tpl_segment = table_of(TplSegment)
tpl_lang = table_of(TplLang)
