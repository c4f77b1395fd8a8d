"""The pacer: requests are spaced, the most urgent goes first, interactions pass at once."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from yarl import URL

from bot.discord_ui.pacer import Pacer, Turn, taking

API = "https://discord.com/api/v10"


async def _request(pacer: Pacer, url: str = f"{API}/channels/1/messages") -> None:
    session: Any = None
    params: Any = SimpleNamespace(url=URL(url))
    await pacer._on_request_start(session, SimpleNamespace(), params)


async def test_a_burst_is_spread_over_its_share_of_the_second() -> None:
    pacer = Pacer(requests_per_s=200)
    loop = asyncio.get_running_loop()
    began = loop.time()
    passed: list[float] = []

    async def one() -> None:
        await _request(pacer)
        passed.append(loop.time() - began)

    await asyncio.gather(*(one() for _ in range(21)))
    assert passed[-1] >= 20 / 200 - 0.001
    # No stretch of it is denser than two gaps allow: a timer that came late is caught up by one request at most.
    assert all(later - earlier >= 0.001 for earlier, later in zip(passed, passed[3:], strict=False))


async def test_the_most_urgent_go_first_and_the_others_in_order() -> None:
    pacer = Pacer(requests_per_s=1_000)
    order: list[str] = []

    async def one(turn: Turn, name: str) -> None:
        with taking(turn):
            await _request(pacer)
        order.append(name)

    await _request(pacer)
    came = [
        (Turn.REST, "edit 1"),
        (Turn.NEWS, "flag 1"),
        (Turn.REST, "edit 2"),
        (Turn.WORK, "item 1"),
        (Turn.NOW, "ping 1"),
        (Turn.NEWS, "flag 2"),
        (Turn.WORK, "item 2"),
        (Turn.NOW, "ping 2"),
    ]
    await asyncio.gather(*(one(*each) for each in came))
    assert order == ["ping 1", "ping 2", "item 1", "item 2", "flag 1", "flag 2", "edit 1", "edit 2"]


async def test_who_gives_up_waiting_costs_the_others_nothing() -> None:
    pacer = Pacer(requests_per_s=50)
    await _request(pacer)
    first = asyncio.create_task(_request(pacer))
    second = asyncio.create_task(_request(pacer))
    await asyncio.sleep(0)
    first.cancel()
    async with asyncio.timeout(5):
        await second
    assert first.cancelled()


@pytest.mark.parametrize(
    "url",
    [
        f"{API}/interactions/1/token/callback",
        f"{API}/webhooks/1/token/messages/@original",
        "wss://gateway.discord.gg/?v=10",
    ],
)
async def test_answers_to_people_never_wait(url: str) -> None:
    pacer = Pacer(requests_per_s=0.001)
    async with asyncio.timeout(5):
        for _ in range(5):
            await _request(pacer, url)


async def test_an_idle_bot_does_not_save_up_a_burst() -> None:
    pacer = Pacer(requests_per_s=20)
    loop = asyncio.get_running_loop()
    await _request(pacer)
    pacer._next_s -= 1_000
    await _request(pacer)
    began = loop.time()
    await _request(pacer)
    assert loop.time() - began >= 1 / 20 - 0.005
