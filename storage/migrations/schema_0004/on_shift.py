"""Shifts as they are worked, and hand-overs: a copy as they were then, never changed again."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, text

from storage.migrations.schema_0001.base import int_column, parent_key, text_column
from storage.migrations.schema_0004.base import tenant_table

shift_sessions = tenant_table(
    "shift_sessions",
    int_column("creator_id"),
    int_column("user_id"),
    # How it began: by /shift start, by the plan, by a claim.
    text_column("source"),
    int_column("started_at"),
    # When it ends by itself: the planned end, or some hours after the start.
    int_column("until_at"),
    int_column("ended_at", null=True),
    # What somebody did that began it, where that was a claim: it is undone with it.
    int_column("action_id", null=True),
    # How it ended: by /shift end, by the plan, by itself after its hours. NULL: it is open, or it has been undone and
    # ended when it began.
    text_column("ended_how", null=True),
    # When the person was last seen doing something; NULL: not since it began.
    int_column("seen_at", null=True),
    # When the claims that are left lapse; NULL: nothing to lapse, or they have.
    int_column("lapse_at", null=True),
    parent_key("creator_id", "creators"),
    CheckConstraint("source IN ('start', 'plan', 'claim')", name="source"),
    CheckConstraint("ended_how IN ('end', 'plan', 'hours')", name="ended_how"),
    # One at a time for each person and creator.
    Index(
        "uq_shift_sessions_open",
        "agency_id",
        "creator_id",
        "user_id",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    # When was anybody on for a creator? A session may last for weeks: by when it ended, open ones by their own index.
    Index(None, "agency_id", "creator_id", "ended_at"),
    # A person's shifts.
    Index(None, "agency_id", "user_id", "started_at"),
    # Whose claims lapse.
    Index(
        "ix_shift_sessions_lapse",
        "agency_id",
        "lapse_at",
        sqlite_where=text("lapse_at IS NOT NULL"),
        postgresql_where=text("lapse_at IS NOT NULL"),
    ),
)

handovers = tenant_table(
    "handovers",
    int_column("creator_id"),
    # Whose shift ended.
    int_column("user_id"),
    int_column("session_id"),
    int_column("card_id", null=True),
    # When who is on next is called, where the card went out without: quiet hours, the budget of mentions.
    int_column("ping_due_at", null=True),
    int_column("created_at"),
    int_column("closed_at", null=True),
    parent_key("creator_id", "creators"),
    parent_key("session_id", "shift_sessions"),
    parent_key("card_id", "cards"),
    # The hand-overs of a creator that wait for somebody.
    Index(None, "agency_id", "creator_id", "closed_at"),
)

handover_items = tenant_table(
    "handover_items",
    int_column("handover_id"),
    # claim, snooze, followup, hold: what its id is of.
    text_column("kind"),
    int_column("target_id"),
    int_column("taken_by", null=True),
    int_column("taken_at", null=True),
    parent_key("handover_id", "handovers"),
    CheckConstraint("kind IN ('claim', 'snooze', 'followup', 'hold')", name="kind"),
    key=("handover_id", "kind", "target_id"),
)
