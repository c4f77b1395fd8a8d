"""A storm: 100 creators with 50 alerts each cross in one look, the unchanged bot, sockets, and Discord's real limits.

Beside it the floor: as many bare sends as the bot made requests, by the same pacer. Printed, and what must hold asserted.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from aiohttp import ClientSession, web

from bot.discord_ui.pacer import REQUESTS_PER_S, Pacer
from tests.e2e.harness import sandbox
from tests.e2e.office import Office
from tests.e2e.storming import (
    ACTIONS,
    ALERTS,
    IN_TIME_S,
    grouped_actions,
    rows_in,
    storm,
    storm_fans,
    unreachable,
    write_history,
)

pytestmark = pytest.mark.bench

CREATORS = 100
SAMPLED = range(0, CREATORS, 10)
AT_LEAST_FIRST_S = 600


async def _floor(requests: int) -> float:
    """Seconds for so many bare posts to a server of this process, through the bot's own pacer."""

    async def taken(_: web.Request) -> web.Response:
        return web.json_response({})

    app = web.Application()
    app.router.add_post("/channels/1/messages", taken)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        async with ClientSession(trace_configs=[Pacer().trace_config()]) as session:

            async def post() -> None:
                async with session.post(f"http://127.0.0.1:{port}/channels/1/messages", json={}) as answer:
                    await answer.read()

            began = time.perf_counter()
            await asyncio.gather(*(post() for _ in range(requests)))
            return time.perf_counter() - began
    finally:
        await runner.cleanup()


async def test_a_storm(tmp_path: Path) -> None:
    history = tmp_path / "storm.csv"
    write_history(history, CREATORS)
    async with sandbox(
        tmp_path / "data", history=history, model="reference", wire_speed=1, up_within=120
    ) as box:
        await box.settled(AT_LEAST_FIRST_S)
        office = await Office.of(box)
        told = await storm(office, timeout_s=AT_LEAST_FIRST_S)
        fans = storm_fans(office)
        waited = sorted(one.waited_s or 0.0 for one in told.pings)
        span_s = (told.arrivals[-1].at_ms - told.arrivals[0].at_ms) / 1_000
        floor_s = await _floor(len(told.arrivals))
        lines = (
            f"storm: {sum(map(len, fans.values())):,} alerts of {len(fans)} creators in {told.wall_s:.1f} s"
            f" with fetching and scoring; {len(told.arrivals):,} requests over {span_s:.1f} s,"
            f" bare sends {floor_s:.1f} s ({span_s / floor_s:.2f} x)",
            f"{len(waited)} action items, decided to arrived: p50 {waited[len(waited) // 2]:.2f} s,"
            f" p99 {waited[len(waited) * 99 // 100]:.2f} s, most {waited[-1]:.2f} s; before one went at most"
            f" {told.went_before()} less urgent requests; 429: {told.refused}",
        )
        for line in lines:
            print(line)  # noqa: T201 - a benchmark is for its figures
        assert {name: len(names) for name, names in fans.items()} == dict.fromkeys(fans, ALERTS)
        assert len(fans) == CREATORS
        assert told.refused == 0
        assert len(told.pings) == CREATORS * ACTIONS
        assert told.overtaken() == []
        assert grouped_actions(office) == []
        assert told.slowest_ping_s < IN_TIME_S
        assert floor_s >= (len(told.arrivals) - 1) / REQUESTS_PER_S * 0.99
        await _all_reachable(office, fans)


async def _all_reachable(office: Office, fans: dict[str, set[str]]) -> None:
    for number, channel in enumerate(sorted(fans)):
        assert await rows_in(office, channel) == ALERTS, channel
        if number in SAMPLED:
            assert await unreachable(office, fans[channel], channel) == set(), channel
