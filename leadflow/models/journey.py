"""Decisions about a lead: stage, lifecycle, enrolments, hand-overs, and why."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import SQLModel

from leadflow.db import Instant, Word
from leadflow.models.columns import BY_KEY, document, flag, instant, key, part_of_key, table_of, taken_from, whole, word


class LeadState(SQLModel, table=True):
    """Where a lead stands; narrow, rewritten only when something changed."""

    __tablename__ = "lead_state"

    lead_id: int = part_of_key()
    stage: str = word(default="discovery")
    stage_since: datetime = instant()
    #: The stage before this one; NULL while it never changed.
    stage_before: str | None = word(required=False)
    #: Since when `keep_while` has failed without a break.
    unmet_since: datetime | None = instant(required=False)
    lifecycle: str = word(default="lead")
    lifecycle_since: datetime = instant()
    segment_main: str | None = word(required=False)
    #: How many qualification criteria are met, and which (bit i = i-th criterion of the file).
    qualification: int = whole(default=0, big=False)
    criteria: int = whole(default=0, big=False)
    #: Has an open hand-over.
    with_sales: bool = flag()
    #: Hot rules that held at the last sweep (bit i = i-th rule of the file): hot is a crossing.
    hot: int = whole(default=0)
    #: After a rejection: no hand-over before this instant.
    rest_until: datetime | None = instant(required=False)
    #: Acts before this instant are spent: ignored by stages and hot rules.
    spent_before: datetime | None = instant(required=False)
    #: The sweep that last looked; a phase leaves alone leads seen by a later one.
    as_of: datetime | None = instant(required=False)

    __table_args__ = (
        # Few rows: those a sweep of one lead has looked at.
        Index(
            "ix_lead_state_as_of",
            "as_of",
            sqlite_where=text("as_of IS NOT NULL"),
            postgresql_where=text("as_of IS NOT NULL"),
        ),
        # Fewer still: those whom sales sent back.
        Index(
            "ix_lead_state_spent",
            "lead_id",
            "spent_before",
            sqlite_where=text("spent_before IS NOT NULL"),
            postgresql_where=text("spent_before IS NOT NULL"),
        ),
        BY_KEY,
    )


class StageChange(SQLModel, table=True):
    """A lead moved on, or back, on its journey."""

    __tablename__ = "stage_change"

    lead_id: int = part_of_key()
    at: datetime = part_of_key(Instant)
    before: str | None = word(required=False)
    after: str = word()
    playbook: str = word()


class Enrolment(SQLModel, table=True):
    """A lead's way through one sequence; the entry number is part of every message's key."""

    id: int = key()
    lead_id: int = taken_from()
    sequence: str = word()
    track: str = word()
    entry: int = whole(big=False)
    state: str = word(default="active")
    entered_at: datetime = instant()
    #: Name of the last completed step, NULL before the first.
    position: str | None = word(required=False)
    #: The present step: the one after `position` in today's file, or where a branch sent; NULL once ended.
    step: str | None = word(required=False)
    #: When the step before completed (for an email: when it was sent); waits count from here.
    completed_at: datetime = instant()
    #: When the present step is due; an escalate step is asked for at the first sweep later than this.
    due_at: datetime | None = instant(required=False)
    paused_at: datetime | None = instant(required=False)
    pause_reason: str | None = word(required=False)
    ended_at: datetime | None = instant(required=False)
    end_reason: str | None = word(required=False)
    #: Variant or holdout, from the lead's seed.
    arm: str | None = word(required=False)
    #: Went live with people already matching: they came in by the ramp.
    ramped: bool = flag()

    __table_args__ = (
        UniqueConstraint("lead_id", "sequence", "entry"),
        Index(
            "ux_enrolment_live",
            "lead_id",
            "sequence",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(
            "ux_enrolment_track",
            "lead_id",
            "track",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_enrolment_due", "sequence", "step", "state"),
        Index("ix_enrolment_moving", "state", "due_at"),
        Index(
            "ix_enrolment_ended",
            "ended_at",
            sqlite_where=text("ended_at IS NOT NULL"),
            postgresql_where=text("ended_at IS NOT NULL"),
        ),
    )


class SequenceLive(SQLModel, table=True):
    """When a sequence was first live, and the leads who matched on that day, who enter by its ramp."""

    __tablename__ = "sequence_live"

    sequence: str = part_of_key(Word)
    since: datetime = instant()


class SequenceExisting(SQLModel, table=True):
    """A lead who already matched when a sequence went live; leaves on entering or when `existing: none`."""

    __tablename__ = "sequence_existing"

    sequence: str = part_of_key(Word)
    lead_id: int = part_of_key()


class Verdict(SQLModel, table=True):
    """Why an enrolment's present step has not left yet; rewritten only when the reason changes."""

    enrolment_id: int = part_of_key()
    step: str = word()
    reason: str = word()
    since: datetime = instant()
    #: When it lifts, where that can be known.
    until: datetime | None = instant(required=False)


class Decision(SQLModel, table=True):
    """One decision, written when a verdict changes; ids, a reason code and a few numbers, never text."""

    lead_id: int = part_of_key()
    #: stage, lifecycle, enrol, exit, pause, resume, plan, skip, step, escalate, suppress, reconcile, resend.
    kind: str = part_of_key(Word)
    #: What it is about: `sequence/step`, a stage, a hot rule.
    subject: str = part_of_key(Word)
    at: datetime = part_of_key(Instant)
    #: Year and month of `at`: lets PostgreSQL partition the table.
    month: int = part_of_key()
    reason: str = word(default="")
    detail: dict[str, Any] = document()
    playbook: str = word()

    __table_args__ = (Index("ix_decision_at", "at"),)


class Escalation(SQLModel, table=True):
    """A hand-over of one lead to one salesperson, with a reason, a clock and an answer."""

    id: int = key()
    lead_id: int = taken_from()
    account_id: int | None = whole(required=False)
    #: 1 + how many the lead had before.
    number: int = whole(big=False)
    #: Name of the hot rule, or of the sequence step that asked.
    rule: str = word()
    rep: str = word()
    #: Name of the route that chose the salesperson.
    route: str = word()
    #: Of the score pair at the time, `A2`.
    band: str = word(default="")
    state: str = word(default="waiting")
    opened_at: datetime = instant()
    due_at: datetime = instant()
    answered_at: datetime | None = instant(required=False)
    #: The reason of a rejection or a loss.
    answer_reason: str | None = word(required=False)
    #: Cents.
    amount: int | None = whole(required=False)
    #: The lead raised a hand again while sales had it.
    raised_at: datetime | None = instant(required=False)
    #: `later` asked to come back on this day.
    again_at: datetime | None = instant(required=False)
    closed_at: datetime | None = instant(required=False)
    #: The alert left; NULL while it waits.
    alerted_at: datetime | None = instant(required=False)
    #: How many reminders left (100, 200, 300 %).
    reminders: int = whole(default=0, big=False)
    playbook: str = word()

    __table_args__ = (
        UniqueConstraint("lead_id", "number"),
        Index(
            "ux_escalation_open",
            "lead_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_escalation_rep", "rep", "opened_at"),
        Index("ix_escalation_account", "account_id", "opened_at"),
    )


class Assignment(SQLModel, table=True):
    """A salesperson was given a hand-over; append-only: limits and turns count what was taken away again, too."""

    escalation_id: int = part_of_key()
    at: datetime = part_of_key(Instant)
    rep: str = word()
    #: Name of the route, or how else it came: `no_answer`, `taken_over`.
    route: str = word()
    #: Who had it before and did not answer, or gave it away; NULL for the first.
    taken_from: str | None = word(required=False)
    #: Its place among those that pools gave at the same instant; 0 where it was nobody's turn.
    turn: int = whole(default=0, big=False)

    __table_args__ = (Index("ix_assignment_rep", "rep", "at"),)


lead_state = table_of(LeadState)
stage_change = table_of(StageChange)
enrolment = table_of(Enrolment)
sequence_live = table_of(SequenceLive)
sequence_existing = table_of(SequenceExisting)
verdict = table_of(Verdict)
decision = table_of(Decision)
escalation = table_of(Escalation)
assignment = table_of(Assignment)
