"""The first schema."""

from __future__ import annotations

from alembic import op

from storage.migrations.append_only import set_triggers
from storage.migrations.schema_0001 import APPEND_ONLY, metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    connection = op.get_bind()
    metadata.create_all(connection, checkfirst=False)
    set_triggers(connection, APPEND_ONLY)


def downgrade() -> None:
    raise RuntimeError("the first schema has nothing before it; restore a backup instead")
