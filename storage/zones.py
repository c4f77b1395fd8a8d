"""Whose clock counts: the agency's, or the creator's own where she has one."""

from __future__ import annotations

from sqlalchemy import select

from storage.tables import agencies, creators
from storage.tx import Tx


async def read_zone_name(tx: Tx, creator_id: int | None) -> str:
    """An IANA name. `creator_id` None: the agency's; UTC where that has not been chosen yet."""
    if creator_id is not None:
        own = await tx.scalar(
            select(creators.c.timezone).where(
                creators.c.agency_id == tx.agency_id, creators.c.id == creator_id
            )
        )
        if own:
            return str(own)
    return str(await tx.scalar(select(agencies.c.timezone).where(agencies.c.id == tx.agency_id)) or "UTC")
