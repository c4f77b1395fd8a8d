"""The ticker: one tick at a time, faults that stay where they are, and the word that nothing is due any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest_asyncio

from bot.clock import BlockedCard, RemoteClock
from bot.jobs.ticker import Ticker
from tests.bot.fake_clock import NOON_MS, FakeClock

HOUR = 3_600_000


@dataclass
class Hourly:
    """Work that is due each hour, kept as the real one is: not in memory of the ticker."""

    name: str
    next_at: int = NOON_MS
    ran_at: list[int] = field(default_factory=list)
    breaks: bool = False
    hold: asyncio.Event | None = None
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    inside: int = 0
    most_inside: int = 0

    async def run_due(self, now_ms: int) -> dict[str, int]:
        if self.breaks:
            raise ZeroDivisionError
        if now_ms < self.next_at:
            return {}
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        self.entered.set()
        if self.hold is not None:
            await self.hold.wait()
        self.inside -= 1
        self.ran_at.append(now_ms)
        self.next_at += HOUR
        return {self.name: 1}


@dataclass
class Outbox:
    """Cards that a drain sends, but for those that are blocked."""

    behind: int = 0
    blocked: list[BlockedCard] = field(default_factory=list)
    wakes: int = 0
    hold: asyncio.Event | None = None
    draining: asyncio.Event = field(default_factory=asyncio.Event)

    async def wake(self) -> None:
        self.wakes += 1

    async def drain(self) -> None:
        self.draining.set()
        if self.hold is not None:
            await self.hold.wait()
        self.behind = 0

    async def count_behind(self) -> int:
        return self.behind

    async def list_blocked(self) -> list[BlockedCard]:
        return self.blocked


@dataclass
class Fixed:
    now: int = NOON_MS

    def now_ms(self) -> int:
        return self.now


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[FakeClock]:
    async with FakeClock() as opened:
        yield opened


async def _next_report(fake: FakeClock) -> dict[str, object]:
    async with asyncio.timeout(5):
        await fake.reported.wait()
    fake.reported.clear()
    return fake.settled[-1]


async def test_a_failing_job_does_not_keep_the_others_from_running() -> None:
    broken, works, outbox = Hourly("a", breaks=True), Hourly("b"), Outbox()
    ticker = Ticker(Fixed(), [broken, works], outbox)
    assert await ticker.tick() == {"b": 1}
    assert await ticker.tick() == {}
    assert outbox.wakes == 2


async def test_ticks_do_not_overlap() -> None:
    job = Hourly("a", hold=asyncio.Event())
    ticker = Ticker(Fixed(NOON_MS + 5 * HOUR), [job], Outbox())
    ticks = [asyncio.create_task(ticker.tick()) for _ in range(3)]
    await job.entered.wait()
    assert job.hold is not None
    job.hold.set()
    await asyncio.gather(*ticks)
    assert (job.most_inside, len(job.ran_at)) == (1, 3)


async def test_stopping_lets_the_tick_under_way_end() -> None:
    job = Hourly("a", hold=asyncio.Event())
    ticker = Ticker(Fixed(), [job], Outbox())
    tick = asyncio.create_task(ticker.tick())
    await job.entered.wait()
    stop = asyncio.create_task(ticker.stop())
    await asyncio.sleep(0)
    assert not stop.done()
    assert job.hold is not None
    job.hold.set()
    await stop
    assert await tick == {"a": 1}


async def test_each_version_is_settled_once_with_all_that_ran(fake: FakeClock) -> None:
    job = Hourly("sync", next_at=NOON_MS - 2 * HOUR)
    outbox = Outbox(behind=3)
    clock = RemoteClock("http://clock", fake.client)
    await clock.start()
    ticker = Ticker(clock, [job], outbox)
    ticker.start()
    try:
        report = await _next_report(fake)
        # Three hours were due: each is run before anything is called settled.
        assert report == {"version": 1, "ran": {"sync": 3}, "cards_behind": 0, "blocked": []}
        fake.advance(HOUR)
        assert await _next_report(fake) == {
            "version": 2,
            "ran": {"sync": 1},
            "cards_behind": 0,
            "blocked": [],
        }
    finally:
        await ticker.stop()
    assert [report["version"] for report in fake.settled] == [1, 2]


async def test_a_version_that_is_over_is_not_settled_any_more(fake: FakeClock) -> None:
    outbox = Outbox(hold=asyncio.Event())
    job = Hourly("sync", hold=asyncio.Event())
    clock = RemoteClock("http://clock", fake.client)
    await clock.start()
    ticker = Ticker(clock, [job], outbox)
    ticker.start()
    try:
        async with asyncio.timeout(5):
            # The first version is still at work when the second comes.
            await job.entered.wait()
            fake.advance(HOUR)
            await fake.wait_reads(3)
            assert job.hold is not None
            assert outbox.hold is not None
            job.hold.set()
            outbox.hold.set()
        await _next_report(fake)
    finally:
        await ticker.stop()
    assert [report["version"] for report in fake.settled] == [2]


async def test_a_jump_amid_a_tick_begins_with_the_first_job_again(fake: FakeClock) -> None:
    done: list[str] = []

    class Follower(Hourly):
        """Says what it did in the order in which it was done."""

        async def run_due(self, now_ms: int) -> dict[str, int]:
            ran = await super().run_due(now_ms)
            done.extend(f"{name} {(now_ms - NOON_MS) // HOUR}" for name in ran)
            return ran

    sync = Follower("sync", hold=asyncio.Event())
    digest = Follower("digest", next_at=NOON_MS + HOUR)
    clock = RemoteClock("http://clock", fake.client)
    await clock.start()
    ticker = Ticker(clock, [sync, digest], Outbox())
    ticker.start()
    try:
        async with asyncio.timeout(5):
            await sync.entered.wait()
            fake.advance(HOUR)
            await fake.wait_reads(3)
            assert sync.hold is not None
            sync.hold.set()
        await _next_report(fake)
    finally:
        await ticker.stop()
    # By the new time the digest is due at once, and still comes after the sync.
    assert done == ["sync 0", "sync 1", "digest 1"]


async def test_blocked_cards_are_said_and_hold_nothing_up(fake: FakeClock) -> None:
    outbox = Outbox(blocked=[BlockedCard("a1", "the bot cannot see the channel", None)])
    clock = RemoteClock("http://clock", fake.client)
    await clock.start()
    ticker = Ticker(clock, [], outbox)
    ticker.start()
    try:
        report = await _next_report(fake)
    finally:
        await ticker.stop()
    assert report["blocked"] == [{"card": "a1", "reason": "the bot cannot see the channel", "until": None}]
