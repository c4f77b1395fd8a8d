"""A remote clock against a small one in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest
import pytest_asyncio

from bot import clock as clock_module
from bot.clock import BlockedCard, ClockUnreachableError, RemoteClock, SystemClock
from tests.bot.fake_clock import NOON_MS, FakeClock


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[FakeClock]:
    async with FakeClock() as opened:
        yield opened


@pytest.fixture
def clock(fake: FakeClock) -> RemoteClock:
    return RemoteClock("http://clock", fake.client)


def test_the_systems_clock_is_utc_milliseconds() -> None:
    assert 1_700_000_000_000 < SystemClock().now_ms() < 10_000_000_000_000


async def test_time_is_what_the_clock_says_and_stands_where_its_rate_is_zero(
    clock: RemoteClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [100.0]
    monkeypatch.setattr(clock_module, "time", SimpleNamespace(monotonic=lambda: seconds[0]))
    await clock.start()
    assert (clock.version, clock.now_ms()) == (1, NOON_MS)
    seconds[0] += 3_600
    assert clock.now_ms() == NOON_MS


async def test_time_runs_on_between_answers_at_the_clocks_rate(
    fake: FakeClock, clock: RemoteClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [100.0]
    monkeypatch.setattr(clock_module, "time", SimpleNamespace(monotonic=lambda: seconds[0]))
    fake.rate = 60.0
    await clock.start()
    seconds[0] += 2
    assert clock.now_ms() == NOON_MS + 120_000


@pytest.mark.parametrize("answer", ["down", "nonsense", "refuses"])
async def test_no_clock_at_start_is_an_error(fake: FakeClock, clock: RemoteClock, answer: str) -> None:
    fake.trouble = answer
    with pytest.raises(ClockUnreachableError, match="CLOCK_URL"):
        await clock.start()


async def test_every_version_is_told_the_first_one_included(fake: FakeClock, clock: RemoteClock) -> None:
    told: asyncio.Queue[int] = asyncio.Queue()
    await clock.start()
    following = asyncio.create_task(clock.follow(told.put))
    try:
        async with asyncio.timeout(5):
            assert await told.get() == 1
            fake.advance(3_600_000)
            assert await told.get() == 2
            assert clock.now_ms() == NOON_MS + 3_600_000
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def test_time_stands_still_while_the_clock_is_lost_and_goes_on_after(
    fake: FakeClock, clock: RemoteClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [100.0]
    waits: asyncio.Queue[float] = asyncio.Queue()
    again = asyncio.Event()

    async def wait(delay: float) -> None:
        await waits.put(delay)
        await again.wait()

    monkeypatch.setattr(clock_module, "time", SimpleNamespace(monotonic=lambda: seconds[0]))
    fake.rate = 1.0
    told: asyncio.Queue[int] = asyncio.Queue()
    await clock.start()
    fake.trouble = "down"
    seconds[0] += 10
    with monkeypatch.context() as patched:
        patched.setattr(clock_module, "asyncio", SimpleNamespace(timeout=asyncio.timeout, sleep=wait))
        following = asyncio.create_task(clock.follow(told.put))
        try:
            async with asyncio.timeout(5):
                assert await told.get() == 1
                assert await waits.get() == 1
                seconds[0] += 3_600
                assert clock.now_ms() == NOON_MS + 10_000
                fake.trouble = None
                fake.advance(60_000)
                again.set()
                assert await told.get() == 2
            assert clock.now_ms() == NOON_MS + 60_000
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


async def test_what_is_settled_is_posted_and_a_lost_clock_is_no_error(
    fake: FakeClock, clock: RemoteClock
) -> None:
    await clock.start()
    await clock.post_settled(1, {"sync": 2}, 1, [BlockedCard("a1z", "closed", None)])
    fake.trouble = "down"
    await clock.post_settled(1, {}, 0, [])
    assert fake.settled == [
        {
            "version": 1,
            "ran": {"sync": 2},
            "cards_behind": 1,
            "blocked": [{"card": "a1z", "reason": "closed", "until": None}],
        }
    ]
