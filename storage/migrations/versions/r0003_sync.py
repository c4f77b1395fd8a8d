"""Full facts, the schedule of the sync, webhooks, imports, the daily figures of a creator."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Float, text

from storage.migrations.append_only import set_triggers
from storage.migrations.schema_0003 import APPEND_ONLY, NEW_TABLES, metadata
from storage.migrations.views_0003 import create_views

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for column in (
        Column("reported_30d_cents", BigInteger),
        Column("reported_prior_30d_cents", BigInteger),
        Column("reported_messages_30d", BigInteger),
        Column("reported_ppv_open_rate", Float),
        Column("messages_from_at", BigInteger),
        Column("messages_until_at", BigInteger),
    ):
        op.add_column("fan_accounts", column)
    for column in (
        # 0: the first walk of all fans after the upgrade is due at once.
        Column("next_full_walk_at", BigInteger, nullable=False, server_default=text("0")),
        Column("latest_read_at", BigInteger),
        Column("payments_from_at", BigInteger),
        Column("chats_readable", Boolean),
        Column("credits_per_day", BigInteger),
        Column("webhook_at", BigInteger),
        Column("reconcile_since_at", BigInteger),
    ):
        op.add_column("creators", column)
    connection = op.get_bind()
    metadata.create_all(connection, tables=NEW_TABLES, checkfirst=False)
    set_triggers(connection, APPEND_ONLY)
    create_views(connection)


def downgrade() -> None:
    raise RuntimeError("append-only events would be lost; restore a backup instead")
