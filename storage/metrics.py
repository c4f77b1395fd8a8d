"""What the metrics tell of the database: whether it answers, and figures by creator, ids only."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from storage.engine import AgencyStore
from storage.parts import in_parts
from storage.settings import read_settings
from storage.tables import creators, episodes, fan_accounts
from storage.tx import Tx


@dataclass(frozen=True, slots=True)
class CreatorGauges:
    """`synced_at`: as of when her data is, None: never fetched. `open_by_tier`: her open alerts."""

    creator_id: int
    synced_at: int | None
    watched: bool
    open_by_tier: dict[str, int]


async def trouble_of(store: AgencyStore, within_s: float) -> str | None:
    """What keeps the database from answering within that time, as a code for the log; None: it answers."""
    try:
        async with asyncio.timeout(within_s), store.read() as tx:
            await read_settings(tx)
    except (TimeoutError, OSError, SQLAlchemyError) as error:
        return type(error).__name__
    return None


async def read_gauges(tx: Tx) -> list[CreatorGauges]:
    """Every creator, by id."""
    found = await tx.all(
        select(creators.c.id, creators.c.synced_at, creators.c.paused_reason, creators.c.retired_at)
        .where(creators.c.agency_id == tx.agency_id)
        .order_by(creators.c.id)
    )
    tiers: dict[int, dict[str, int]] = {}
    for part in in_parts([row.id for row in found]):
        rows = await tx.all(
            select(episodes.c.creator_id, episodes.c.tier, func.count())
            # By creator, or all episodes there ever were would be read.
            .where(
                episodes.c.agency_id == tx.agency_id,
                episodes.c.creator_id.in_(part),
                episodes.c.closed_at.is_(None),
            )
            .group_by(episodes.c.creator_id, episodes.c.tier)
        )
        for creator_id, tier, number in rows:
            tiers.setdefault(creator_id, {})[tier or "none"] = int(number)
    return [
        CreatorGauges(
            row.id, row.synced_at, row.paused_reason is None and row.retired_at is None, tiers.get(row.id, {})
        )
        for row in found
    ]


async def count_fans(tx: Tx) -> dict[int, int]:
    """Creator id -> how many fans she ever had. Reads an index whole: not for every second."""
    rows = await tx.all(
        select(fan_accounts.c.creator_id, func.count())
        .where(fan_accounts.c.agency_id == tx.agency_id)
        .group_by(fan_accounts.c.creator_id)
    )
    return {row[0]: int(row[1]) for row in rows}
