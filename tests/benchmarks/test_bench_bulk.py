"""Bulk upsert of 100,000 rows of 17 columns, against the driver's own executemany in the same run."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import insert

from storage.bulk import bulk_upsert
from storage.engine import Storage
from storage.tables import agencies, creators, fan_accounts
from storage.tx import Tx
from tests.storage.conftest import NOW, postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]

pytestmark = pytest.mark.bench

ROWS = 100_000
ROUNDS = 3
COLUMNS = (
    "agency_id",
    "id",
    "creator_id",
    "platform_fan_id",
    "username",
    "name",
    "last_seen_at",
    "subscribed",
    "expires_at",
    "price_cents",
    "total_cents",
    "tips_cents",
    "messages_cents",
    "row_hash",
    "first_seen_at",
    "seen_run_id",
    "updated_at",
)
KEY = ("agency_id", "creator_id", "platform_fan_id")
CHANGED = tuple(c for c in COLUMNS if c not in (*KEY, "id", "first_seen_at"))

Write = Callable[[list[tuple[Any, ...]]], Awaitable[float]]


def _rows(offset: int, version: int) -> list[tuple[Any, ...]]:
    return [
        (
            1,
            i,
            1,
            str(i),
            f"user{i}",
            "A name",
            NOW,
            True,
            NOW,
            999,
            version,
            1,
            2,
            i * 7 + version,
            NOW,
            1,
            NOW,
        )
        for i in range(offset, offset + ROWS)
    ]


def _sql(places: list[str]) -> str:
    changes = ", ".join(f"{name} = excluded.{name}" for name in CHANGED)
    return (
        f"INSERT INTO fan_accounts ({', '.join(COLUMNS)}) VALUES ({', '.join(places)}) "  # noqa: S608
        f"ON CONFLICT ({', '.join(KEY)}) DO UPDATE SET {changes}"
    )


async def _prepare(storage: Storage) -> None:
    async def work(tx: Tx) -> None:
        await tx.execute(
            insert(agencies).values(id=1, guild_id=1, timezone="UTC", notice_channel_id=1, created_at=NOW)
        )
        await tx.execute(
            insert(creators).values(
                agency_id=1,
                id=1,
                platform="p",
                name="n",
                channel_id=1,
                next_poll_at=0,
                next_walk_at=0,
                created_at=0,
            )
        )

    await storage.agency(1).write(work)


async def _ours(storage: Storage, rows: list[tuple[Any, ...]]) -> float:
    async def work(tx: Tx) -> None:
        await bulk_upsert(tx, fan_accounts, COLUMNS, rows, conflict=KEY, update=CHANGED)

    start = time.perf_counter()
    await storage.agency(1).write(work)
    return time.perf_counter() - start


async def _compare(name: str, ours: Write, floor: Write) -> None:
    best: dict[str, float] = {}
    for turn in range(ROUNDS):
        for label, write, offset in (("ours", ours, 0), ("floor", floor, 0)):
            for step, version in (("insert", 0), ("update", 1)):
                took = await write(_rows(offset + turn * ROWS, version))
                best[f"{label} {step}"] = min(best.get(f"{label} {step}", took), took)
                await asyncio.sleep(0)
    for step in ("insert", "update"):
        mine, bare = best[f"ours {step}"], best[f"floor {step}"]
        print(f"\nbulk {name} {step}: {mine / bare:.2f} x ({mine:.2f} s, floor {bare:.2f} s; target 1.5)")  # noqa: T201


async def test_sqlite(tmp_path: Path) -> None:
    async with await Storage.open(f"sqlite:///{tmp_path}/ours.db") as mine:
        async with await Storage.open(f"sqlite:///{tmp_path}/floor.db") as other:
            await _prepare(mine)
            await _prepare(other)
        bare = sqlite3.connect(tmp_path / "floor.db", isolation_level=None)
        bare.execute("PRAGMA synchronous=NORMAL")
        bare.execute("PRAGMA foreign_keys=ON")
        sql = _sql(["?"] * len(COLUMNS))

        async def floor(rows: list[tuple[Any, ...]]) -> float:
            start = time.perf_counter()
            bare.execute("BEGIN IMMEDIATE")
            bare.executemany(sql, rows)
            bare.execute("COMMIT")
            return time.perf_counter() - start

        try:
            await _compare("SQLite", lambda rows: _ours(mine, rows), floor)
        finally:
            bare.close()


async def test_postgresql(postgres_url: str, postgres_server: str) -> None:
    admin = await asyncpg.connect(postgres_server)
    await admin.execute("CREATE DATABASE fw_floor TEMPLATE fw_template")
    floor_url = postgres_url.replace("/fw_1", "/fw_floor")
    async with await Storage.open(postgres_url) as mine:
        async with await Storage.open(floor_url) as other:
            await _prepare(mine)
            await _prepare(other)
        bare = await asyncpg.connect(floor_url)
        sql = _sql([f"${i + 1}" for i in range(len(COLUMNS))])

        async def floor(rows: list[tuple[Any, ...]]) -> float:
            start = time.perf_counter()
            async with bare.transaction():
                await bare.executemany(sql, rows)
            return time.perf_counter() - start

        try:
            await _compare("PostgreSQL", lambda rows: _ours(mine, rows), floor)
        finally:
            await bare.close()
    await admin.execute("DROP DATABASE fw_floor WITH (FORCE)")
    await admin.close()
