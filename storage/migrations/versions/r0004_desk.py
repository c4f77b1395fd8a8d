"""Shifts as worked, snoozes, escalation, outcomes, undo, calm, playbooks, follow-ups, digests."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

from storage.migrations.schema_0001.base import flag_column, float_column, int_column, text_column
from storage.migrations.schema_0004 import NEW_TABLES, metadata

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for column in (
        int_column("snoozed_until", null=True),
        int_column("snoozed_by", null=True),
        float_column("snooze_score", null=True),
        flag_column("snooze_shift"),
        text_column("snooze_reason", null=True),
        text_column("outcome", null=True),
        int_column("rests_until", null=True),
        float_column("rest_score", null=True),
        text_column("rest_tier", null=True),
        int_column("escalate_from_at", null=True),
        int_column("escalation_stage", default=0),
        int_column("remind_at", null=True),
        int_column("remind_held_until", null=True),
        text_column("ping_state", null=True),
        int_column("ping_due_at", null=True),
    ):
        op.add_column("episodes", column)
    for name, columns in (
        ("snoozed", ["snoozed_until"]),
        ("escalate", ["escalate_from_at"]),
        ("remind", ["remind_at"]),
        ("ping", ["ping_state", "ping_due_at"]),
        ("claimed", ["claimed_by"]),
    ):
        partial = text(f"{columns[0]} IS NOT NULL")
        op.create_index(
            f"ix_episodes_{name}",
            "episodes",
            ["agency_id", *columns],
            sqlite_where=partial,
            postgresql_where=partial,
        )
    metadata.create_all(op.get_bind(), tables=NEW_TABLES, checkfirst=False)


def downgrade() -> None:
    raise RuntimeError("what people did would be lost; restore a backup instead")
