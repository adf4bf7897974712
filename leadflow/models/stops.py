"""What people stop, and what stops by itself until a person has looked: pauses, and nights held by the brake."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import SQLModel

from leadflow.db import Instant
from leadflow.models.columns import instant, key, part_of_key, table_of, whole, word

_LASTING = "ended_at IS NULL"


class Hold(SQLModel, table=True):
    """A sweep whose numbers tripped the brake: what it planned leaves when somebody has approved it."""

    #: The sweep's instant; its mails have it as planned_at, its hand-overs as opened_at.
    at: datetime = part_of_key(Instant)
    #: The office's date, by which people speak of it.
    night: str = word()
    #: sends_over, times_usual, handovers_over or canary.
    rule: str = word()
    #: mails or handovers: what there was too much of.
    what: str = word()
    mails: int = whole()
    handovers: int = whole()
    #: The least and the most of it on the last nights of that weekday; NULL when there were none.
    usual_low: int | None = whole(required=False)
    usual_high: int | None = whole(required=False)
    #: approved or dropped; NULL while it waits.
    answer: str | None = word(required=False)
    answered_at: datetime | None = instant(required=False)
    answered_by: str | None = word(required=False)


class Pause(SQLModel, table=True):
    """No mail leaves: none at all, none of one sequence, of one purpose, or not this email."""

    id: int = key()
    #: all, sequence, email or stream.
    kind: str = word()
    #: Of the sequence, email or purpose, '' for all.
    name: str = word(default="")
    since: datetime = instant()
    by: str = word(default="")
    ended_at: datetime | None = instant(required=False)
    ended_by: str | None = word(required=False)

    __table_args__ = (
        Index(
            "ux_pause_lasting",
            "kind",
            "name",
            unique=True,
            sqlite_where=text(_LASTING),
            postgresql_where=text(_LASTING),
        ),
    )


hold = table_of(Hold)
pause = table_of(Pause)
