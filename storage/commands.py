"""Which commands Discord was last given, so that an unchanged set is not sent again."""

from __future__ import annotations

from sqlalchemy import select

from storage.bulk import bulk_upsert
from storage.tables import command_hashes
from storage.tx import Tx


async def get_command_hash(tx: Tx, scope: str) -> str | None:
    """The hash of what was last sent for `scope`; None: nothing was."""
    found = await tx.scalar(
        select(command_hashes.c.hash).where(
            command_hashes.c.agency_id == tx.agency_id, command_hashes.c.scope == scope
        )
    )
    return None if found is None else str(found)


async def set_command_hash(tx: Tx, scope: str, value: str, now_ms: int) -> None:
    await bulk_upsert(
        tx,
        command_hashes,
        ("agency_id", "scope", "hash", "synced_at"),
        [(tx.agency_id, scope, value, now_ms)],
        conflict=("agency_id", "scope"),
        update=("hash", "synced_at"),
    )
