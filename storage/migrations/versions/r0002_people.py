"""Set-up by command, settings per creator, shifts, notes, winbacks, threads of fans."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Float, Text

from storage.migrations.schema_0002 import NEW_TABLES, metadata

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("agencies", Column("set_up_at", BigInteger))
    # Until now an agency could only come from a roster, which is a whole set-up.
    op.execute("UPDATE agencies SET set_up_at = created_at")
    for column in (
        Column("timezone", Text),
        Column("fire_above", Float),
        Column("action_above", Float),
        Column("name_mode", Text),
        Column("chat_url", Text),
        Column("retired_at", BigInteger),
        Column("baseline_cause", Text),
    ):
        op.add_column("creators", column)
    metadata.create_all(op.get_bind(), tables=NEW_TABLES, checkfirst=False)


def downgrade() -> None:
    raise RuntimeError("people's notes would be lost; restore a backup instead")
