"""The periods of subscriptions: what the API lists of them, kept also when it lists them no more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from bot.domain.models import PeriodRecord
from storage.bulk import bulk_upsert
from storage.parts import in_parts
from storage.tables import subscriptions
from storage.tx import Tx

_p = subscriptions.c
_COLUMNS = (
    "agency_id",
    "id",
    "creator_id",
    "fan_account_id",
    "starts_at",
    "ends_at",
    "cancelled_at",
    "price_cents",
    "regular_price_cents",
    "trial",
    "platform_period_id",
    "updated_at",
)
_KEY = ("agency_id", "fan_account_id", "starts_at")


async def read_periods(tx: Tx, fan_account_ids: Collection[int]) -> dict[int, tuple[PeriodRecord, ...]]:
    """Fan account id -> all periods on record, the earliest first; who has none is left out."""
    found: defaultdict[int, list[PeriodRecord]] = defaultdict(list)
    for part in in_parts(sorted(fan_account_ids)):
        rows = await tx.all(
            select(*(_p[name] for name in _COLUMNS[3:-1]))
            .where(_p.agency_id == tx.agency_id, _p.fan_account_id.in_(part))
            .order_by(_p.fan_account_id, _p.starts_at)
        )
        for row in rows:
            found[row.fan_account_id].append(_to_period(row))
    return {fan_id: tuple(periods) for fan_id, periods in found.items()}


def _to_period(row: Any) -> PeriodRecord:
    return PeriodRecord(
        platform_period_id=row.platform_period_id,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        cancelled_at=row.cancelled_at,
        price_cents=row.price_cents,
        regular_price_cents=row.regular_price_cents,
        trial=row.trial,
        current=None,
    )


async def write_periods(
    tx: Tx, creator_id: int, periods: Mapping[int, Sequence[PeriodRecord]], now_ms: int
) -> None:
    """Add these periods by fan account id, or overwrite the ones that begin at the same instants."""
    rows = [
        (
            tx.agency_id,
            tx.ids.next(),
            creator_id,
            fan_id,
            period.starts_at,
            period.ends_at,
            period.cancelled_at,
            period.price_cents,
            period.regular_price_cents,
            period.trial,
            period.platform_period_id,
            now_ms,
        )
        for fan_id, of_fan in periods.items()
        for period in of_fan
    ]
    if rows:
        await bulk_upsert(tx, subscriptions, _COLUMNS, rows, conflict=_KEY, update=_COLUMNS[5:])
