"""The health server on a real socket: when it says that all is well, when not, and what Prometheus reads."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from bot.clock import SystemClock
from bot.fanapi.protocol import Meter
from bot.jobs.health import OLDEST_TICK_S, Health
from bot.jobs.ticker import Ticker
from bot.jobs.webhooks import WebhookCounters
from storage import fans, fetching, roster
from storage.engine import AgencyStore, Storage
from tests.storage.conftest import NOW, ROSTER
from tests.storage.records import fan


@dataclass
class Post:
    """A health server with all that it is told in the test's hands."""

    storage: Storage
    store: AgencyStore
    meter: Meter = field(default_factory=Meter)
    now_s: float = 1_000.0
    is_connected: bool = True
    base: str = ""
    health: Health = field(init=False)

    def __post_init__(self) -> None:
        self.health = Health(
            self.store,
            self,
            self.meter,
            version="9.9.9",
            connected=lambda: self.is_connected,
            database_bytes=lambda: 4_096,
            webhooks=WebhookCounters(received=7, duplicates=2, refused=Counter(signature=1), applied=4),
            monotonic=lambda: self.now_s,
        )

    def now_ms(self) -> int:
        return NOW + 90_000

    async def get(self, path: str) -> tuple[int, Any, str]:
        async with aiohttp.ClientSession() as http, http.get(f"{self.base}{path}") as answer:
            text = await answer.text()
            is_json = answer.content_type == "application/json"
            return answer.status, await answer.json() if is_json else None, text

    async def samples(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """(name, labels) -> value of everything that Prometheus reads."""
        status, _, text = await self.get("/metrics")
        assert status == 200
        return {
            (one.name, tuple(sorted(one.labels.items()))): one.value
            for family in text_string_to_metric_families(text)
            for one in family.samples
        }


@pytest_asyncio.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    async with await Storage.open(f"sqlite:///{tmp_path}/fanwatch.db") as storage:
        made = Post(storage, storage.agency(await roster.apply_roster(storage, ROSTER, NOW)))
        port = await made.health.start("127.0.0.1", 0)
        made.base = f"http://127.0.0.1:{port}"
        try:
            yield made
        finally:
            await made.health.stop()


async def test_all_is_well_while_it_ticks_and_is_connected(post: Post) -> None:
    post.health.note_tick(0.01)
    post.now_s += OLDEST_TICK_S
    assert (await post.get("/healthz"))[:2] == (200, {"status": "ok", "version": "9.9.9"})


async def test_each_trouble_is_named(post: Post) -> None:
    post.is_connected = False
    post.now_s += OLDEST_TICK_S + 0.1
    status, told, _ = await post.get("/healthz")
    assert (status, told["status"]) == (503, "failing")
    assert told["reasons"] == ["gateway_not_connected", "no_tick"]
    post.is_connected = True
    assert (await post.get("/healthz"))[1]["reasons"] == ["no_tick"]
    post.health.note_tick(1.0)
    assert (await post.get("/healthz"))[0] == 200


async def test_a_database_that_does_not_answer_is_no_health(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with post.store.read(), post.store.read(), post.store.read(), post.store.read():
        # Every reading connection is taken.
        monkeypatch.setattr("bot.jobs.health.DATABASE_S", 0.05)
        status, told, _ = await post.get("/healthz")
    assert (status, told["reasons"]) == (503, ["database_not_answering"])
    assert (await post.get("/healthz"))[0] == 200


async def test_a_long_fetch_is_at_work_and_not_stuck(post: Post) -> None:
    post.meter.of("acct_ava").calls += 1
    post.now_s += OLDEST_TICK_S + 1
    async with asyncio.timeout(5):
        while (await post.get("/healthz"))[0] != 200:
            pass


async def test_the_figures_are_those_of_the_agency_by_id_and_without_a_name(post: Post) -> None:
    async with post.store.read() as tx:
        ids = {creator.name: creator.id for creator in await roster.list_creators(tx)}
    ava = str(ids["Ava"])

    async def write(tx: Any) -> None:
        await fans.apply_fan_page(tx, ids["Ava"], [fan("1", username="secret_name"), fan("2")], NOW, 1)
        await fetching.mark_fresh(tx, ids["Ava"], NOW)

    await post.store.write(write)
    usage = post.meter.of("acct_ava")
    usage.calls, usage.credits, usage.errors = 12, 15, 1
    post.meter.of(None).calls = 3
    post.meter.balance = 24_000
    post.health.note_tick(0.02)
    found = await post.samples()
    creator = (("creator", ava),)
    assert found["fanwatch_api_calls_total", creator] == 12
    assert found["fanwatch_api_credits_total", creator] == 15
    assert found["fanwatch_api_errors_total", creator] == 1
    assert found["fanwatch_api_calls_total", (("creator", "0"),)] == 3
    assert found["fanwatch_api_balance_credits", ()] == 24_000
    assert found["fanwatch_sync_age_seconds", creator] == 90
    assert ("fanwatch_sync_age_seconds", (("creator", str(ids["Bea"])),)) not in found
    assert found["fanwatch_fans", creator] == 2
    assert found["fanwatch_open_episodes", (("creator", ava), ("tier", "action"))] == 0
    assert (found["fanwatch_cards_behind", ()], found["fanwatch_cards_blocked", ()]) == (0, 0)
    assert found["fanwatch_database_bytes", ()] == 4_096
    assert found["fanwatch_webhooks_total", (("what", "duplicates"),)] == 2
    assert found["fanwatch_webhooks_total", (("what", "refused_signature"),)] == 1
    assert found["fanwatch_build_info", (("version", "9.9.9"),)] == 1
    assert found["fanwatch_tick_seconds_count", ()] == 1
    _, _, text = await post.get("/metrics")
    for name in ("Ava", "Bea", "secret_name", "acct_", "user2"):
        assert name not in text


async def test_the_loops_lag_is_measured(post: Post) -> None:
    async with asyncio.timeout(5):
        while (await post.samples())["fanwatch_event_loop_lag_seconds_count", ()] < 1:
            pass


async def test_nothing_else_is_served_and_an_end_is_one(post: Post) -> None:
    assert (await post.get("/"))[0] == 404
    await post.health.stop()
    await post.health.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await post.get("/healthz")


async def test_an_address_that_is_taken_is_an_error(post: Post) -> None:
    other = Post(post.storage, post.store)
    with pytest.raises(OSError, match="address already in use"):
        await other.health.start("127.0.0.1", int(post.base.rpartition(":")[2]))


class _Outbox:
    async def wake(self) -> None:
        """Nothing is behind."""

    async def drain(self) -> None:
        """Nothing is behind."""

    async def count_behind(self) -> int:
        return 0

    async def list_blocked(self) -> list[Any]:
        return []


async def test_the_ticker_tells_how_long_a_tick_took() -> None:
    took: list[float] = []
    await Ticker(SystemClock(), [], _Outbox(), on_tick=took.append).tick()
    (seconds,) = took
    assert 0 <= seconds < 5
