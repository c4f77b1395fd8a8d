"""One key's bucket: never more than its minute allows, in order, and back after a cancellation."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.fanapi.pacing import TokenBucket, backoff_s
from tests.bot.fanapi.fakes import FakeTime


@settings(deadline=None)
@given(st.integers(1, 300), st.lists(st.floats(0, 5), max_size=60))
def test_no_minute_holds_more_than_allowed(per_minute: int, pauses: list[float]) -> None:
    async def run() -> list[float]:
        time = FakeTime()
        bucket = TokenBucket(per_minute, time.monotonic, time.sleep)
        taken = []
        for pause in pauses + [0.0] * min(3 * per_minute, 100):
            time.at += pause
            await bucket.take()
            taken.append(time.at)
        return taken

    taken = asyncio.run(run())
    for first in taken:
        # 1: a slow bucket may give its one token at once and earn the next within the minute.
        assert sum(first <= at < first + 60 - 1e-6 for at in taken) <= per_minute + 1


async def test_a_hold_stops_everybody() -> None:
    time = FakeTime()
    bucket = TokenBucket(600, time.monotonic, time.sleep)
    bucket.hold(5.0)
    await bucket.take()
    assert time.at == pytest.approx(5.0)


async def test_a_cancelled_waiter_gives_its_turn_back() -> None:
    time = FakeTime()

    async def cancelled(_: float) -> None:
        raise asyncio.CancelledError

    bucket = TokenBucket(60, time.monotonic, time.sleep)
    stopped = TokenBucket(60, time.monotonic, cancelled)
    for each in (bucket, stopped):
        await each.take()
    with pytest.raises(asyncio.CancelledError):
        await stopped.take()
    time.at += 61 / 59
    await stopped.take()


def test_a_bucket_needs_a_rate() -> None:
    with pytest.raises(ValueError, match="at least one"):
        TokenBucket(0, lambda: 0.0, FakeTime().sleep)


@pytest.mark.parametrize(("failures", "low", "high"), [(1, 0.5, 1.0), (2, 1.0, 2.0), (9, 15.0, 30.0)])
def test_the_back_off_doubles_up_to_a_cap(failures: int, low: float, high: float) -> None:
    assert backoff_s(failures, lambda: 0.0) == low
    assert backoff_s(failures, lambda: 1.0) == high
