"""Fan accounts, their names, and the money they moved."""

from __future__ import annotations

from sqlalchemy import Column, Index, UniqueConstraint

from storage.tables.base import (
    SORTED_TEXT,
    flag_column,
    float_column,
    int_column,
    parent_key,
    tenant_table,
    text_column,
)

fan_accounts = tenant_table(
    "fan_accounts",
    int_column("creator_id"),
    text_column("platform_fan_id"),
    # The fields of FanRecord, under the same names.
    text_column("username", null=True),
    text_column("name", null=True),
    text_column("alias", null=True),
    int_column("last_seen_at", null=True),
    int_column("last_reply_at", null=True),
    int_column("last_activity_at", null=True),
    flag_column("subscribed", null=True),
    flag_column("expired_now", null=True),
    int_column("subscribed_at", null=True),
    int_column("renewed_at", null=True),
    int_column("expires_at", null=True),
    flag_column("rebill_off", null=True),
    int_column("price_cents", null=True),
    int_column("total_cents", null=True),
    int_column("subscriptions_cents", null=True),
    int_column("tips_cents", null=True),
    int_column("messages_cents", null=True),
    int_column("posts_cents", null=True),
    int_column("streams_cents", null=True),
    flag_column("is_blocked", null=True),
    flag_column("is_restricted", null=True),
    flag_column("is_performer", null=True),
    flag_column("can_receive_messages", null=True),
    # What the API has summed up itself, from vendors that show no payments and messages; NULL: ours count.
    int_column("reported_30d_cents", null=True),
    int_column("reported_prior_30d_cents", null=True),
    int_column("reported_messages_30d", null=True),
    float_column("reported_ppv_open_rate", null=True),
    # What we make of them.
    int_column("row_hash", null=True),
    int_column("first_seen_at"),
    flag_column("first_sight_pending"),
    flag_column("expiry_pending"),
    int_column("last_active_at", null=True),
    int_column("last_purchase_at", null=True),
    int_column("purchase_count", default=0),
    flag_column("paid"),
    int_column("last_pinged_at", null=True),
    int_column("seen_run_id", null=True),
    # All messages between these two instants are known; NULL: they were never asked for.
    int_column("messages_from_at", null=True),
    int_column("messages_until_at", null=True),
    int_column("updated_at"),
    parent_key("creator_id", "creators"),
    UniqueConstraint("agency_id", "creator_id", "platform_fan_id"),
    # Scoring reads a creator's fans in pages by id.
    Index(None, "agency_id", "creator_id", "id"),
    # The picker with nothing typed, and the creator's largest lifetime spend.
    Index(None, "agency_id", "creator_id", "total_cents"),
    # Which fans to look at again because their period is about to end.
    Index(None, "agency_id", "creator_id", "expires_at"),
)

fan_names = tenant_table(
    "fan_names",
    int_column("creator_id"),
    Column("name_key", SORTED_TEXT, nullable=False),
    int_column("fan_account_id"),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    # Forgetting the names of a fan, and the check of the foreign key.
    Index(None, "agency_id", "fan_account_id"),
    key=("creator_id", "name_key", "fan_account_id"),
)

transactions = tenant_table(
    "transactions",
    int_column("creator_id"),
    text_column("platform_transaction_id"),
    int_column("fan_account_id", null=True),
    text_column("kind"),
    int_column("amount_cents"),
    int_column("net_cents", null=True),
    text_column("currency"),
    text_column("status", null=True),
    # False for what never arrived or was given back: kept, but no sum counts it.
    flag_column("counted"),
    int_column("occurred_at"),
    parent_key("creator_id", "creators"),
    parent_key("fan_account_id", "fan_accounts"),
    UniqueConstraint("agency_id", "creator_id", "platform_transaction_id"),
    # The spend windows of one fan.
    Index(None, "agency_id", "fan_account_id", "occurred_at"),
    # The last 30 days of a creator.
    Index(None, "agency_id", "creator_id", "occurred_at"),
)
