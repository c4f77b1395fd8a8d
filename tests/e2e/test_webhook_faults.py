"""With webhooks on, and whatever goes wrong with them: what is on record is what polls alone put on record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from tests.e2e.facts import Pair, duplicates, notices, pair
from tests.e2e.harness import Json
from tests.e2e.office import DAY_S, HOUR_S, Office

pytestmark = pytest.mark.asyncio(loop_scope="module")

KINDS = ("duplicate", "reorder", "bad_signature", "drop", "no_user", "no_key")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    async with pair(tmp_path_factory.mktemp("hooks"), extra=("--webhooks",)) as found:
        yield found


async def deliveries(office: Office) -> list[Json]:
    """Everything that was sent to the bot, oldest first."""
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{office.box.base}/sandbox/api/webhooks") as answer,
    ):
        assert answer.status == 200
        told: Json = await answer.json()
    return [one for endpoint in told["webhooks"] for one in endpoint["deliveries"]]


def _gaps(office: Office) -> int:
    """Creators whose webhooks are known to be missing."""
    return int(office.rows("SELECT COUNT(*) FROM creators WHERE reconcile_since_at IS NOT NULL")[0][0])


async def _agree(both: Pair) -> None:
    assert both.differences() == []
    assert await duplicates(both.troubled) == []
    assert [one for one in await notices(both.troubled) if not one.over] == []


async def test_events_twice_swapped_forged_nameless_and_lost(both: Pair) -> None:
    office = both.troubled
    planted = [
        await office.box.fault("fanapi", "webhook", args={kind: True}, after=number, count=3)
        for number, kind in enumerate(KINDS)
    ]
    await both.advance(4 * HOUR_S, 6)
    for fault in planted:
        assert await both.fired(fault) > 0
    await office.box.clear_faults()
    await both.advance(DAY_S)
    await _agree(both)


async def test_forged_events_are_refused_and_nothing_comes_of_them(both: Pair) -> None:
    office = both.troubled
    await office.box.fault("fanapi", "webhook", args={"bad_signature": True}, count=0)
    await both.advance(6 * HOUR_S, 4)
    await office.box.clear_faults()
    answers: dict[str, set[int | None]] = {"forged": set(), "bad_signature": set()}
    for one in await deliveries(office):
        if one["trouble"] in answers:
            answers[one["trouble"]].add(one["attempts"][0]["status"])
    assert answers == {"forged": {401}, "bad_signature": {401}}
    await both.advance(DAY_S)
    await _agree(both)


async def test_what_was_dropped_is_found_by_a_reconcile(both: Pair) -> None:
    office = both.troubled
    fault = await office.box.fault("fanapi", "webhook", args={"drop": True}, count=0)
    await both.advance(6 * HOUR_S, 4)
    assert await both.fired(fault) > 5
    await office.box.clear_faults()
    await both.advance(6 * HOUR_S, 4)
    assert _gaps(office) == 0
    # Her reconcile was at another time than the other's night: the next night is for both.
    await both.advance(DAY_S)
    await _agree(both)


async def test_a_bot_that_was_dead_for_hours_finds_everything(both: Pair) -> None:
    office = both.troubled
    await both.advance(2 * HOUR_S)
    await office.box.bot("kill")
    await asyncio.gather(
        office.box.advance(6 * HOUR_S, timeout_s=1), both.calm.box.advance(6 * HOUR_S, timeout_s=120)
    )
    await office.box.bot("start")
    await office.box.settled(120)
    await both.advance(HOUR_S)
    assert _gaps(office) == 0
    await both.advance(DAY_S)
    await _agree(both)
