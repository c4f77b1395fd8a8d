"""The agency, its creators and the people who work for them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, UniqueConstraint

from storage.migrations.schema_0001.base import int_column, metadata, parent_key, tenant_table, text_column

agencies = Table(
    "agencies",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    int_column("guild_id"),
    text_column("timezone"),
    int_column("notice_channel_id"),
    int_column("created_at"),
    UniqueConstraint("guild_id"),
)

creators = tenant_table(
    "creators",
    text_column("platform"),
    text_column("platform_user_id", null=True),
    text_column("name"),
    int_column("channel_id"),
    int_column("default_chatter_id", null=True),
    text_column("paused_reason", null=True),
    int_column("baseline_done_at", null=True),
    int_column("synced_at", null=True),
    int_column("payments_synced_at", null=True),
    int_column("next_poll_at"),
    int_column("next_walk_at"),
    int_column("failed_polls", default=0),
    text_column("model", null=True),
    int_column("created_at"),
)

creator_accounts = tenant_table(
    "creator_accounts",
    int_column("creator_id"),
    text_column("account_id"),
    int_column("connected_at"),
    int_column("disconnected_at", null=True),
    parent_key("creator_id", "creators"),
    UniqueConstraint("agency_id", "account_id"),
    # The accounts of a creator, and the check of the foreign key.
    Index(None, "agency_id", "creator_id"),
)

members = tenant_table("members", int_column("user_id"), text_column("tier"), key=("user_id",))

role_tiers = tenant_table("role_tiers", int_column("role_id"), text_column("tier"), key=("role_id",))

creator_leads = tenant_table(
    "creator_leads",
    int_column("creator_id"),
    int_column("user_id"),
    parent_key("creator_id", "creators"),
    key=("creator_id", "user_id"),
)

creator_chatters = tenant_table(
    "creator_chatters",
    int_column("creator_id"),
    int_column("user_id"),
    parent_key("creator_id", "creators"),
    key=("creator_id", "user_id"),
)
