"""Functions of history, cached: engagement sums, scores, segments, calendars."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import SQLModel

from leadflow.db import Instant, Word
from leadflow.models.columns import BY_KEY, instant, key, leave_room, part_of_key, table_of, whole, word


class ScoringRule(SQLModel, table=True):
    """An engagement rule as it was last folded; another fingerprint folds it again from the events."""

    __tablename__ = "scoring_rule"

    id: int = key()
    name: str = word()
    fingerprint: str = word()
    half_life: int = whole(big=False)
    #: Hours since the epoch: the landmark L the sums refer to.
    landmark: int = whole()

    __table_args__ = (UniqueConstraint("name"),)


class Growth(SQLModel, table=True):
    """g(hour) = round(2^(20 + (hour − L) / half_life)) for the present landmark, computed in Python."""

    half_life: int = part_of_key()
    hour: int = part_of_key()
    g: int = whole()

    __table_args__ = (BY_KEY,)


class Engagement(SQLModel, table=True):
    """Forward-decayed sum of points·weight·g of one lead under one rule."""

    lead_id: int = part_of_key()
    rule: int = part_of_key()
    total: int = whole(default=0)

    __table_args__ = (BY_KEY,)


class LeadScore(SQLModel, table=True):
    """The scores of a lead as of its last sweep; fit, engagement and velocity in hundredths of a point."""

    __tablename__ = "lead_score"

    lead_id: int = part_of_key()
    fit: int = whole(default=0)
    engagement: int = whole(default=0)
    #: Points won in the last 7 days.
    velocity: int = whole(default=0)
    #: `A1` … `D4`.
    band: str = word(default="D4")
    #: The veto rule that forced D.
    veto: str | None = word(required=False)

    __table_args__ = (BY_KEY,)


class Membership(SQLModel, table=True):
    """An interval during which a lead was in a segment."""

    segment: str = part_of_key(Word)
    lead_id: int = part_of_key()
    joined_at: datetime = part_of_key(Instant)
    left_at: datetime | None = instant(required=False)

    __table_args__ = (
        Index(
            "ux_membership_open",
            "segment",
            "lead_id",
            unique=True,
            sqlite_where=text("left_at IS NULL"),
            postgresql_where=text("left_at IS NULL"),
        ),
        Index("ix_membership_lead", "lead_id"),
    )


class Calendar(SQLModel, table=True):
    """A (zone, holiday country) pair in use; '' stands for unknown, read as the office's."""

    id: int = key()
    zone: str = word(default="")
    country: str = word(default="")
    #: Of the window, holidays and zone data it was expanded with.
    fingerprint: str = word(default="")
    #: Slots and days are expanded up to here.
    until: datetime = instant()

    __table_args__ = (UniqueConstraint("zone", "country"),)


class WindowSlot(SQLModel, table=True):
    """An open stretch of a calendar's sending window."""

    __tablename__ = "window_slot"

    calendar_id: int = part_of_key()
    closes_at: datetime = part_of_key(Instant)
    opens_at: datetime = instant()


class BusinessDay(SQLModel, table=True):
    """The n-th business day of a calendar, counted from its first."""

    __tablename__ = "business_day"

    calendar_id: int = part_of_key()
    n: int = part_of_key()
    starts_at: datetime = instant()

    __table_args__ = (Index("ix_business_day_start", "calendar_id", "starts_at"),)


scoring_rule = table_of(ScoringRule)
growth = table_of(Growth)
engagement = table_of(Engagement)
lead_score = table_of(LeadScore)
membership = table_of(Membership)
calendar = table_of(Calendar)
window_slot = table_of(WindowSlot)
business_day = table_of(BusinessDay)

for often, fillfactor in ((engagement, 80), (lead_score, 50)):
    leave_room(often, fillfactor)
