"""What the data API has cost in a span of days, for reports."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from storage.tables import api_usage
from storage.tx import Tx


@dataclass(frozen=True, slots=True)
class UsageSum:
    """One creator's cost for one purpose over the span. `creator_id` 0: of no creator (`usage.OF_NO_CREATOR`)."""

    creator_id: int
    purpose: str
    calls: int
    credits: float
    errors: int


async def sums_between(tx: Tx, first: str, last: str) -> list[UsageSum]:
    """From `first` to `last` (YYYY-MM-DD, both included), the dearest first."""
    u = api_usage.c
    rows = await tx.all(
        select(
            u.creator_id, u.purpose, func.sum(u.calls), func.sum(u.credits).label("spent"), func.sum(u.errors)
        )
        .where(u.agency_id == tx.agency_id, u.day >= first, u.day <= last)
        .group_by(u.creator_id, u.purpose)
    )
    found = [UsageSum(row[0], row[1], int(row[2]), float(row[3]), int(row[4])) for row in rows]
    return sorted(found, key=lambda one: (-one.credits, one.creator_id, one.purpose))


async def first_day(tx: Tx, first: str, last: str) -> str | None:
    """The first day within the span that cost anything; None: none did."""
    u = api_usage.c
    found = await tx.scalar(
        select(func.min(u.day)).where(u.agency_id == tx.agency_id, u.day >= first, u.day <= last)
    )
    return None if found is None else str(found)


async def list_months(tx: Tx) -> list[str]:
    """The months (YYYY-MM) with any cost, the newest first."""
    u = api_usage.c
    rows = await tx.all(
        select(func.substr(u.day, 1, 7).label("month")).where(u.agency_id == tx.agency_id).distinct()
    )
    return sorted((str(row.month) for row in rows), reverse=True)
