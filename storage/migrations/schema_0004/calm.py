"""Mentions, mutes, quiet hours, holds, contacts, digests, feedback: a copy as they were then, never changed again."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, text

from storage.migrations.schema_0001.base import flag_column, int_column, parent_key, text_column
from storage.migrations.schema_0004.base import tenant_table

mentions = tenant_table(
    "mentions",
    int_column("creator_id", null=True),
    int_column("fan_account_id", null=True),
    int_column("card_id", null=True),
    # 'user' or 'role', and its Discord id.
    text_column("kind"),
    int_column("discord_id"),
    # Why: action, woken, escalated, reminder, followup, handover, held, drill.
    text_column("reason"),
    int_column("at"),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    parent_key("card_id", "cards"),
    CheckConstraint("kind IN ('user', 'role')", name="kind"),
    # How many somebody has had lately.
    Index(None, "agency_id", "discord_id", "at"),
)

mutes = tenant_table(
    "mutes",
    int_column("creator_id"),
    # NULL: all fans of the creator.
    int_column("fan_account_id", null=True),
    # NULL: until somebody ends it.
    int_column("until_at", null=True),
    text_column("reason"),
    int_column("created_by"),
    int_column("created_at"),
    int_column("ended_at", null=True),
    int_column("ended_by", null=True),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    # What is muted of a creator.
    Index(None, "agency_id", "creator_id", "ended_at"),
)

quiet_hours = tenant_table(
    "quiet_hours",
    # Of a creator's channel, or of a person; never both.
    int_column("creator_id", null=True),
    int_column("user_id", null=True),
    # Minutes after local midnight; an end that is not after the start is on the next day.
    int_column("starts_minute"),
    int_column("ends_minute"),
    text_column("zone"),
    int_column("set_by"),
    int_column("set_at"),
    int_column("removed_at", null=True),
    parent_key("creator_id", "creators"),
    CheckConstraint("(creator_id IS NULL) <> (user_id IS NULL)", name="scope"),
    # One at a time for each channel and each person.
    Index(
        "uq_quiet_hours_creator",
        "agency_id",
        "creator_id",
        unique=True,
        sqlite_where=text("removed_at IS NULL"),
        postgresql_where=text("removed_at IS NULL"),
    ),
    Index(
        "uq_quiet_hours_user",
        "agency_id",
        "user_id",
        unique=True,
        sqlite_where=text("removed_at IS NULL"),
        postgresql_where=text("removed_at IS NULL"),
    ),
)

fan_holds = tenant_table(
    "fan_holds",
    int_column("creator_id"),
    int_column("fan_account_id"),
    # NULL: until somebody ends it.
    int_column("until_at", null=True),
    text_column("reason"),
    int_column("created_by"),
    int_column("created_at"),
    int_column("ended_at", null=True),
    int_column("ended_by", null=True),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    # One at a time for each fan.
    Index(
        "uq_fan_holds_open",
        "agency_id",
        "fan_account_id",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    # Whom not to contact of a creator.
    Index(None, "agency_id", "creator_id", "ended_at"),
)

contacts = tenant_table(
    "contacts",
    int_column("creator_id"),
    int_column("fan_account_id"),
    int_column("user_id"),
    # What tells of it: outcome, playbook, followup, winback, logged.
    text_column("source"),
    int_column("at"),
    # The desk action that logged it, and whether that was undone.
    int_column("action_id", null=True),
    int_column("undone_at", null=True),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    # Who wrote to this fan lately?
    Index(None, "agency_id", "fan_account_id", "at"),
    # What did the team do in a span?
    Index(None, "agency_id", "creator_id", "at"),
    # What an undo takes back.
    Index(None, "agency_id", "action_id"),
)

digests = tenant_table(
    "digests",
    # 0: the whole agency's.
    int_column("creator_id"),
    # The local date on whose morning it is posted, YYYY-MM-DD.
    text_column("day"),
    # What it says, as JSON: counts, sums and ids, never names.
    text_column("figures"),
    int_column("card_id", null=True),
    int_column("made_at"),
    parent_key("card_id", "cards"),
    key=("creator_id", "day"),
)

alert_feedback = tenant_table(
    "alert_feedback",
    int_column("creator_id"),
    int_column("fan_account_id"),
    int_column("episode_id"),
    int_column("user_id"),
    flag_column("useful"),
    int_column("at"),
    int_column("action_id", null=True),
    int_column("undone_at", null=True),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    parent_key("episode_id", "episodes"),
    # What was said of an alert.
    Index(None, "agency_id", "episode_id"),
    # What was said of a creator's alerts in a span.
    Index(None, "agency_id", "creator_id", "at"),
    # What an undo takes back.
    Index(None, "agency_id", "action_id"),
)
