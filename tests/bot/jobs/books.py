"""A creator's payments, fans and scoring runs put straight into a real database, and her days read back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select

from bot.domain.daily import DayFigures
from bot.jobs.daily import DailyJob
from storage import creator_daily, fans, fetching, transactions
from storage.engine import AgencyStore, Tx
from storage.tables import creator_daily as table
from storage.tables import score_runs
from tests.storage.conftest import NOW


@dataclass
class Books:
    """Ava's days, and the job that keeps them."""

    store: AgencyStore
    ava: int
    job: DailyJob

    async def fans(self, *records: Any) -> dict[str, int]:
        async def write(tx: Tx) -> dict[str, int]:
            await fans.apply_fan_page(tx, self.ava, records, NOW, 1)
            return await fans.ids_by_platform(tx, self.ava, [one.platform_fan_id for one in records])

        return await self.store.write(write)

    async def pay(self, *records: Any) -> None:
        await self.store.write(lambda tx: transactions.apply_transactions(tx, self.ava, records, NOW))

    async def fresh(self, at: int) -> None:
        await self.store.write(lambda tx: fetching.mark_fresh(tx, self.ava, at))

    async def scored(self, at: int) -> None:
        async def write(tx: Tx) -> None:
            row = {"model": "reference", "model_version": 1, "max_total_cents": 0, "max_30d_cents": 0}
            own = {"agency_id": tx.agency_id, "id": tx.ids.next(), "creator_id": self.ava}
            times = {"now_at": at, "started_at": at, "finished_at": at}
            await tx.execute(insert(score_runs).values(**own, **row, **times))

        await self.store.write(write)

    async def days(self) -> dict[str, DayFigures]:
        async with self.store.read() as tx:
            return (await creator_daily.list_days(tx, [self.ava], "0000", "9999")).get(self.ava, {})

    async def computed_at(self) -> dict[str, int]:
        async with self.store.read() as tx:
            rows = await tx.all(
                select(table.c.day, table.c.computed_at).where(table.c.agency_id == tx.agency_id)
            )
        return {row[0]: row[1] for row in rows}
