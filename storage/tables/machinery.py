"""Cards, runs and what was registered with Discord."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Float, Index, Text, UniqueConstraint, text

from storage.tables.base import (
    flag_column,
    float_column,
    int_column,
    parent_key,
    tenant_table,
    text_column,
)

cards = tenant_table(
    "cards",
    int_column("creator_id", null=True),
    int_column("channel_id"),
    text_column("kind"),
    text_column("code", null=True),
    text_column("state"),
    int_column("wanted_version"),
    int_column("sent_version"),
    int_column("incarnation"),
    int_column("message_id", null=True),
    text_column("retire_ids", null=True),
    flag_column("ping_wanted"),
    text_column("mention_kind", null=True),
    int_column("mention_id", null=True),
    text_column("payload", null=True),
    text_column("rendered_hash", null=True),
    text_column("blocked_reason", null=True),
    int_column("blocked_until", null=True),
    int_column("scored_wall_at", null=True),
    int_column("first_sent_wall_at", null=True),
    int_column("last_sent_wall_at", null=True),
    int_column("created_at"),
    int_column("closed_at", null=True),
    parent_key("creator_id", "creators"),
    CheckConstraint("state IN ('idle', 'sending', 'blocked', 'gone')", name="state"),
    # What delivery has to do now: nearly always empty.
    Index(
        "ix_cards_behind",
        "agency_id",
        "channel_id",
        sqlite_where=text("wanted_version > sent_version"),
        postgresql_where=text("wanted_version > sent_version"),
    ),
    # The card of a message that was deleted or pressed.
    Index(None, "agency_id", "message_id"),
    # A creator's notice or board.
    Index(None, "agency_id", "creator_id", "kind", "closed_at"),
)

sync_runs = tenant_table(
    "sync_runs",
    int_column("creator_id"),
    text_column("kind"),
    int_column("due_at"),
    int_column("started_at"),
    int_column("finished_at", null=True),
    text_column("status"),
    text_column("phase"),
    text_column("cursor", null=True),
    text_column("stats", null=True),
    int_column("calls", default=0),
    Column("credits", Float, nullable=False, server_default=text("0")),
    text_column("error", null=True),
    parent_key("creator_id", "creators"),
    # The run to go on with, and what a creator has cost.
    Index(None, "agency_id", "creator_id", "finished_at"),
)

score_runs = tenant_table(
    "score_runs",
    int_column("creator_id"),
    int_column("sync_run_id", null=True),
    text_column("model"),
    int_column("model_version"),
    int_column("now_at"),
    int_column("max_total_cents"),
    int_column("max_30d_cents"),
    int_column("after_fan_id", null=True),
    flag_column("baseline"),
    int_column("started_at"),
    int_column("finished_at", null=True),
    parent_key("creator_id", "creators"),
    parent_key("sync_run_id", "sync_runs"),
    # The run to go on with.
    Index(None, "agency_id", "creator_id", "finished_at"),
)

command_hashes = tenant_table(
    "command_hashes",
    Column("scope", Text, nullable=False),
    text_column("hash"),
    int_column("synced_at"),
    key=("scope",),
)

api_usage = tenant_table(
    "api_usage",
    # The agency's local date, YYYY-MM-DD.
    Column("day", Text, nullable=False),
    # 0: of no creator, as the list of accounts.
    int_column("creator_id", default=0),
    # What it was for: poll, night, walk, refresh, messages, backfill, accounts, webhook.
    Column("purpose", Text, nullable=False),
    int_column("calls", default=0),
    float_column("credits"),
    int_column("errors", default=0),
    key=("day", "creator_id", "purpose"),
)

webhook_inbox = tenant_table(
    "webhook_inbox",
    # The vendor's idempotency key, or for events without one the hash of the body.
    text_column("event_key"),
    text_column("event"),
    text_column("account_id", null=True),
    int_column("creator_id", null=True),
    # As received; NULL once it is applied, because it holds names and texts.
    text_column("body", null=True),
    text_column("state"),
    text_column("error", null=True),
    int_column("tries", default=0),
    # Agency time, and the machine's for how long it took.
    int_column("received_at"),
    int_column("received_wall_at"),
    int_column("next_try_at"),
    int_column("applied_at", null=True),
    CheckConstraint("state IN ('pending', 'applied', 'ignored', 'failed')", name="state"),
    UniqueConstraint("agency_id", "event_key"),
    # What is to be applied, in the order in which it came.
    Index(
        "ix_webhook_inbox_pending",
        "agency_id",
        "next_try_at",
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
    # What is old enough to be forgotten, and the last event of a creator.
    Index(None, "agency_id", "received_at"),
)

import_runs = tenant_table(
    "import_runs",
    int_column("creator_id"),
    text_column("kind"),
    # The hash of the file's content, by which an interrupted import is found again.
    text_column("file_hash"),
    int_column("rows"),
    int_column("rows_done", default=0),
    int_column("rows_rejected", default=0),
    # Of a backfill, which has no file: the page of the data API to go on with.
    text_column("cursor", null=True),
    int_column("started_at"),
    int_column("finished_at", null=True),
    parent_key("creator_id", "creators"),
    UniqueConstraint("agency_id", "creator_id", "kind", "file_hash"),
)
