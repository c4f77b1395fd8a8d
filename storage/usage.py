"""What the data API has cost: calls and credits by day of the agency, creator and purpose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sqlalchemy import func, insert, select, update

from storage.tables import api_usage
from storage.tx import Tx

Purpose = Literal["poll", "night", "walk", "refresh", "messages", "backfill", "accounts", "webhook"]
OF_NO_CREATOR = 0
UNLIMITED: tuple[Purpose, ...] = ("walk", "backfill", "webhook")
"""What is counted but is not for a day's budget: all fans have to be seen, however many they are."""


async def note(
    tx: Tx, day: str, creator_id: int, purpose: Purpose, *, calls: int, credits_used: float, errors: int
) -> None:
    """Add to what one purpose has cost on a day (YYYY-MM-DD of the agency). `creator_id` OF_NO_CREATOR: nobody's."""
    if not (calls or credits_used or errors):
        return
    u = api_usage.c
    key = {"agency_id": tx.agency_id, "day": day, "creator_id": creator_id, "purpose": purpose}
    same = (u.agency_id == tx.agency_id, u.day == day, u.creator_id == creator_id, u.purpose == purpose)
    if await tx.first(select(u.calls).where(*same)) is None:
        values = {"calls": calls, "credits": credits_used, "errors": errors}
        await tx.execute(insert(api_usage).values(**key, **values))
        return
    await tx.execute(
        update(api_usage)
        .where(*same)
        .values(calls=u.calls + calls, credits=u.credits + credits_used, errors=u.errors + errors)
    )


async def credits_by_day(
    tx: Tx, first: str, last: str, creator_id: int, *, outside: Sequence[Purpose] = ()
) -> dict[str, float]:
    """Day -> what one creator has cost, over all purposes but those `outside`; days without any are left out."""
    u = api_usage.c
    rows = await tx.all(
        select(u.day, func.sum(u.credits).label("used"))
        .where(
            u.agency_id == tx.agency_id,
            u.day.between(first, last),
            u.creator_id == creator_id,
            u.purpose.not_in(outside),
        )
        .group_by(u.day)
    )
    return {row.day: float(row.used) for row in rows}


async def credits_of_day(tx: Tx, day: str, creator_id: int, *, outside: Sequence[Purpose] = ()) -> float:
    """What one creator has cost on a day, over all purposes but those `outside`."""
    return (await credits_by_day(tx, day, day, creator_id, outside=outside)).get(day, 0.0)
