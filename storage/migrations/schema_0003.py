"""The tables that revision 0003 adds: a copy as they were then, never changed again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from storage.migrations.schema_0001.base import flag_column, float_column, int_column, parent_key, text_column
from storage.migrations.schema_0002 import metadata as before

metadata = MetaData(naming_convention=before.naming_convention)
for table in before.tables.values():
    table.to_metadata(metadata)


def tenant_table(name: str, *items: Any, key: tuple[str, ...] = ("id",)) -> Table:
    columns = [int_column("agency_id"), *([int_column("id")] if key == ("id",) else [])]
    agency = ForeignKeyConstraint(["agency_id"], ["agencies.id"])
    return Table(name, metadata, *columns, *items, PrimaryKeyConstraint("agency_id", *key), agency)


subscriptions = tenant_table(
    "subscriptions",
    int_column("creator_id"),
    int_column("fan_account_id"),
    # A paid or free stretch; a fan has one that begins at an instant.
    int_column("starts_at"),
    int_column("ends_at", null=True),
    # When rebill was switched off; NULL: nothing says so.
    int_column("cancelled_at", null=True),
    int_column("price_cents", null=True),
    int_column("regular_price_cents", null=True),
    # NULL: nothing tells a trial from another period.
    flag_column("trial", null=True),
    text_column("platform_period_id", null=True),
    int_column("updated_at"),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    UniqueConstraint("agency_id", "fan_account_id", "starts_at"),
    # Which of a creator's periods end in a span.
    Index(None, "agency_id", "creator_id", "ends_at"),
)

subscription_events = tenant_table(
    "subscription_events",
    int_column("creator_id"),
    int_column("fan_account_id"),
    text_column("event"),
    # When it happened, as well as the source tells; when it was written down.
    int_column("occurred_at"),
    int_column("recorded_at"),
    # What told of it.
    text_column("source"),
    # The winback of a `win_back_sent`.
    int_column("winback_id", null=True),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    CheckConstraint(
        "event IN ('subscribed', 'rebilled', 'cancelled', 'expired', 'resubscribed', 'trial_started',"
        " 'trial_converted', 'win_back_sent')",
        name="event",
    ),
    CheckConstraint("source IN ('difference', 'period', 'webhook', 'import', 'contact')", name="source"),
    # The same event is written once, whichever source is first.
    UniqueConstraint("agency_id", "fan_account_id", "event", "occurred_at"),
    # A creator's events over a span.
    Index(None, "agency_id", "creator_id", "occurred_at"),
)

fan_events = tenant_table(
    "fan_events",
    int_column("creator_id"),
    int_column("fan_account_id"),
    # A code; what it means and the unit of its value: docs/sync.md.
    text_column("kind"),
    int_column("value", null=True),
    int_column("occurred_at"),
    int_column("recorded_at"),
    text_column("source"),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    # The log of a fan, newest first.
    Index(None, "agency_id", "fan_account_id", "occurred_at"),
    # A creator's log over a span.
    Index(None, "agency_id", "creator_id", "occurred_at"),
)

messages = tenant_table(
    "messages",
    int_column("creator_id"),
    # NULL: deleted before it was seen; then the row tells no more than that.
    int_column("fan_account_id", null=True),
    text_column("platform_message_id"),
    # False: the creator's side wrote it.
    flag_column("from_fan"),
    int_column("sent_at"),
    # What opening it costs; NULL: unknown or nothing.
    int_column("price_cents", null=True),
    flag_column("unlocked", null=True),
    int_column("unlocked_at", null=True),
    int_column("read_at", null=True),
    flag_column("is_tip"),
    # A copy of what went to many at once: nobody's reply.
    flag_column("is_mass"),
    int_column("media_count", null=True),
    # Only with STORE_MESSAGE_TEXT.
    text_column("text", null=True),
    int_column("deleted_at", null=True),
    int_column("updated_at"),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    UniqueConstraint("agency_id", "creator_id", "platform_message_id"),
    # What scoring sums up for a page of fans, and the talk with one fan in order.
    Index(None, "agency_id", "creator_id", "fan_account_id", "sent_at"),
)

creator_daily = tenant_table(
    "creator_daily",
    int_column("creator_id"),
    # The agency's local date, YYYY-MM-DD, and the instants it lies between: [starts_at, ends_at).
    Column("day", Text, nullable=False),
    int_column("starts_at"),
    int_column("ends_at"),
    # Gross, in the currency that most of the day's payments are in; others are not mixed in.
    text_column("currency"),
    int_column("subscriptions_cents"),
    int_column("messages_cents"),
    int_column("tips_cents"),
    int_column("posts_cents"),
    int_column("streams_cents"),
    int_column("other_cents"),
    # Negative.
    int_column("chargebacks_cents"),
    # After the platform's share; NULL: the API did not say for all of them.
    int_column("net_cents", null=True),
    int_column("payments"),
    int_column("payers"),
    # As of the day's end: subscribed fans; NULL for a day that was over before she was connected.
    int_column("active_fans", null=True),
    int_column("new_fans"),
    int_column("expired_fans"),
    int_column("at_risk", null=True),
    int_column("action_items", null=True),
    int_column("done"),
    int_column("computed_at"),
    parent_key("creator_id", "creators"),
    key=("creator_id", "day"),
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

NEW_TABLES = (
    subscriptions,
    subscription_events,
    fan_events,
    messages,
    creator_daily,
    api_usage,
    webhook_inbox,
    import_runs,
)
APPEND_ONLY = ("subscription_events", "fan_events")
