"""A first sync of one creator at 50 ms latency, against a bare fetch of the same pages by the same client.

Beside it the published way: one call and one commit per fan.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.domain.roster import Roster, RosterCreator
from bot.domain.scoring import reference
from bot.fanapi.client import FansApiClient, make_client
from bot.jobs.notices import Notices
from bot.jobs.scoring import Scoring
from bot.jobs.sync import SyncJob
from storage import roster as rosters
from storage.engine import Storage
from tests.benchmarks.api_server import ACCOUNT, serving
from tests.storage.conftest import DAY, NOW, new_databases, postgres_server

__all__ = ["postgres_server"]

pytestmark = pytest.mark.bench

FANS = 2_000
PUBLISHED_FANS = 100
LATENCY_MS = 50
MOST_RATIO = 1.15
MOST_CALLS_BESIDE_PAGES = 5
ROUNDS = 3


class _Still:
    """A clock that stands."""

    def now_ms(self) -> int:
        return NOW


def _client(base: str) -> FansApiClient:
    return FansApiClient(make_client("bench"), base_url=base, key="key", requests_per_minute=100_000)


async def _bare(base: str) -> tuple[float, int]:
    """(seconds, calls) of fetching what a first sync fetches, and doing nothing with it."""
    client = _client(base)
    begun = time.perf_counter()
    await client.list_accounts()
    fans = [fan async for page in client.walk_fans(ACCOUNT) for fan in page.records]
    assert [p async for p in client.walk_transactions(ACCOUNT, NOW - 120 * DAY)] != []
    assert [p async for p in client.walk_chargebacks(ACCOUNT, NOW - 120 * DAY, NOW)] != []
    seconds = time.perf_counter() - begun
    assert len(fans) == FANS
    await client.aclose()
    return seconds, client.meter.total().calls


async def _published(base: str, path: Path) -> float:
    """Seconds a fan of the way that is often shown: the fan's own call, then his own commit."""
    client = _client(base)
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE fans (id TEXT PRIMARY KEY, username TEXT, total_cents INTEGER)")
    begun = time.perf_counter()
    for number in range(1, PUBLISHED_FANS + 1):
        (fan,) = await client.get_fans(ACCOUNT, [str(number)])
        db.execute(
            "INSERT OR REPLACE INTO fans VALUES (?, ?, ?)",
            (fan.platform_fan_id, fan.username, fan.total_cents),
        )
        db.commit()
    seconds = time.perf_counter() - begun
    db.close()
    await client.aclose()
    return seconds / PUBLISHED_FANS


async def _product(base: str, url: str) -> tuple[float, int]:
    """(seconds, calls) of a first sync with everything it does, scores and cards included."""
    roster = Roster(
        guild_id="100",
        timezone="Europe/Paris",
        notice_channel_id="101",
        tiers=(),
        members=(),
        creators=(RosterCreator(ACCOUNT, "Ava", "401"),),
    )
    client = _client(base)
    async with await Storage.open(url) as storage:
        store = storage.agency(await rosters.apply_roster(storage, roster, NOW))
        job = SyncJob(store, client, Scoring(store, reference), Notices(store), _Still())
        begun = time.perf_counter()
        await job.run_due(NOW)
        seconds = time.perf_counter() - begun
        async with store.read() as tx:
            (creator,) = await rosters.list_creators(tx)
        assert creator.baseline_done_at is not None
    await client.aclose()
    return seconds, client.meter.total().calls


@pytest_asyncio.fixture
async def postgres_urls(postgres_server: str) -> AsyncIterator[list[str]]:
    async with new_databases(postgres_server, ROUNDS) as addresses:
        yield addresses


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    if request.param == "sqlite":
        return [f"sqlite:///{tmp_path}/{number}.db" for number in range(ROUNDS)]
    return list(request.getfixturevalue("postgres_urls"))


async def test_a_first_sync(tmp_path: Path, databases: list[str]) -> None:
    async with serving(FANS, LATENCY_MS) as base:
        bare = min([await _bare(base) for _ in range(ROUNDS)])
        mine = min([await _product(base, url) for url in databases])
        a_fan_s = await _published(base, tmp_path / "published.db")
    ratio = mine[0] / bare[0]
    engine = databases[0].partition(":")[0]
    print(  # noqa: T201 - a benchmark's figures
        f"\n{engine}: first sync of {FANS:,} fans at {LATENCY_MS} ms: {mine[0]:.2f} s, {mine[1]} calls;"
        f" bare fetch {bare[0]:.2f} s, {bare[1]} calls; ratio {ratio:.2f} (at most {MOST_RATIO})."
        f" One call and one commit per fan: {a_fan_s * FANS:.0f} s, {FANS} calls,"
        f" {a_fan_s * FANS / mine[0]:.0f} x as long (measured on {PUBLISHED_FANS} fans)."
    )
    assert mine[1] <= -(-FANS // 20) + MOST_CALLS_BESIDE_PAGES
    assert ratio <= MOST_RATIO
