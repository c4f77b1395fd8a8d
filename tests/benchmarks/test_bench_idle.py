"""What a second costs in which nothing happens: a tick over 1,000 open cards and the closed ones of a year.

The floor, in the same run: one bare read of one row.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot.domain.models import MS_PER_DAY
from bot.domain.roster import Roster, RosterCreator
from bot.jobs.boards import BoardsJob
from bot.jobs.daily import DailyJob
from bot.jobs.delivery import Delivery
from storage import roster as rosters
from storage.bulk import bulk_insert
from storage.engine import Storage, Tx
from storage.tables import cards
from tests.bot.jobs.fake_discord import FakeDiscord

pytestmark = pytest.mark.bench

NOW = 1_772_438_400_000
CREATORS = 100
OPEN, CLOSED = 1_000, 100_000
TICKS = 50
MOST_RATIO = 60
"""Of a tick to one bare read of one row through the same store: some ten reads, none of which grows with the cards."""
_COLUMNS = (
    "agency_id",
    "id",
    "creator_id",
    "channel_id",
    "kind",
    "state",
    "wanted_version",
    "sent_version",
    "incarnation",
    "message_id",
    "ping_wanted",
    "payload",
    "created_at",
    "closed_at",
)


async def _fill(tx: Tx) -> None:
    creators = await rosters.list_creators(tx)
    rows = []
    for number in range(OPEN + CLOSED):
        creator = creators[number % CREATORS]
        closed_at = None if number < OPEN else NOW
        head = (tx.agency_id, tx.ids.next(), creator.id, creator.channel_id, "a", "idle", 3, 3, 1)
        rows.append((*head, number + 1, False, "{}", NOW, closed_at))
    await bulk_insert(tx, cards, _COLUMNS, rows)


async def _ms_each(work: Callable[[], Awaitable[object]]) -> float:
    await work()
    began = time.perf_counter()
    for _ in range(TICKS):
        await work()
    return (time.perf_counter() - began) / TICKS * 1_000


async def test_an_idle_second(tmp_path: Path) -> None:
    roster = Roster(
        guild_id="100",
        timezone="UTC",
        notice_channel_id="101",
        tiers=(),
        members=(),
        creators=tuple(RosterCreator(f"acct_{n}", f"c{n}", str(1_000 + n)) for n in range(CREATORS)),
    )
    async with await Storage.open(f"sqlite:///{tmp_path}/fanwatch.db") as storage:
        store = storage.agency(await rosters.apply_roster(storage, roster, NOW))
        await store.write(_fill)
        discord = FakeDiscord()
        delivery = Delivery(store, discord, guild_id=100, chat_url="https://example.com/{fan_id}")
        boards, daily = BoardsJob(store), DailyJob(store)
        now = NOW + MS_PER_DAY
        await daily.run_due(now)

        async def bare() -> None:
            async with store.read() as tx:
                await rosters.notice_channel_id(tx)

        floor = await _ms_each(bare)
        taken = {
            "delivery": await _ms_each(delivery.wake),
            "boards": await _ms_each(lambda: boards.run_due(now)),
            "days": await _ms_each(lambda: daily.run_due(now)),
        }
    parts = ", ".join(f"{name} {ms:.2f} ms" for name, ms in taken.items())
    print(f"an idle tick over {OPEN:,} open and {CLOSED:,} closed cards: {parts}; one read {floor:.2f} ms")  # noqa: T201 - its figures
    assert discord.calls == []
    assert taken["delivery"] + taken["boards"] < MOST_RATIO * floor
