"""The bot's memory while it syncs and scores a creator with up to a million fans: the same however many there are.

BENCH_FANS scales it down. The fans stand in the database; of them WALKED come over the wire, all are scored.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.domain.roster import Roster, RosterCreator
from storage import roster as rosters
from storage.engine import Storage
from tests.benchmarks.api_server import ACCOUNT, serving
from tests.benchmarks.test_bench_scoring import _FAN_COLUMNS, _insert
from tests.storage.conftest import DAY, NOW

pytestmark = pytest.mark.bench

FANS = int(os.environ.get("BENCH_FANS", "1000000"))
WALKED = 20_000
MOST_MB = 300
MOST_GROWTH = 1.15
"""From a tenth of the fans to all of them."""


async def _seed(path: Path, fans: int) -> None:
    roster = Roster(
        guild_id="100",
        timezone="Europe/Paris",
        notice_channel_id="101",
        tiers=(),
        members=(),
        creators=(RosterCreator(ACCOUNT, "Ava", "401"),),
    )
    async with await Storage.open(f"sqlite:///{path}") as storage:
        agency_id = await rosters.apply_roster(storage, roster, NOW)
    chance = random.Random(1)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA synchronous=OFF")
        db.execute(
            "UPDATE creators SET baseline_done_at = ?, synced_at = ?, payments_synced_at = ?", (NOW,) * 3
        )
        (creator,) = db.execute("SELECT id FROM creators").fetchone()
        db.executemany(
            _insert("fan_accounts", _FAN_COLUMNS),
            (
                (
                    *(agency_id, n, creator, str(n), f"user{n}", "A name", n % 3 == 0, n % 3 != 0),
                    *(NOW + 20 * DAY, None, chance.randrange(90_000), True, n * 31, NOW - 100 * DAY),
                    *(NOW - chance.randrange(60) * DAY, False, NOW),
                )
                for n in range(1, fans + 1)
            ),
        )
    db.close()


async def _measure(folder: Path, fans: int) -> dict[str, Any]:
    path = folder / f"{fans}.db"
    await _seed(path, fans)
    async with serving(WALKED, 0) as base:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.benchmarks.sync_child", f"sqlite:///{path}", base),
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            told, _ = await asyncio.wait_for(child.communicate(), 900)
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
    assert child.returncode == 0
    found: dict[str, Any] = json.loads(told.decode().splitlines()[-1])
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM scores").fetchone() == (fans,)
    db.close()
    print(  # noqa: T201 - a benchmark's figures
        f"\n{fans:,} fans, {WALKED:,} of them walked: peak {found['peak_mb']:.0f} MB (at the start"
        f" {found['started_mb']:.0f} MB), {found['calls']} calls, {found['seconds']:.0f} s"
    )
    return found


async def test_memory_does_not_grow_with_the_fans(tmp_path: Path) -> None:
    few = await _measure(tmp_path, max(WALKED, FANS // 10))
    many = await _measure(tmp_path, FANS)
    growth = many["peak_mb"] / few["peak_mb"]
    print(f"growth over ten times the fans: {growth:.2f} (at most {MOST_GROWTH})")  # noqa: T201
    assert many["errors"] == 0
    assert many["peak_mb"] < MOST_MB
    assert growth <= MOST_GROWTH
