"""What an agency is set up with: its time zone, its notice channel, and what each Discord role may do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.models import AccessTier
from storage.engine import Storage
from storage.tables import agencies, creators, role_tiers
from storage.tx import Tx

WAITING_FOR_SETUP = "setup"
"""Why a creator is paused who was added before the agency's set-up was finished."""


@dataclass(frozen=True, slots=True)
class AgencySettings:
    """None: not chosen yet, or (`set_up_at`) not finished. `timezone` is an IANA name."""

    timezone: str | None
    notice_channel_id: int | None
    set_up_at: int | None


async def create_agency(storage: Storage, guild_id: int, now_ms: int) -> int:
    """An agency that is still to be set up; its id."""

    async def write(conn: AsyncConnection) -> int:
        agency_id = storage.ids.next()
        await conn.execute(
            insert(agencies).values(
                id=agency_id, guild_id=guild_id, timezone="", notice_channel_id=0, created_at=now_ms
            )
        )
        return agency_id

    return await storage.write(write)


async def read_settings(tx: Tx) -> AgencySettings:
    row = await tx.first(
        select(agencies.c.timezone, agencies.c.notice_channel_id, agencies.c.set_up_at).where(
            agencies.c.id == tx.agency_id
        )
    )
    assert row is not None  # noqa: S101 - a Tx is of an agency that exists
    return AgencySettings(row.timezone or None, row.notice_channel_id or None, row.set_up_at)


async def set_timezone(tx: Tx, timezone: str) -> None:
    await _set(tx, timezone=timezone)


async def set_notice_channel(tx: Tx, channel_id: int) -> None:
    await _set(tx, notice_channel_id=channel_id)


async def mark_set_up(tx: Tx, now_ms: int) -> None:
    await _set(tx, set_up_at=now_ms)


async def _set(tx: Tx, **values: object) -> None:
    await tx.execute(update(agencies).where(agencies.c.id == tx.agency_id).values(**values))


async def set_tier_roles(tx: Tx, tier: AccessTier, role_ids: Iterable[int]) -> None:
    """Exactly these roles have the tier. That no other tier has them is for the caller to see to."""
    name = tier.name.lower()
    await tx.execute(
        delete(role_tiers).where(role_tiers.c.agency_id == tx.agency_id, role_tiers.c.tier == name)
    )
    for role_id in sorted(set(role_ids)):
        await tx.execute(insert(role_tiers).values(agency_id=tx.agency_id, role_id=role_id, tier=name))


async def start_waiting(tx: Tx, now_ms: int) -> list[int]:
    """Begin to watch the creators who waited for the set-up; their ids."""
    waiting = await tx.all(
        select(creators.c.id).where(
            creators.c.agency_id == tx.agency_id, creators.c.paused_reason == WAITING_FOR_SETUP
        )
    )
    ids = [row.id for row in waiting]
    if ids:
        await tx.execute(
            update(creators)
            .where(creators.c.agency_id == tx.agency_id, creators.c.id.in_(ids))
            .values(paused_reason=None, next_poll_at=now_ms, next_walk_at=now_ms)
        )
    return ids
