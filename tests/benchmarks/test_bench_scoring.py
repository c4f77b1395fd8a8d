"""Scoring 1,000,000 fans of ten creators on SQLite, against the same pure function over the standard library's driver.

BENCH_FANS scales it down. What is asserted are ratios and how long the event loop was away, never seconds.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import shutil
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from bot.domain.models import CreatorMaxima, FanFacts
from bot.domain.roster import Roster, RosterCreator
from bot.domain.scoring import reference
from bot.domain.subscription import subscription_status
from bot.jobs.scoring import PAGE_FANS, Scoring
from storage import roster as rosters
from storage.engine import AgencyStore, Storage
from tests.storage.conftest import DAY, NOW

pytestmark = pytest.mark.bench

FANS = int(os.environ.get("BENCH_FANS", "1000000"))
CREATORS = 10
PAYMENTS = FANS * 3 // 10
PAGE = PAGE_FANS
WINDOW = 30 * DAY
MOST_RATIO = 1.7
MOST_BLOCK_MS = 20.0

_FAN_COLUMNS = (
    "agency_id, id, creator_id, platform_fan_id, username, name, subscribed, expired_now, expires_at, rebill_off,"
    " total_cents, can_receive_messages, row_hash, first_seen_at, last_active_at, paid, updated_at"
)
_PAYMENT_COLUMNS = (
    "agency_id, id, creator_id, platform_transaction_id, fan_account_id, kind, amount_cents, currency, counted,"
    " occurred_at"
)
_SCORE_COLUMNS = (
    "agency_id, fan_account_id, creator_id, model, model_version, churn_risk, ltv, engagement, upsell, loyalty,"
    " churn_probability, run_id, scored_at, kept_churn_risk, kept_at"
)


def _insert(table: str, columns: str) -> str:
    return f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * len(columns.split(',')))})"  # noqa: S608


def _fans(agency_id: int, creators: list[int], chance: random.Random) -> Iterator[tuple[object, ...]]:
    """Ids go round the creators, as side by side syncs give them; one in a hundred is about to be alerted on."""
    for number in range(1, FANS + 1):
        subscribed = chance.random() < 0.3
        quiet = not subscribed or chance.random() < 0.01
        silent_days = chance.randrange(12, 90) if quiet else chance.randrange(3)
        total = chance.randrange(500, 90_000) if chance.random() < 0.4 else 0
        yield (
            agency_id,
            number,
            creators[number % CREATORS],
            str(number),
            f"user{number}",
            "A name",
            subscribed,
            False,
            NOW + (20 if subscribed else -20) * DAY,
            None,
            total,
            True,
            number * 31,
            NOW - 100 * DAY,
            NOW - silent_days * DAY - 1,
            total > 0,
            NOW,
        )


def _payments(agency_id: int, creators: list[int], chance: random.Random) -> Iterator[tuple[object, ...]]:
    for number in range(1, PAYMENTS + 1):
        fan = chance.randrange(1, FANS + 1)
        yield (
            agency_id,
            number,
            creators[fan % CREATORS],
            f"t{number}",
            fan,
            "tip",
            chance.randrange(500, 9_000),
            "USD",
            True,
            NOW - chance.randrange(60 * DAY),
        )


async def _seed(path: Path) -> int:
    roster = Roster(
        guild_id="100",
        timezone="Europe/Paris",
        notice_channel_id="101",
        tiers=(),
        members=(),
        creators=tuple(RosterCreator(f"acct_{n}", f"Creator {n}", str(400 + n)) for n in range(CREATORS)),
    )
    async with await Storage.open(f"sqlite:///{path}") as storage:
        agency_id = await rosters.apply_roster(storage, roster, NOW)
    chance = random.Random(1)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA synchronous=OFF")
        creators = [row[0] for row in db.execute("SELECT id FROM creators ORDER BY id")]
        db.execute("UPDATE creators SET baseline_done_at = ?", (NOW,))
        db.executemany(_insert("fan_accounts", _FAN_COLUMNS), _fans(agency_id, creators, chance))
        db.executemany(_insert("transactions", _PAYMENT_COLUMNS), _payments(agency_id, creators, chance))
    db.close()
    return agency_id


# --- the floor ------------------------------------------------------------------------------------------------------

_READ_FANS = """
    SELECT f.id, f.total_cents, f.last_active_at, f.subscribed, f.expired_now, f.expires_at, f.rebill_off,
           s.churn_risk, s.ltv, s.engagement, s.kept_churn_risk, s.kept_at
    FROM fan_accounts f LEFT JOIN scores s ON s.agency_id = f.agency_id AND s.fan_account_id = f.id
    WHERE f.agency_id = ? AND f.creator_id = ? AND f.id > ? ORDER BY f.id LIMIT ?"""
_READ_SPENDS = """
    SELECT f.id, sum(CASE WHEN t.occurred_at > ? THEN t.amount_cents ELSE 0 END),
           sum(CASE WHEN t.occurred_at <= ? THEN t.amount_cents ELSE 0 END)
    FROM fan_accounts f JOIN transactions t ON t.agency_id = f.agency_id AND t.fan_account_id = f.id + 0
    WHERE f.agency_id = ? AND f.creator_id = ? AND f.id BETWEEN ? AND ?
      AND t.occurred_at > ? AND t.occurred_at <= ? AND t.counted GROUP BY f.id"""
_MAX_SPEND = """
    SELECT max(spend) FROM (SELECT sum(amount_cents) AS spend FROM transactions
    WHERE agency_id = ? AND creator_id = ? AND occurred_at > ? AND occurred_at <= ? AND counted
    GROUP BY fan_account_id)"""
_UPSERT = _insert("scores", _SCORE_COLUMNS) + (
    " ON CONFLICT (agency_id, fan_account_id) DO UPDATE SET "
    + ", ".join(f"{name.strip()} = excluded.{name.strip()}" for name in _SCORE_COLUMNS.split(",")[2:])
)


def _floor(path: Path, agency_id: int, now: int) -> tuple[float, int]:
    """(seconds, scores written) of the same pages, the same function and the same rows without anything around."""
    db = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        db.execute(f"PRAGMA {pragma}")
    written = 0
    begun = time.perf_counter()
    for (creator_id,) in db.execute("SELECT id FROM creators ORDER BY id").fetchall():
        (total,) = db.execute(
            "SELECT max(total_cents) FROM fan_accounts WHERE agency_id = ? AND creator_id = ?",
            (agency_id, creator_id),
        ).fetchone()
        (spend,) = db.execute(_MAX_SPEND, (agency_id, creator_id, now - WINDOW, now)).fetchone()
        maxima = CreatorMaxima(total or 0, spend or 0)
        after = 0
        while fans := db.execute(_READ_FANS, (agency_id, creator_id, after, PAGE)).fetchall():
            after = fans[-1][0]
            recent = now - WINDOW
            spends = {
                row[0]: row
                for row in db.execute(
                    _READ_SPENDS,
                    (recent, recent, agency_id, creator_id, fans[0][0], after, recent - WINDOW, now),
                )
            }
            rows = _score(fans, spends, maxima, agency_id, creator_id, now)
            db.execute("BEGIN IMMEDIATE")
            if rows:
                db.executemany(_UPSERT, rows)
            db.execute("COMMIT")
            written += len(rows)
    seconds = time.perf_counter() - begun
    db.close()
    return seconds, written


def _score(
    fans: list[tuple[int, ...]],
    spends: dict[int, tuple[int, int, int]],
    maxima: CreatorMaxima,
    agency_id: int,
    creator_id: int,
    now: int,
) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for fan_id, total, active_at, subscribed, expired, expires_at, rebill_off, *before in fans:
        _, last, prior = spends.get(fan_id, (0, 0, 0))
        status = subscription_status(bool(subscribed), bool(expired), expires_at, bool(rebill_off), now)
        days = max(0, (now - active_at) // DAY)
        s = reference.score(FanFacts(fan_id, total, last, prior, days, None, None, status), maxima)
        if [s.churn_risk, s.ltv, s.engagement] != before[:3]:
            kept = (s.churn_risk, now) if before[0] is None else before[3:]
            values = (s.churn_risk, s.ltv, s.engagement, None, None, None)
            rows.append((agency_id, fan_id, creator_id, "reference", 1, *values, 1, now, *kept))
    return rows


# --- the product ----------------------------------------------------------------------------------------------------


@dataclass
class Heartbeat:
    """How long the event loop was away, beyond the millisecond it was asked to wait."""

    longest_ms: float = 0.0
    longest_cpu_ms: float = 0.0
    beats: int = 0
    over: int = 0

    async def run(self) -> None:
        while True:
            wall, cpu = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0.001)
            away_ms = (time.perf_counter() - wall) * 1_000 - 1
            self.longest_ms = max(self.longest_ms, away_ms)
            self.longest_cpu_ms = max(self.longest_cpu_ms, (time.thread_time() - cpu) * 1_000)
            self.beats += 1
            self.over += away_ms > MOST_BLOCK_MS


async def _product(store: AgencyStore, now: int, *, beat: bool = True) -> tuple[float, Heartbeat]:
    scoring = Scoring(store, reference)
    async with store.read() as tx:
        creators = await rosters.list_creators(tx)
    heart = Heartbeat()
    beating = asyncio.create_task(heart.run() if beat else asyncio.sleep(0))
    begun = time.perf_counter()
    for creator in creators:
        await scoring.run(creator, None, now)
    seconds = time.perf_counter() - begun
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)
    return seconds, heart


def _written(path: Path, scored_since: int) -> int:
    db = sqlite3.connect(path)
    (count,) = db.execute("SELECT count(*) FROM scores WHERE run_id > ?", (scored_since,)).fetchone()
    db.close()
    return int(count)


def _latest_run(path: Path) -> int:
    db = sqlite3.connect(path)
    (latest,) = db.execute("SELECT coalesce(max(id), 0) FROM score_runs").fetchone()
    db.close()
    return int(latest)


def _report(what: str, seconds: float, floor_s: float, heart: Heartbeat) -> None:
    print(  # noqa: T201 - a benchmark's figures
        f"{what:<28} {seconds:7.2f} s  floor {floor_s:7.2f} s  ratio {seconds / floor_s:5.2f}"
        f"  {seconds / FANS * 1e6:6.2f} us a fan  loop away at most {heart.longest_ms:5.1f} ms"
        f" ({heart.over} of {heart.beats} beats over {MOST_BLOCK_MS:.0f};"
        f" {heart.longest_cpu_ms:.1f} ms of its own CPU time)"
    )


async def test_scoring_a_million_fans(tmp_path: Path) -> None:
    path, floor_path = tmp_path / "product.db", tmp_path / "floor.db"
    agency_id = await _seed(path)
    shutil.copy(path, floor_path)

    # What the bot does once it has started: its modules would otherwise be searched for garbage again and again.
    gc.collect()
    gc.freeze()
    memory = psutil.Process().memory_info
    print(f"\n{FANS:,} fans, {PAYMENTS:,} payments, {CREATORS} creators")  # noqa: T201
    async with await Storage.open(f"sqlite:///{path}") as storage:
        store = storage.agency(agency_id)
        floor_s, floor_written = _floor(floor_path, agency_id, NOW)
        before_mb = memory().rss / 1e6
        first_s, heart = await _product(store, NOW)
        grown_mb = memory().rss / 1e6 - before_mb
        _report("every score written", first_s, floor_s, heart)
        assert floor_written == FANS == _written(path, 0)

        latest = _latest_run(path)
        idle_floor_s, _ = _floor(floor_path, agency_id, NOW)
        idle_s, idle_heart = await _product(store, NOW)
        _report("nothing moved", idle_s, idle_floor_s, idle_heart)
        print(f"memory: {before_mb:.0f} MB, {grown_mb:+.0f} MB after a run")  # noqa: T201
        assert _written(path, latest) == 0

        day_floor_s, moved = _floor(floor_path, agency_id, NOW + DAY)
        day_s, day_heart = await _product(store, NOW + DAY)
        _report(f"a day later, {moved:,} moved", day_s, day_floor_s, day_heart)

    assert first_s / floor_s <= MOST_RATIO
    assert heart.longest_ms <= MOST_BLOCK_MS
