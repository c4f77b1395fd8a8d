"""The agency, its creators and the people who work for them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, UniqueConstraint

from storage.tables.base import (
    flag_column,
    float_column,
    int_column,
    metadata,
    parent_key,
    tenant_table,
    text_column,
)

agencies = Table(
    "agencies",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    int_column("guild_id"),
    # Empty: not chosen yet.
    text_column("timezone"),
    # 0: not chosen yet, as before the first /setup.
    int_column("notice_channel_id"),
    int_column("created_at"),
    # NULL: nobody has gone through /setup; a roster counts as having.
    int_column("set_up_at", null=True),
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
    # What a manager may set for one creator; NULL: as the agency or the product has it.
    text_column("timezone", null=True),
    float_column("fire_above", null=True),
    float_column("action_above", null=True),
    text_column("name_mode", null=True),
    text_column("chat_url", null=True),
    int_column("retired_at", null=True),
    # Why the next scoring run is a baseline although it is not the first; NULL: it is the first.
    text_column("baseline_cause", null=True),
    # When all fans are to be walked; next_walk_at is the nightly walk of those who matter.
    int_column("next_full_walk_at", default=0),
    # Up to when fans/latest has been read, and how far back payments are known; NULL: never.
    int_column("latest_read_at", null=True),
    int_column("payments_from_at", null=True),
    # False: the key may not read her chats. NULL: nobody has tried.
    flag_column("chats_readable", null=True),
    # The most credits a day of the agency may cost for her; NULL: as CREDITS_PER_DAY has it.
    int_column("credits_per_day", null=True),
    # When her last webhook came, and since when one is known to be missing; NULL: never, none.
    int_column("webhook_at", null=True),
    int_column("reconcile_since_at", null=True),
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

setting_changes = tenant_table(
    "setting_changes",
    int_column("creator_id"),
    int_column("changed_by"),
    # The changed columns of the creator as JSON, as they were and as they became, for undoing it.
    text_column("before"),
    text_column("after"),
    int_column("changed_at"),
    int_column("undone_at", null=True),
    parent_key("creator_id", "creators"),
    # What was changed about a creator.
    Index(None, "agency_id", "creator_id", "changed_at"),
)

shifts = tenant_table(
    "shifts",
    int_column("creator_id"),
    int_column("user_id"),
    # ISO weekdays on which it begins, as digits: "12345" is Monday to Friday.
    text_column("weekdays"),
    # Minutes after local midnight; an end that is not after the start is on the next day.
    int_column("starts_minute"),
    int_column("ends_minute"),
    text_column("zone"),
    int_column("created_at"),
    int_column("removed_at", null=True),
    parent_key("creator_id", "creators"),
    # Who is on for a creator.
    Index(None, "agency_id", "creator_id"),
)
