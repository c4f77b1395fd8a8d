"""The pacer: requests are spaced, interactions pass at once."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from yarl import URL

from bot.discord_ui.pacer import Pacer


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each request was made to wait, in seconds; nobody really waits."""
    seen: list[float] = []

    async def sleep(seconds: float) -> None:
        seen.append(seconds)

    monkeypatch.setattr("bot.discord_ui.pacer.asyncio.sleep", sleep)
    return seen


async def _request(pacer: Pacer, url: str) -> None:
    session: Any = None
    params: Any = SimpleNamespace(url=URL(url))
    await pacer._on_request_start(session, SimpleNamespace(), params)


async def test_a_burst_is_spread_over_its_share_of_the_second(waits: list[float]) -> None:
    pacer = Pacer(requests_per_s=40)
    started = asyncio.get_running_loop().time()
    for _ in range(41):
        await _request(pacer, "https://discord.com/api/v10/channels/1/messages")
    took = asyncio.get_running_loop().time() - started
    # Nobody slept, so the last of 41 was told to wait a second, less what the loop itself took.
    assert waits[-1] == pytest.approx(1.0 - took, abs=0.05)
    assert waits == sorted(waits)


@pytest.mark.parametrize(
    "url",
    [
        "https://discord.com/api/v10/interactions/1/token/callback",
        "https://discord.com/api/v10/webhooks/1/token/messages/@original",
        "wss://gateway.discord.gg/?v=10",
    ],
)
async def test_answers_to_people_never_wait(waits: list[float], url: str) -> None:
    pacer = Pacer(requests_per_s=1)
    for _ in range(5):
        await _request(pacer, url)
    assert waits == []


async def test_an_idle_bot_does_not_save_up_a_burst(
    waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "time", lambda: now)
    pacer = Pacer(requests_per_s=10)
    await _request(pacer, "https://discord.com/api/v10/users/@me")
    now = 2000.0
    await _request(pacer, "https://discord.com/api/v10/users/@me")
    await _request(pacer, "https://discord.com/api/v10/users/@me")
    assert waits == [pytest.approx(0.1)]
