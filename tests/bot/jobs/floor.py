"""A team at work for one creator, on real storage; nothing here stands in for anything."""

from __future__ import annotations

from typing import Any

from bot.domain.models import MS_PER_HOUR
from bot.domain.shifts import PlannedShift
from bot.domain.views import HandoverCard
from bot.jobs.shifts import ShiftsJob
from storage import card_views, claims, on_shift, shifts
from storage.on_shift import OnShift
from storage.tables import (
    episode_events,
    shift_sessions,
)
from tests.bot.jobs.desk import NINE_DAYS, Desk, leaving
from tests.storage.conftest import NOW

ANA, LEA, BEN, CARA = 301, 302, 303, 304
ALL_DAYS = frozenset(range(1, 8))
MORNING = PlannedShift(BEN, ALL_DAYS, 9 * 60, 13 * 60, "UTC")
AFTERNOON = PlannedShift(CARA, ALL_DAYS, 13 * 60, 21 * 60, "UTC")
START = NINE_DAYS
"""08:00 UTC; the morning's shift begins an hour later."""
NINE, ONE = START + MS_PER_HOUR, START + 5 * MS_PER_HOUR
MINUTE = 60_000


class Floor:
    """A team at work for Ava; every tick is that of a process just started."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.store = desk.store
        self.ava = desk.agency.ava

    async def tick(self, now_ms: int) -> dict[str, int]:
        done = await ShiftsJob(self.store).run_due(now_ms)
        # Nothing is done twice.
        assert await ShiftsJob(self.store).run_due(now_ms) == {}
        return done

    async def plan(self, *planned: PlannedShift) -> None:
        for one in planned:
            await self.store.write(lambda tx, one=one: shifts.add_shift(tx, self.ava, one, NOW))

    async def on(self) -> dict[int, OnShift]:
        async with self.store.read() as tx:
            found = (await on_shift.list_on(tx)).get(self.ava, ())
        return {one.user_id: one for one in found}

    async def sessions(self) -> list[dict[str, Any]]:
        return await self.desk.rows(shift_sessions)

    async def open(self, count: int = 3) -> list[int]:
        """So many action items; their episode ids, oldest first."""
        await self.desk.start([leaving(n) for n in range(1, count + 1)])
        await self.desk.score(START)
        return [row["id"] for row in (await self.desk.episodes()).values()]

    async def claim(self, user_id: int, *episode_ids: int, at: int) -> None:
        async def write(tx: Any) -> None:
            for one in episode_ids:
                assert (await claims.claim(tx, one, user_id, at))[0] == "claimed"
            await on_shift.begin_by_claim(tx, self.ava, user_id, at)

        await self.store.write(write)

    async def claimers(self) -> list[int | None]:
        return [row["claimed_by"] for row in (await self.desk.episodes()).values()]

    async def handovers(self) -> list[HandoverCard]:
        found: list[HandoverCard] = []
        for card in await self.desk.cards("h"):
            async with self.store.read() as tx:
                view = await card_views.load_view(tx, card["id"])
            assert isinstance(view, HandoverCard)
            found.append(view)
        return found

    async def handover(self) -> HandoverCard:
        (found,) = await self.handovers()
        return found

    async def changes(self) -> list[tuple[str, int | None]]:
        return [
            (row["change"], row["actor_id"])
            for row in await self.desk.rows(episode_events)
            if row["change"] in ("claimed", "lapsed")
        ]
