"""The tables as first released."""

import sqlalchemy as sa
from alembic import op

from leadflow.migrations.kinds import DOCUMENT, INSTANT, KEY, WORD
from leadflow.migrations.readable import create_readable, drop_readable

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


_READABLE = {
    "lead": {"created_at", "first_seen_at", "updated_at"},
    "event": {"claimed_at", "occurred_at", "received_at"},
    "message": {
        "asked_at",
        "delivered_at",
        "delivery_at",
        "expires_at",
        "intent_at",
        "lease_until",
        "planned_at",
        "send_at",
        "sent_at",
    },
    "enrolment": {"completed_at", "due_at", "ended_at", "entered_at", "paused_at"},
    "escalation": {"again_at", "alerted_at", "answered_at", "closed_at", "due_at", "opened_at", "raised_at"},
    "assignment": {"at"},
    "decision": {"at"},
    "lead_state": {"as_of", "lifecycle_since", "rest_until", "spent_before", "stage_since", "unmet_since"},
    "suppression": {"at"},
    "consent": {"at", "confirmed_at"},
    "confirmation": {"asked_at", "expires_at", "used_at"},
    "preference": {"paused_until", "updated_at"},
    "declined": {"at"},
    "sweep": {"at", "finished_at", "started_at"},
    "job_run": {"finished_at", "lease_until", "started_at"},
    "hold": {"answered_at", "at"},
    "pause": {"ended_at", "since"},
    "breaker": {"ask_at", "opened_at", "probe_until"},
    "bucket": {"filled_at"},
    "canary": {"at", "listens_until"},
    "api_key": {"created_at", "revoked_at", "used_at"},
    "touch": {"at"},
}


def upgrade() -> None:
    """Create every table, its indexes and its readable view."""
    op.create_table(
        "account",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("key", WORD, nullable=False),
        sa.Column("name", WORD, nullable=True),
        sa.Column("domain", WORD, nullable=True),
        sa.Column("owner", WORD, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_table(
        "answered",
        sa.Column("api_key", WORD, autoincrement=False, nullable=False),
        sa.Column("key", WORD, autoincrement=False, nullable=False),
        sa.Column("fingerprint", WORD, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("status", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("api_key", "key"),
    )
    op.create_index("ix_answered_at", "answered", ["at"], unique=False)

    op.create_table(
        "api_key",
        sa.Column("name", WORD, autoincrement=False, nullable=False),
        sa.Column("hash", WORD, nullable=False),
        sa.Column("scopes", WORD, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT, nullable=True),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("name"),
        sa.UniqueConstraint("hash"),
    )
    op.create_table(
        "assignment",
        sa.Column("escalation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", INSTANT, autoincrement=False, nullable=False),
        sa.Column("rep", WORD, nullable=False),
        sa.Column("route", WORD, nullable=False),
        sa.Column("taken_from", WORD, nullable=True),
        sa.Column("turn", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("escalation_id", "at"),
    )
    op.create_index("ix_assignment_rep", "assignment", ["rep", "at"], unique=False)
    op.create_table(
        "breaker",
        sa.Column("provider", WORD, autoincrement=False, nullable=False),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=True),
        sa.Column("ask_at", INSTANT, nullable=True),
        sa.Column("probe", WORD, nullable=True),
        sa.Column("probe_until", INSTANT, nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("provider"),
    )
    op.create_table(
        "bucket",
        sa.Column("name", WORD, autoincrement=False, nullable=False),
        sa.Column("spent", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("filled_at", INSTANT, nullable=False),
        sa.Column("taken", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "canary",
        sa.Column("at", INSTANT, autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("listens_until", INSTANT, nullable=True),
        sa.Column("verdict", WORD, nullable=True),
        sa.PrimaryKeyConstraint("at"),
    )
    op.create_table(
        "business_day",
        sa.Column("calendar_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("calendar_id", "n"),
    )
    op.create_index("ix_business_day_start", "business_day", ["calendar_id", "starts_at"], unique=False)

    op.create_table(
        "calendar",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("zone", WORD, server_default="", nullable=False),
        sa.Column("country", WORD, server_default="", nullable=False),
        sa.Column("fingerprint", WORD, server_default="", nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("zone", "country"),
    )
    op.create_table(
        "confirmation",
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("lead_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("identity_id", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("message_id"),
    )
    op.create_index("ix_confirmation_identity", "confirmation", ["identity_id", "asked_at"], unique=False)
    op.create_table(
        "declined",
        sa.Column("identity_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("topic", WORD, autoincrement=False, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("identity_id", "topic"),
    )
    op.create_table(
        "preference",
        sa.Column("identity_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("gap", sa.BigInteger(), nullable=True),
        sa.Column("paused_until", INSTANT, nullable=True),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("identity_id"),
    )
    op.create_table(
        "opened",
        sa.Column("identity_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", WORD, nullable=False),
        sa.PrimaryKeyConstraint("identity_id"),
    )
    op.create_table(
        "decision",
        sa.Column("lead_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", WORD, autoincrement=False, nullable=False),
        sa.Column("subject", WORD, autoincrement=False, nullable=False),
        sa.Column("at", INSTANT, autoincrement=False, nullable=False),
        sa.Column("month", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reason", WORD, server_default="", nullable=False),
        sa.Column("detail", DOCUMENT, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("playbook", WORD, nullable=False),
        sa.PrimaryKeyConstraint("lead_id", "kind", "subject", "at", "month"),
    )
    op.create_index("ix_decision_at", "decision", ["at"], unique=False)

    op.create_table(
        "dirty",
        sa.Column("lead_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("lead_id"),
    )
    op.create_table(
        "engagement",
        sa.Column("lead_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rule", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("total", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("lead_id", "rule"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("month", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=True),
        sa.Column("identity_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("claimed_at", INSTANT, nullable=True),
        sa.Column("path", WORD, nullable=True),
        sa.Column("weight", sa.Integer(), server_default=sa.text("(100)"), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("properties", DOCUMENT, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("classified_by", WORD, nullable=True),
        sa.PrimaryKeyConstraint("id", "month"),
    )
    op.create_index(
        "ix_event_kind", "event", ["kind", "occurred_at", "received_at", "lead_id", "path", "weight"], unique=False
    )
    op.create_index("ix_event_lead", "event", ["lead_id", "occurred_at"], unique=False)
    op.create_index(
        "ix_event_recent", "event", ["occurred_at", "lead_id", "kind", "path", "weight", "received_at"], unique=False
    )

    op.create_table(
        "event_inbox",
        sa.Column("event_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("event_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "event_key",
        sa.Column("event_id", KEY, autoincrement=True, nullable=False),
        sa.Column("source", WORD, nullable=False),
        sa.Column("external_id", WORD, nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
        sa.UniqueConstraint("source", "external_id"),
    )
    op.create_table(
        "growth",
        sa.Column("half_life", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hour", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("g", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("half_life", "hour"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "hit",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("link_id", sa.BigInteger(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("method", WORD, nullable=False),
        sa.Column("ip", WORD, nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("ahead", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("told_as", WORD, nullable=True),
        sa.Column("told_at", INSTANT, nullable=True),
        sa.Column("signs", sa.BigInteger(), nullable=True),
        sa.Column("event_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("told_as"),
    )
    op.create_index("ix_hit_message", "hit", ["message_id", "at"], unique=False)
    op.create_index("ix_hit_network", "hit", ["ip", "message_id"], unique=False)
    for name, column in (("ix_hit_new", "signs"), ("ix_hit_alone", "event_id")):
        waiting = sa.text(f"{column} IS NULL")
        op.create_index(name, "hit", ["id"], unique=False, sqlite_where=waiting, postgresql_where=waiting)

    op.create_table(
        "hold",
        sa.Column("at", INSTANT, autoincrement=False, nullable=False),
        sa.Column("night", WORD, nullable=False),
        sa.Column("rule", WORD, nullable=False),
        sa.Column("what", WORD, nullable=False),
        sa.Column("mails", sa.BigInteger(), nullable=False),
        sa.Column("handovers", sa.BigInteger(), nullable=False),
        sa.Column("usual_low", sa.BigInteger(), nullable=True),
        sa.Column("usual_high", sa.BigInteger(), nullable=True),
        sa.Column("answer", WORD, nullable=True),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("answered_by", WORD, nullable=True),
        sa.PrimaryKeyConstraint("at"),
    )
    op.create_table(
        "intake",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("processed_at", INSTANT, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_intake_waiting",
        "intake",
        ["id"],
        unique=False,
        sqlite_where=sa.text("processed_at IS NULL"),
        postgresql_where=sa.text("processed_at IS NULL"),
    )

    op.create_table(
        "job_run",
        sa.Column("job", WORD, autoincrement=False, nullable=False),
        sa.Column("slot", WORD, autoincrement=False, nullable=False),
        sa.Column("state", WORD, server_default="running", nullable=False),
        sa.Column("owner", WORD, nullable=False),
        sa.Column("lease_until", INSTANT, nullable=False),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.Column("result", DOCUMENT, server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("job", "slot"),
    )
    op.create_table(
        "lead_change",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("field", WORD, nullable=False),
        sa.Column("before", DOCUMENT, nullable=True),
        sa.Column("after", DOCUMENT, nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("source", WORD, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_lead_change_at", "lead_change", ["at"], unique=False)
    op.create_index("ix_lead_change_lead", "lead_change", ["lead_id", "field", "at"], unique=False)

    op.create_table(
        "lead_score",
        sa.Column("lead_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fit", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("engagement", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("velocity", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("band", WORD, server_default="D4", nullable=False),
        sa.Column("veto", WORD, nullable=True),
        sa.PrimaryKeyConstraint("lead_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "lead_state",
        sa.Column("lead_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stage", WORD, server_default="discovery", nullable=False),
        sa.Column("stage_since", INSTANT, nullable=False),
        sa.Column("stage_before", WORD, nullable=True),
        sa.Column("unmet_since", INSTANT, nullable=True),
        sa.Column("lifecycle", WORD, server_default="lead", nullable=False),
        sa.Column("lifecycle_since", INSTANT, nullable=False),
        sa.Column("segment_main", WORD, nullable=True),
        sa.Column("qualification", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("criteria", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("with_sales", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("hot", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rest_until", INSTANT, nullable=True),
        sa.Column("spent_before", INSTANT, nullable=True),
        sa.Column("as_of", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("lead_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_lead_state_as_of",
        "lead_state",
        ["as_of"],
        unique=False,
        sqlite_where=sa.text("as_of IS NOT NULL"),
        postgresql_where=sa.text("as_of IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_state_spent",
        "lead_state",
        ["lead_id", "spent_before"],
        unique=False,
        sqlite_where=sa.text("spent_before IS NOT NULL"),
        postgresql_where=sa.text("spent_before IS NOT NULL"),
    )

    op.create_table(
        "link",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("url", WORD, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("url"),
    )
    op.create_table(
        "lock",
        sa.Column("name", WORD, autoincrement=False, nullable=False),
        sa.Column("owner", WORD, nullable=False),
        sa.Column("lease_until", INSTANT, nullable=False),
        sa.Column("fence", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "membership",
        sa.Column("segment", WORD, autoincrement=False, nullable=False),
        sa.Column("lead_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("joined_at", INSTANT, autoincrement=False, nullable=False),
        sa.Column("left_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("segment", "lead_id", "joined_at"),
    )
    op.create_index("ix_membership_lead", "membership", ["lead_id"], unique=False)
    op.create_index(
        "ux_membership_open",
        "membership",
        ["segment", "lead_id"],
        unique=True,
        sqlite_where=sa.text("left_at IS NULL"),
        postgresql_where=sa.text("left_at IS NULL"),
    )

    op.create_table(
        "network",
        sa.Column("network", WORD, autoincrement=False, nullable=False),
        sa.Column("standing", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("network"),
    )
    op.create_table(
        "reply",
        sa.Column("told_as", WORD, autoincrement=False, nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("told_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("told_as"),
    )
    untold = sa.text("told_at IS NULL")
    op.create_index("ix_reply_waiting", "reply", ["at"], unique=False, sqlite_where=untold, postgresql_where=untold)
    op.create_table(
        "pause",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("name", WORD, server_default="", nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("by", WORD, server_default="", nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_by", WORD, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ux_pause_lasting",
        "pause",
        ["kind", "name"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "playbook_file",
        sa.Column("hash", WORD, autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_table(
        "playbook_version",
        sa.Column("hash", WORD, autoincrement=False, nullable=False),
        sa.Column("first_used_at", INSTANT, nullable=False),
        sa.Column("files", DOCUMENT, server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_table(
        "scoring_rule",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("name", WORD, nullable=False),
        sa.Column("fingerprint", WORD, nullable=False),
        sa.Column("half_life", sa.Integer(), nullable=False),
        sa.Column("landmark", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "sequence_existing",
        sa.Column("sequence", WORD, autoincrement=False, nullable=False),
        sa.Column("lead_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("sequence", "lead_id"),
    )
    op.create_table(
        "sequence_live",
        sa.Column("sequence", WORD, autoincrement=False, nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("sequence"),
    )
    op.create_table(
        "stage_change",
        sa.Column("lead_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", INSTANT, autoincrement=False, nullable=False),
        sa.Column("before", WORD, nullable=True),
        sa.Column("after", WORD, nullable=False),
        sa.Column("playbook", WORD, nullable=False),
        sa.PrimaryKeyConstraint("lead_id", "at"),
    )
    op.create_table(
        "suppression",
        sa.Column("address_hash", WORD, autoincrement=False, nullable=False),
        sa.Column("reason", WORD, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("source", WORD, nullable=False),
        sa.PrimaryKeyConstraint("address_hash"),
    )
    op.create_table(
        "sweep",
        sa.Column("at", INSTANT, autoincrement=False, nullable=False),
        sa.Column("scope", WORD, autoincrement=False, nullable=False),
        sa.Column("playbook", WORD, nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.Column("counts", DOCUMENT, server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("at", "scope"),
    )
    op.create_table(
        "touch",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("identity_id", sa.BigInteger(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("source", WORD, nullable=False),
        sa.Column("medium", WORD, nullable=True),
        sa.Column("campaign", WORD, nullable=True),
        sa.Column("referrer", WORD, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("identity_id", "at"),
    )
    op.create_table(
        "tpl",
        sa.Column("template", WORD, autoincrement=False, nullable=False),
        sa.Column("purpose", WORD, nullable=False),
        sa.Column("stages", sa.Integer(), nullable=False),
        sa.Column("fits", sa.Integer(), nullable=False),
        sa.Column("engagements", sa.Integer(), nullable=False),
        sa.Column("has_segments", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("when_bit", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("specificity", sa.Integer(), nullable=False),
        sa.Column("again_after", sa.BigInteger(), nullable=False),
        sa.Column("expires_in", sa.BigInteger(), nullable=True),
        sa.Column("expires_days", sa.Integer(), nullable=True),
        sa.Column("counted", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("pickable", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("topic", WORD, nullable=True),
        sa.Column("version", WORD, nullable=False),
        sa.PrimaryKeyConstraint("template"),
    )
    op.create_table(
        "tpl_lang",
        sa.Column("template", WORD, autoincrement=False, nullable=False),
        sa.Column("for_lang", WORD, autoincrement=False, nullable=False),
        sa.Column("lang", WORD, nullable=False),
        sa.Column("needs", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("template", "for_lang"),
    )
    op.create_table(
        "tpl_segment",
        sa.Column("template", WORD, autoincrement=False, nullable=False),
        sa.Column("segment", WORD, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("template", "segment"),
    )
    op.create_table(
        "verdict",
        sa.Column("enrolment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("step", WORD, nullable=False),
        sa.Column("reason", WORD, nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("until", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("enrolment_id"),
    )
    op.create_table(
        "window_slot",
        sa.Column("calendar_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("closes_at", INSTANT, autoincrement=False, nullable=False),
        sa.Column("opens_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("calendar_id", "closes_at"),
    )
    op.create_table(
        "lead",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("address_id", sa.BigInteger(), nullable=True),
        sa.Column("first_name", WORD, nullable=True),
        sa.Column("last_name", WORD, nullable=True),
        sa.Column("phone", WORD, nullable=True),
        sa.Column("language", WORD, nullable=True),
        sa.Column("country", WORD, nullable=True),
        sa.Column("zone", WORD, nullable=True),
        sa.Column("email_domain", WORD, nullable=True),
        sa.Column("email_is_free", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("audience", WORD, server_default="b2b", nullable=False),
        sa.Column("basis", WORD, nullable=True),
        sa.Column("source", WORD, nullable=True),
        sa.Column("informed_on", WORD, nullable=True),
        sa.Column("no_mail", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("deal_state", WORD, nullable=True),
        sa.Column("attributes", DOCUMENT, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("folded", DOCUMENT, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("provenance", DOCUMENT, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("first_seen_at", INSTANT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_lead_account_id", "lead", ["account_id"], unique=False)
    op.create_index("ix_lead_address", "lead", ["address_id"], unique=False)

    op.create_table(
        "consent",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("lead_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("identity_id", sa.BigInteger(), nullable=True),
        sa.Column("purpose", WORD, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("method", WORD, nullable=False),
        sa.Column("wording_hash", WORD, nullable=True),
        sa.Column("wording_version", WORD, nullable=True),
        sa.Column("page", WORD, nullable=True),
        sa.Column("ip", WORD, nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("confirmed_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["lead_id"],
            ["lead.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_consent_lead_id", "consent", ["lead_id"], unique=False)

    op.create_table(
        "deal",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("lead_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("external_id", WORD, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("owner", WORD, nullable=True),
        sa.Column("reason", WORD, nullable=True),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["lead_id"],
            ["lead.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("external_id"),
    )
    op.create_index("ix_deal_lead_id", "deal", ["lead_id"], unique=False)

    op.create_table(
        "enrolment",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("lead_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sequence", WORD, nullable=False),
        sa.Column("track", WORD, nullable=False),
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.Column("state", WORD, server_default="active", nullable=False),
        sa.Column("entered_at", INSTANT, nullable=False),
        sa.Column("position", WORD, nullable=True),
        sa.Column("step", WORD, nullable=True),
        sa.Column("completed_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("paused_at", INSTANT, nullable=True),
        sa.Column("pause_reason", WORD, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("end_reason", WORD, nullable=True),
        sa.Column("arm", WORD, nullable=True),
        sa.Column("ramped", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("lead_id", "sequence", "entry"),
    )
    op.create_index("ix_enrolment_due", "enrolment", ["sequence", "step", "state"], unique=False)
    op.create_index(
        "ix_enrolment_ended",
        "enrolment",
        ["ended_at"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NOT NULL"),
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    )
    op.create_index("ix_enrolment_moving", "enrolment", ["state", "due_at"], unique=False)
    op.create_index(
        "ux_enrolment_live",
        "enrolment",
        ["lead_id", "sequence"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ux_enrolment_track",
        "enrolment",
        ["lead_id", "track"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )

    op.create_table(
        "escalation",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("lead_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("rule", WORD, nullable=False),
        sa.Column("rep", WORD, nullable=False),
        sa.Column("route", WORD, nullable=False),
        sa.Column("band", WORD, server_default="", nullable=False),
        sa.Column("state", WORD, server_default="waiting", nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("answer_reason", WORD, nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("raised_at", INSTANT, nullable=True),
        sa.Column("again_at", INSTANT, nullable=True),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("alerted_at", INSTANT, nullable=True),
        sa.Column("reminders", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("playbook", WORD, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("lead_id", "number"),
    )
    op.create_index("ix_escalation_account", "escalation", ["account_id", "opened_at"], unique=False)
    op.create_index("ix_escalation_rep", "escalation", ["rep", "opened_at"], unique=False)
    op.create_index(
        "ux_escalation_open",
        "escalation",
        ["lead_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )

    op.create_table(
        "identity",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("value", WORD, nullable=False),
        sa.Column("hash", WORD, nullable=False),
        sa.Column("lead_id", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("by_click", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lead_id"],
            ["lead.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "value"),
    )
    op.create_index("ix_identity_lead_id", "identity", ["lead_id"], unique=False)

    op.create_table(
        "lifecycle_change",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("lead_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("before", WORD, nullable=False),
        sa.Column("after", WORD, nullable=False),
        sa.Column("cause", WORD, nullable=False),
        sa.Column("effective_at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_lifecycle_change_lead_id", "lifecycle_change", ["lead_id"], unique=False)

    op.create_table(
        "message",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("channel", WORD, server_default="email", nullable=False),
        sa.Column("lead_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("address_id", sa.BigInteger(), nullable=False),
        sa.Column("enrolment_id", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("sequence", WORD, nullable=True),
        sa.Column("step", WORD, nullable=True),
        sa.Column("email", WORD, nullable=False),
        sa.Column("language", WORD, nullable=False),
        sa.Column("variant", WORD, nullable=True),
        sa.Column("purpose", WORD, nullable=False),
        sa.Column("basis", WORD, nullable=False),
        sa.Column("counted", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("state", WORD, server_default="planned", nullable=False),
        sa.Column("reason", WORD, nullable=True),
        sa.Column("version", WORD, nullable=False),
        sa.Column("playbook", WORD, nullable=False),
        sa.Column("chosen", DOCUMENT, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("planned_at", INSTANT, nullable=False),
        sa.Column("send_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("owner", WORD, nullable=True),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.Column("attempt_id", WORD, nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("intent_at", INSTANT, nullable=True),
        sa.Column("asked_at", INSTANT, nullable=True),
        sa.Column("negatives", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("provider_id", WORD, nullable=True),
        sa.Column("delivery", WORD, nullable=True),
        sa.Column("delivery_rank", sa.Integer(), server_default=sa.text("(-1)"), nullable=False),
        sa.Column("delivery_at", INSTANT, nullable=True),
        sa.Column("delivered_at", INSTANT, nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("attempt_id"),
        sa.UniqueConstraint("enrolment_id", "step"),
    )
    op.create_index("ix_message_address", "message", ["address_id", "sent_at"], unique=False)
    op.create_index("ix_message_due", "message", ["state", "send_at", "id"], unique=False)
    op.create_index("ix_message_lead_email", "message", ["lead_id", "email"], unique=False)
    op.create_index(
        "ux_message_in_flight",
        "message",
        ["address_id"],
        unique=True,
        sqlite_where=sa.text("counted AND state IN ('planned', 'claimed', 'sending')"),
        postgresql_where=sa.text("counted AND state IN ('planned', 'claimed', 'sending')"),
    )
    for table, instants in _READABLE.items():
        create_readable(table, instants)

    if op.get_bind().dialect.name == "postgresql":
        # Rewritten every night: the new rows find room beside the old.
        for table, fillfactor in (("engagement", 80), ("event_inbox", 45), ("lead_score", 50)):
            op.execute(f"ALTER TABLE {table} SET (fillfactor = {fillfactor})")


def downgrade() -> None:
    """Drop them all."""
    for table in _READABLE:
        drop_readable(table)
    op.drop_index(
        "ux_message_in_flight",
        table_name="message",
        sqlite_where=sa.text("counted AND state IN ('planned', 'claimed', 'sending')"),
        postgresql_where=sa.text("counted AND state IN ('planned', 'claimed', 'sending')"),
    )
    op.drop_index("ix_message_lead_email", table_name="message")
    op.drop_index("ix_message_due", table_name="message")
    op.drop_index("ix_message_address", table_name="message")

    op.drop_table("message")
    op.drop_index("ix_lifecycle_change_lead_id", table_name="lifecycle_change")

    op.drop_table("lifecycle_change")
    op.drop_index("ix_identity_lead_id", table_name="identity")

    op.drop_table("identity")
    op.drop_index(
        "ux_escalation_open",
        table_name="escalation",
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.drop_index("ix_escalation_rep", table_name="escalation")
    op.drop_index("ix_escalation_account", table_name="escalation")

    op.drop_table("escalation")
    op.drop_index(
        "ux_enrolment_track",
        table_name="enrolment",
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.drop_index(
        "ux_enrolment_live",
        table_name="enrolment",
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.drop_index("ix_enrolment_moving", table_name="enrolment")
    op.drop_index(
        "ix_enrolment_ended",
        table_name="enrolment",
        sqlite_where=sa.text("ended_at IS NOT NULL"),
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    )
    op.drop_index("ix_enrolment_due", table_name="enrolment")

    op.drop_table("enrolment")
    op.drop_index("ix_deal_lead_id", table_name="deal")

    op.drop_table("deal")
    op.drop_index("ix_consent_lead_id", table_name="consent")

    op.drop_table("consent")
    op.drop_index("ix_lead_address", table_name="lead")
    op.drop_index("ix_lead_account_id", table_name="lead")

    op.drop_table("lead")
    op.drop_table("window_slot")
    op.drop_table("verdict")
    op.drop_table("tpl_segment")
    op.drop_table("tpl_lang")
    op.drop_table("tpl")
    op.drop_table("touch")
    op.drop_table("sweep")
    op.drop_table("suppression")
    op.drop_table("stage_change")
    op.drop_table("sequence_live")
    op.drop_table("sequence_existing")
    op.drop_table("scoring_rule")
    op.drop_table("playbook_version")
    op.drop_table("playbook_file")
    op.drop_index(
        "ux_pause_lasting",
        table_name="pause",
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )

    op.drop_table("pause")
    op.drop_index(
        "ux_membership_open",
        table_name="membership",
        sqlite_where=sa.text("left_at IS NULL"),
        postgresql_where=sa.text("left_at IS NULL"),
    )
    op.drop_index("ix_membership_lead", table_name="membership")

    op.drop_table("membership")
    op.drop_table("lock")
    op.drop_table("link")
    op.drop_index(
        "ix_lead_state_spent",
        table_name="lead_state",
        sqlite_where=sa.text("spent_before IS NOT NULL"),
        postgresql_where=sa.text("spent_before IS NOT NULL"),
    )
    op.drop_index(
        "ix_lead_state_as_of",
        table_name="lead_state",
        sqlite_where=sa.text("as_of IS NOT NULL"),
        postgresql_where=sa.text("as_of IS NOT NULL"),
    )

    op.drop_table("lead_state")
    op.drop_table("lead_score")
    op.drop_index("ix_lead_change_lead", table_name="lead_change")
    op.drop_index("ix_lead_change_at", table_name="lead_change")

    op.drop_table("lead_change")
    op.drop_table("job_run")
    op.drop_index(
        "ix_intake_waiting",
        table_name="intake",
        sqlite_where=sa.text("processed_at IS NULL"),
        postgresql_where=sa.text("processed_at IS NULL"),
    )

    op.drop_table("intake")
    op.drop_table("hold")
    for name in ("ix_hit_alone", "ix_hit_new", "ix_hit_network", "ix_hit_message"):
        op.drop_index(name, table_name="hit")

    op.drop_index("ix_reply_waiting", table_name="reply")
    op.drop_table("reply")
    op.drop_table("network")
    op.drop_table("hit")
    op.drop_table("growth")
    op.drop_table("event_key")
    op.drop_table("event_inbox")
    op.drop_index("ix_event_recent", table_name="event")
    op.drop_index("ix_event_lead", table_name="event")
    op.drop_index("ix_event_kind", table_name="event")

    op.drop_table("event")
    op.drop_table("engagement")
    op.drop_table("dirty")
    op.drop_table("opened")
    op.drop_table("preference")
    op.drop_table("declined")
    op.drop_index("ix_confirmation_identity", table_name="confirmation")
    op.drop_table("confirmation")
    op.drop_index("ix_decision_at", table_name="decision")

    op.drop_table("decision")
    op.drop_table("calendar")
    op.drop_index("ix_business_day_start", table_name="business_day")

    op.drop_table("business_day")
    op.drop_table("canary")
    op.drop_table("bucket")
    op.drop_table("breaker")
    op.drop_index("ix_assignment_rep", table_name="assignment")

    op.drop_table("assignment")
    op.drop_table("api_key")
    op.drop_index("ix_answered_at", table_name="answered")

    op.drop_table("answered")
    op.drop_table("account")
