"""Who counts as a whale among a creator's fans, without reading all of them."""

from __future__ import annotations

from sqlalchemy import func, select

from storage.tables import fan_accounts
from storage.tx import Tx


async def read_threshold(tx: Tx, creator_id: int) -> int | None:
    """What `bot.domain.grouping.whale_threshold` gives for her fans' lifetime spends, read from the index alone."""
    mine = (
        fan_accounts.c.agency_id == tx.agency_id,
        fan_accounts.c.creator_id == creator_id,
        fan_accounts.c.total_cents > 0,
    )
    paying = int(await tx.scalar(select(func.count()).where(*mine)) or 0)
    if not paying:
        return None
    last = max(1, paying // 100) - 1
    ranked = select(fan_accounts.c.total_cents).where(*mine).order_by(fan_accounts.c.total_cents.desc())
    return int(await tx.scalar(ranked.offset(last).limit(1)))
