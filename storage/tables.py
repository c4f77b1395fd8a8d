"""The schema: every table, its constraints and why each index is there.

Plain types only (Text, BigInteger, Float, Boolean), so that a row is the same tuple for a bulk write on both engines.
Instants are BIGINT UTC milliseconds, money is BIGINT minor units, JSON is text. Except for `agencies` every table is a
tenant table: it has `agency_id`, its keys begin with it, and foreign keys between tenants cannot be written at all.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKeyConstraint,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

SORTED_TEXT = Text().with_variant(Text(collation="C"), "postgresql")
"""Text compared by code point on both engines, for range probes by prefix (SQLite's BINARY does so already)."""


def _int(name: str, *, null: bool = False, default: int | None = None) -> Column[int]:
    server = None if default is None else text(str(default))
    return Column(name, BigInteger, nullable=null, server_default=server)


def _text(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, Text, nullable=null)


def _flag(name: str, *, null: bool = False) -> Column[bool]:
    """A flag that starts false, or unknown where `null`."""
    return Column(name, Boolean(), nullable=null, server_default=None if null else false())


def _float(name: str, *, null: bool = False) -> Column[float]:
    return Column(name, Float, nullable=null)


def _tenant(name: str, *items: Any, key: tuple[str, ...] = ("id",)) -> Table:
    """A table of one agency's rows, with the primary key (agency_id, *key)."""
    columns = [_int("agency_id"), *([_int("id")] if key == ("id",) else [])]
    agency = ForeignKeyConstraint(["agency_id"], ["agencies.id"])
    return Table(name, metadata, *columns, *items, PrimaryKeyConstraint("agency_id", *key), agency)


def _parent(column: str, table: str) -> ForeignKeyConstraint:
    """A foreign key that cannot leave the agency: (agency_id, column) -> table(agency_id, id)."""
    return ForeignKeyConstraint(["agency_id", column], [f"{table}.agency_id", f"{table}.id"])


# --- roster ---------------------------------------------------------------------------------------------------------

agencies = Table(
    "agencies",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    _int("guild_id"),
    _text("timezone"),
    _int("notice_channel_id"),
    _int("created_at"),
    UniqueConstraint("guild_id"),
)

creators = _tenant(
    "creators",
    _text("platform"),
    _text("platform_user_id", null=True),
    _text("name"),
    _int("channel_id"),
    _int("default_chatter_id", null=True),
    _text("paused_reason", null=True),
    _int("baseline_done_at", null=True),
    _int("synced_at", null=True),
    _int("payments_synced_at", null=True),
    _int("next_poll_at"),
    _int("next_walk_at"),
    _int("failed_polls", default=0),
    _text("model", null=True),
    _int("created_at"),
)

creator_accounts = _tenant(
    "creator_accounts",
    _int("creator_id"),
    _text("account_id"),
    _int("connected_at"),
    _int("disconnected_at", null=True),
    _parent("creator_id", "creators"),
    UniqueConstraint("agency_id", "account_id"),
    # The accounts of a creator, and the check of the foreign key.
    Index(None, "agency_id", "creator_id"),
)

members = _tenant("members", _int("user_id"), _text("tier"), key=("user_id",))

role_tiers = _tenant("role_tiers", _int("role_id"), _text("tier"), key=("role_id",))

creator_leads = _tenant(
    "creator_leads",
    _int("creator_id"),
    _int("user_id"),
    _parent("creator_id", "creators"),
    key=("creator_id", "user_id"),
)

creator_chatters = _tenant(
    "creator_chatters",
    _int("creator_id"),
    _int("user_id"),
    _parent("creator_id", "creators"),
    key=("creator_id", "user_id"),
)

# --- fans -----------------------------------------------------------------------------------------------------------

fan_accounts = _tenant(
    "fan_accounts",
    _int("creator_id"),
    _text("platform_fan_id"),
    # The fields of FanRecord, under the same names.
    _text("username", null=True),
    _text("name", null=True),
    _text("alias", null=True),
    _int("last_seen_at", null=True),
    _int("last_reply_at", null=True),
    _int("last_activity_at", null=True),
    _flag("subscribed", null=True),
    _flag("expired_now", null=True),
    _int("subscribed_at", null=True),
    _int("renewed_at", null=True),
    _int("expires_at", null=True),
    _flag("rebill_off", null=True),
    _int("price_cents", null=True),
    _int("total_cents", null=True),
    _int("subscriptions_cents", null=True),
    _int("tips_cents", null=True),
    _int("messages_cents", null=True),
    _int("posts_cents", null=True),
    _int("streams_cents", null=True),
    _flag("is_blocked", null=True),
    _flag("is_restricted", null=True),
    _flag("is_performer", null=True),
    _flag("can_receive_messages", null=True),
    # What we make of them.
    _int("row_hash", null=True),
    _int("first_seen_at"),
    _flag("first_sight_pending"),
    _flag("expiry_pending"),
    _int("last_active_at", null=True),
    _int("last_purchase_at", null=True),
    _int("purchase_count", default=0),
    _flag("paid"),
    _int("last_pinged_at", null=True),
    _int("seen_run_id", null=True),
    _int("updated_at"),
    _parent("creator_id", "creators"),
    UniqueConstraint("agency_id", "creator_id", "platform_fan_id"),
    # Scoring reads a creator's fans in pages by id.
    Index(None, "agency_id", "creator_id", "id"),
    # The picker with nothing typed, and the creator's largest lifetime spend.
    Index(None, "agency_id", "creator_id", "total_cents"),
    # Which fans to look at again because their period is about to end.
    Index(None, "agency_id", "creator_id", "expires_at"),
)

fan_names = _tenant(
    "fan_names",
    _int("creator_id"),
    Column("name_key", SORTED_TEXT, nullable=False),
    _int("fan_account_id"),
    _parent("creator_id", "creators"),
    _parent("fan_account_id", "fan_accounts"),
    # Forgetting the names of a fan, and the check of the foreign key.
    Index(None, "agency_id", "fan_account_id"),
    key=("creator_id", "name_key", "fan_account_id"),
)

transactions = _tenant(
    "transactions",
    _int("creator_id"),
    _text("platform_transaction_id"),
    _int("fan_account_id", null=True),
    _text("kind"),
    _int("amount_cents"),
    _int("net_cents", null=True),
    _text("currency"),
    _text("status", null=True),
    # False for what never arrived or was given back: kept, but no sum counts it.
    _flag("counted"),
    _int("occurred_at"),
    _parent("creator_id", "creators"),
    _parent("fan_account_id", "fan_accounts"),
    UniqueConstraint("agency_id", "creator_id", "platform_transaction_id"),
    # The spend windows of one fan.
    Index(None, "agency_id", "fan_account_id", "occurred_at"),
    # The last 30 days of a creator.
    Index(None, "agency_id", "creator_id", "occurred_at"),
)

# --- derived --------------------------------------------------------------------------------------------------------

scores = _tenant(
    "scores",
    _int("fan_account_id"),
    _int("creator_id"),
    _text("model"),
    _int("model_version"),
    _float("churn_risk"),
    _float("ltv", null=True),
    _float("engagement", null=True),
    _float("upsell", null=True),
    _float("loyalty", null=True),
    _float("churn_probability", null=True),
    _int("run_id"),
    _int("scored_at"),
    # The score last kept in score_history, or the first one.
    _float("kept_churn_risk"),
    _int("kept_at"),
    _parent("fan_account_id", "fan_accounts"),
    _parent("creator_id", "creators"),
    # The worst scores of a creator.
    Index(None, "agency_id", "creator_id", "churn_risk"),
    key=("fan_account_id",),
)

score_history = _tenant(
    "score_history",
    _int("creator_id"),
    _int("fan_account_id"),
    _text("model"),
    _int("model_version"),
    _float("churn_risk"),
    _float("ltv", null=True),
    _float("engagement", null=True),
    _int("scored_at"),
    _text("why"),
    _parent("creator_id", "creators"),
    _parent("fan_account_id", "fan_accounts"),
    CheckConstraint("why IN ('tier', 'move', 'weekly')", name="why"),
    # The last kept score of a fan.
    Index(None, "agency_id", "fan_account_id", "scored_at"),
    # A creator's history over a span.
    Index(None, "agency_id", "creator_id", "scored_at"),
)

# --- work -----------------------------------------------------------------------------------------------------------

episodes = _tenant(
    "episodes",
    _int("creator_id"),
    _int("fan_account_id"),
    _text("tier", null=True),
    _flag("expired"),
    _int("opened_at"),
    _int("closed_at", null=True),
    _int("opened_run_id"),
    _int("changed_run_id"),
    _float("score"),
    _float("shown_score", null=True),
    _float("score_before", null=True),
    _text("reasons"),
    _text("top_reason", null=True),
    _int("pace_cents", null=True),
    _int("total_cents", null=True),
    _text("currency"),
    _text("owner_kind", null=True),
    _int("owner_id", null=True),
    _int("claimed_by", null=True),
    _int("claimed_at", null=True),
    _int("card_id", null=True),
    _flag("baseline"),
    _flag("ping_wanted"),
    # Why the run that changed it still has to put it on a card; NULL: it has been.
    _text("placement", null=True),
    _parent("creator_id", "creators"),
    _parent("fan_account_id", "fan_accounts"),
    _parent("card_id", "cards"),
    # One open episode per fan account.
    Index(
        "uq_episodes_open",
        "agency_id",
        "fan_account_id",
        unique=True,
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
    # The latest episode of a fan.
    Index(None, "agency_id", "fan_account_id", "opened_at"),
    # A creator's open work: the board and the queue.
    Index(None, "agency_id", "creator_id", "closed_at"),
    # The rows of a card.
    Index(None, "agency_id", "card_id"),
    # What one run changed, for grouping.
    Index(None, "agency_id", "changed_run_id"),
)

episode_events = _tenant(
    "episode_events",
    _int("episode_id"),
    _int("creator_id"),
    _int("fan_account_id"),
    _text("change"),
    _text("tier_before", null=True),
    _text("tier_after", null=True),
    _float("score", null=True),
    _int("run_id", null=True),
    _int("actor_id", null=True),
    _text("code", null=True),
    _int("at"),
    _parent("episode_id", "episodes"),
    _parent("creator_id", "creators"),
    _parent("fan_account_id", "fan_accounts"),
    # The story of an episode.
    Index(None, "agency_id", "episode_id", "at"),
    # The story of a fan.
    Index(None, "agency_id", "fan_account_id", "at"),
    # Counts of a creator over a span.
    Index(None, "agency_id", "creator_id", "at"),
)

audit_log = _tenant(
    "audit_log",
    _int("actor_id"),
    _text("action"),
    _text("target_kind"),
    _int("target_id", null=True),
    _int("creator_id", null=True),
    _int("at"),
    _int("wall_at"),
    _parent("creator_id", "creators"),
    # Who looked at this?
    Index(None, "agency_id", "target_kind", "target_id", "at"),
    # What did this person do?
    Index(None, "agency_id", "actor_id", "at"),
)

# --- machinery ------------------------------------------------------------------------------------------------------

cards = _tenant(
    "cards",
    _int("creator_id", null=True),
    _int("channel_id"),
    _text("kind"),
    _text("code", null=True),
    _text("state"),
    _int("wanted_version"),
    _int("sent_version"),
    _int("incarnation"),
    _int("message_id", null=True),
    _text("retire_ids", null=True),
    _flag("ping_wanted"),
    _text("mention_kind", null=True),
    _int("mention_id", null=True),
    _text("payload", null=True),
    _text("rendered_hash", null=True),
    _text("blocked_reason", null=True),
    _int("blocked_until", null=True),
    _int("scored_wall_at", null=True),
    _int("first_sent_wall_at", null=True),
    _int("last_sent_wall_at", null=True),
    _int("created_at"),
    _int("closed_at", null=True),
    _parent("creator_id", "creators"),
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

sync_runs = _tenant(
    "sync_runs",
    _int("creator_id"),
    _text("kind"),
    _int("due_at"),
    _int("started_at"),
    _int("finished_at", null=True),
    _text("status"),
    _text("phase"),
    _text("cursor", null=True),
    _text("stats", null=True),
    _int("calls", default=0),
    Column("credits", Float, nullable=False, server_default=text("0")),
    _text("error", null=True),
    _parent("creator_id", "creators"),
    # The run to go on with, and what a creator has cost.
    Index(None, "agency_id", "creator_id", "finished_at"),
)

score_runs = _tenant(
    "score_runs",
    _int("creator_id"),
    _int("sync_run_id", null=True),
    _text("model"),
    _int("model_version"),
    _int("now_at"),
    _int("max_total_cents"),
    _int("max_30d_cents"),
    _int("after_fan_id", null=True),
    _flag("baseline"),
    _int("started_at"),
    _int("finished_at", null=True),
    _parent("creator_id", "creators"),
    _parent("sync_run_id", "sync_runs"),
    # The run to go on with.
    Index(None, "agency_id", "creator_id", "finished_at"),
)

command_hashes = _tenant(
    "command_hashes",
    Column("scope", Text, nullable=False),
    _text("hash"),
    _int("synced_at"),
    key=("scope",),
)

APPEND_ONLY = ("episode_events", "audit_log")
"""The tables that triggers keep from ever being changed or emptied: ids and codes only."""

TENANT_TABLES = frozenset(table.name for table in metadata.tables.values() if "agency_id" in table.c)
