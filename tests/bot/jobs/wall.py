"""A creator's board, the Discord it hangs in, and what keeps it."""

from __future__ import annotations

import asyncio
from typing import Any

from bot.domain.base36 import encode
from bot.domain.models import MS_PER_HOUR
from bot.domain.shifts import PlannedShift
from bot.domain.views import BoardCard
from bot.jobs.boards import BoardsJob
from bot.jobs.delivery import Delivery
from bot.jobs.shifts import ShiftsJob
from storage import card_views, shifts
from tests.bot.jobs.desk import Desk
from tests.bot.jobs.fake_discord import FakeDiscord, Message
from tests.storage.conftest import NOW

ANA, BEN = 301, 302
ALL_DAYS = frozenset(range(1, 8))
MORNING = PlannedShift(ANA, ALL_DAYS, 9 * 60, 13 * 60, "UTC")
"""NOW is 08:00 UTC."""
NINE = NOW + MS_PER_HOUR
ONE = NOW + 5 * MS_PER_HOUR


class Wall:
    """A creator's board, the Discord it hangs in, and what keeps it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.store = desk.store
        self.ava = desk.agency.ava
        self.discord = FakeDiscord()

    async def tick(self, now_ms: int) -> dict[str, int]:
        """As a process just started does it; then everything that is owed is delivered. What the boards' job has done."""
        await ShiftsJob(self.store).run_due(now_ms)
        ran = await BoardsJob(self.store).run_due(now_ms)
        await self.drain()
        return ran

    def delivery(self) -> Delivery:
        return Delivery(
            self.store,
            self.discord,
            guild_id=100,
            chat_url="https://example.com/{fan_id}",
            wall_ms=lambda: NOW,
            first_retry_s=0.001,
        )

    async def drain(self) -> None:
        async with asyncio.timeout(20):
            await self.delivery().drain()

    async def plan(self, *planned: PlannedShift) -> None:
        for one in planned:
            await self.store.write(lambda tx, one=one: shifts.add_shift(tx, self.ava, one, NOW))

    async def card(self) -> dict[str, Any]:
        (found,) = [card for card in await self.desk.cards("b") if card["closed_at"] is None]
        return found

    async def view(self) -> BoardCard:
        async with self.store.read() as tx:
            view = await card_views.load_view(tx, (await self.card())["id"])
        assert isinstance(view, BoardCard)
        return view

    async def messages(self) -> list[Message]:
        """Those of the board that still are one."""
        return [m for m in self.discord.of_card(encode((await self.card())["id"])) if m.live]

    async def message(self) -> Message:
        (found,) = await self.messages()
        return found

    def sent(self) -> int:
        return len(self.discord.calls)
