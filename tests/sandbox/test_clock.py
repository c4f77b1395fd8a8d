"""The clock: versions, waiting, settling, steps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.sandbox.clock import AgencyClock, ClockApi, Settlement
from bot.sandbox.times import MS_PER_DAY, parse

START = parse("2026-03-02T08:00:00Z")
Client = TestClient[web.Request, web.Application]


class Mono:
    """Machine time by hand."""

    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


def settled(version: int, behind: int = 0, **ran: int) -> Settlement:
    return Settlement(version, ran, behind, [])


@pytest.fixture
def clock() -> AgencyClock:
    return AgencyClock(START)


@pytest.fixture
async def client(clock: AgencyClock) -> AsyncIterator[Client]:
    app = web.Application()
    ClockApi(clock).add_routes(app)
    async with TestClient(TestServer(app)) as made:
        yield made


async def test_time_passes_by_rate_and_the_version_only_by_changes() -> None:
    mono = Mono()
    clock = AgencyClock(START, 120.0, monotonic=mono)
    mono.s += 2.5
    assert clock.now() == START + 300_000
    assert clock.version == 1
    clock.change(rate=0.0)
    mono.s += 100
    assert (clock.now(), clock.version) == (START + 300_000, 2)
    clock.change(advance_ms=MS_PER_DAY)
    assert (clock.now(), clock.version) == (START + 300_000 + MS_PER_DAY, 3)


async def test_the_clock_is_read_at_once_and_waits_for_a_newer_version(
    client: Client, clock: AgencyClock
) -> None:
    response = await client.get("/sandbox/clock")
    assert await response.json() == {"version": 1, "now": "2026-03-02T08:00:00Z", "rate": 0}
    waiting = asyncio.ensure_future(client.get("/sandbox/clock", params={"after": "1"}))
    done, _ = await asyncio.wait([waiting], timeout=0.05)
    assert not done
    clock.change(advance_ms=3_600_000)
    answer = await (await waiting).json()
    assert answer == {"version": 2, "now": "2026-03-02T09:00:00Z", "rate": 0}
    at_once = await client.get("/sandbox/clock", params={"after": "1"})
    assert (await at_once.json())["version"] == 2


async def test_a_wait_for_a_version_ends_unchanged_after_its_time() -> None:
    clock = AgencyClock(START)
    started = time.monotonic()
    await clock.wait_newer(1, timeout_s=0.05)
    assert clock.version == 1
    assert time.monotonic() - started >= 0.04


@pytest.mark.parametrize("after", ["x", "-1", "1.5", ""])
async def test_a_version_that_is_no_number_is_refused(client: Client, after: str) -> None:
    response = await client.get("/sandbox/clock", params={"after": after})
    assert response.status == 400
    assert (await response.json())["error"]["field"] == "after"


async def test_settled_needs_nothing_behind_and_nothing_blocked(client: Client, clock: AgencyClock) -> None:
    async def post(**body: object) -> int:
        whole = {"version": 1, "ran": {"sync": 4}, "cards_behind": 0, "blocked": []} | body
        return (await client.post("/sandbox/clock/settled", json=whole)).status

    assert await post(cards_behind=2) == 200
    assert not clock.settled
    assert await post(blocked=[{"card": "a1", "reason": "forbidden", "until": None}]) == 200
    assert not clock.settled
    assert await post() == 200
    assert clock.settled
    clock.change(advance_ms=1_000)
    assert not clock.settled
    assert await post() == 409
    assert await post(version=3) == 409
    assert await post(version=2) == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"version": "1", "cards_behind": 0, "blocked": []}, "version"),
        ({"version": 1, "cards_behind": True, "blocked": []}, "cards_behind"),
        ({"version": 1, "cards_behind": 0}, "blocked"),
        ({"version": 1, "cards_behind": 0, "blocked": [], "ran": {"sync": "4"}}, "ran"),
    ],
)
async def test_a_malformed_settlement_names_its_field(
    client: Client, body: dict[str, object], field: str
) -> None:
    response = await client.post("/sandbox/clock/settled", json=body)
    assert response.status == 400
    assert (await response.json())["error"]["field"] == field


async def settle_everything(clock: AgencyClock) -> None:
    """A bot that settles every version as it comes."""
    version = 0
    while True:
        await clock.wait_newer(version)
        version = clock.version
        clock.settle(settled(version, sync=4))


async def test_an_advance_goes_step_by_step_and_adds_up_what_ran(client: Client, clock: AgencyClock) -> None:
    bot = asyncio.ensure_future(settle_everything(clock))
    try:
        response = await client.post("/sandbox/api/clock", json={"advance_s": 7_200, "step_s": 3_000})
    finally:
        bot.cancel()
    body = await response.json()
    assert body["now"] == "2026-03-02T10:00:00Z"
    assert body["version"] == 4
    assert body["settled"] is True
    assert body["ran"] == {"sync": 12}
    assert body["wall_ms"] >= 0


async def test_an_advance_stops_at_the_step_that_does_not_settle(client: Client, clock: AgencyClock) -> None:
    response = await client.post(
        "/sandbox/api/clock", json={"advance_s": 7_200, "step_s": 3_600, "timeout_s": 0.05}
    )
    body = await response.json()
    assert (body["now"], body["version"], body["settled"]) == ("2026-03-02T09:00:00Z", 2, False)


async def test_an_advance_that_may_not_wait_moves_time_all_the_same(clock: AgencyClock) -> None:
    done = await clock.advance(1_000, None, 0)
    assert (done.settled, clock.now(), clock.version) == (False, START + 1_000, 2)
    held = asyncio.Event()

    async def hook() -> None:
        await held.wait()

    clock.on_move(hook)
    done = await clock.advance(1_000, None, 0)
    assert (done.settled, clock.now(), clock.version) == (False, START + 2_000, 3)
    assert clock.state()["now"] == "2026-03-02T08:00:02Z"


async def test_an_advance_waits_on_while_a_restarted_bot_settles_the_same_version(clock: AgencyClock) -> None:
    advance = asyncio.ensure_future(clock.advance(3_600_000, None, 10.0))
    await clock.wait_newer(1)
    clock.settle(settled(2, behind=3))  # then it is killed, started again, and posts the version again
    await asyncio.sleep(0)
    assert not advance.done()
    clock.settle(settled(2, sync=4))
    assert (await advance).settled


async def test_rate_and_pause(client: Client, clock: AgencyClock) -> None:
    response = await client.post("/sandbox/api/clock", json={"rate": 60})
    assert (await response.json())["version"] == 2
    assert clock.rate == 60
    await client.post("/sandbox/api/clock", json={"rate": 0})
    assert clock.now() == clock.now()
    assert clock.state()["rate"] == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "advance_s"),
        ({"advance_s": -1}, "advance_s"),
        ({"advance_s": 1, "step_s": 0}, "step_s"),
        ({"rate": "fast"}, "rate"),
        ({"advance_s": 1, "timeout_s": True}, "timeout_s"),
        ({"advance": 1}, "advance"),
    ],
)
async def test_a_malformed_control_names_its_field(
    client: Client, body: dict[str, object], field: str
) -> None:
    response = await client.post("/sandbox/api/clock", json=body)
    assert response.status == 400
    assert (await response.json())["error"]["field"] == field
