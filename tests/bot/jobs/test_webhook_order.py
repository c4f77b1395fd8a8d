"""Events come in any order, some twice, and in any batches: the facts they leave are the same."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.domain.models import PeriodRecord
from storage import roster as rosters
from storage.engine import Storage
from storage.tables import (
    fan_accounts,
    fan_events,
    fan_names,
    messages,
    subscription_events,
    subscriptions,
    transactions,
)
from tests.bot.jobs.desk import calm, ended, open_desk
from tests.bot.jobs.hooks import AVA, Hook, HookDesk, deleted, message, over, paid, subscribed, unlocked
from tests.storage.conftest import DAY, NOW, ROSTER, Agency, _named, _sql

HOUR = DAY // 24
BACK = NOW + 3 * DAY
LATER = NOW + 4 * DAY
"""When all of it arrives."""


def _period(starts_at: int, ends_at: int, *, trial: bool | None = False) -> PeriodRecord:
    return PeriodRecord(None, starts_at, ends_at, None, 0 if trial else 999, 999, trial, ends_at > LATER)


BEFORE = [
    calm(1, expires_at=NOW + DAY),
    calm(2, expires_at=NOW + DAY, periods=(_period(NOW - 29 * DAY, NOW + DAY),)),
    calm(3, total_cents=1_000),
]
TRUTH = [
    ended(1, expires_at=NOW + DAY, total_cents=BEFORE[0].total_cents),
    calm(
        2,
        expires_at=NOW + 32 * DAY,
        renewed_at=BACK,
        total_cents=2_001,
        periods=(_period(NOW - 29 * DAY, NOW + DAY), _period(BACK, NOW + 32 * DAY)),
    ),
    calm(3, total_cents=5_000),
    calm(
        4,
        subscribed_at=NOW + DAY,
        expires_at=NOW + 8 * DAY,
        total_cents=700,
        periods=(_period(NOW + DAY, NOW + 8 * DAY, trial=True),),
    ),
]
HOOKS = (
    over(1, NOW + DAY),
    # He went and came back.
    over(2, NOW + DAY),
    subscribed(2, BACK, sub_type="returning_subscriber"),
    paid("t2", 2, dollars=9.99, kind="subs", total=20.01, at=BACK),
    # Two lifetime sums, the later of which counts.
    paid("t3", 3, dollars=10, total=20, at=NOW + HOUR),
    paid("t4", 3, dollars=30, total=50, at=NOW + 2 * HOUR),
    # One never seen before, on trial, who buys at once.
    subscribed(4, NOW + DAY, sub_type="new_subscriber_trial"),
    paid("t5", 4, dollars=7, at=NOW + DAY + HOUR, kind="chat_messages"),
    message(4, 501, sent=True, price=7, at=NOW + DAY),
    unlocked(4, 501, amount="$7.00", at=NOW + DAY + HOUR),
    message(4, 502, at=NOW + DAY + 2 * HOUR),
    deleted(502),
    message(1, 503, at=NOW + HOUR),
    Hook("tips.received", {"user": {"id": 3}}),
)

# Made or dated by the order itself: ids, and which source was the first to tell.
_OF_ORDER = {"id", "fan_account_id", "updated_at", "recorded_at", "source", "seen_run_id", "row_hash"}
_OF_DATABASE = {"agency_id", "creator_id"}
# Whom somebody was pinged about, which is no fact about him: an end that was taken back by the next event.
_OF_DESK = {"last_pinged_at"}
_TABLES = (
    fan_accounts,
    fan_names,
    transactions,
    messages,
    subscriptions,
    subscription_events,
    fan_events,
)


async def _facts(hooks: HookDesk) -> dict[str, list[Any]]:
    of = {row["id"]: row["platform_fan_id"] for row in await hooks.desk.rows(fan_accounts)}
    found: dict[str, list[Any]] = {}
    for table in _TABLES:
        rows = [
            {"fan": of.get(row.get("fan_account_id", 0))}
            | {key: value for key, value in row.items() if key not in _OF_ORDER | _OF_DATABASE | _OF_DESK}
            for row in await hooks.desk.rows(table)
            # What a look finds changed is a line for each look that finds it; events are looks of a kind.
            if row.get("kind") != "total_changed"
        ]
        found[table.name] = sorted(rows, key=lambda row: sorted(row.items(), key=repr).__repr__())
    return found


async def _prepare(url: str) -> None:
    """Her baseline is done: what every example begins with."""
    async with await Storage.open(url) as storage:
        await rosters.apply_roster(storage, ROSTER, NOW)
        await (await _open(storage)).start(BEFORE)


async def _open(storage: Storage) -> HookDesk:
    (agency,) = await storage.system.list_agencies()
    store = storage.agency(agency.id)
    async with store.read() as tx:
        ids = {creator.name: creator.id for creator in await rosters.list_creators(tx)}
    return HookDesk(await open_desk(Agency(storage, store, ids["Ava"], ids["Bea"])))


async def _told(url: str, batches: list[list[Hook]]) -> dict[str, list[Any]]:
    async with await Storage.open(url, migrate=False) as storage:
        hooks = await _open(storage)
        for record in TRUTH:
            hooks.api.accounts[AVA].put(record)
        for batch in batches:
            await hooks.hear(*batch, now=LATER)
        assert set(await hooks.states()) == {"applied"}
        assert (await hooks.creator())["reconcile_since_at"] is None
        return await _facts(hooks)


@st.composite
def _deliveries(draw: st.DrawFn) -> list[list[Hook]]:
    """All of them in some order, some again under the same key or another, cut into batches."""
    again = [
        replace(hook, **kept)
        for hook in draw(st.lists(st.sampled_from(HOOKS), max_size=5))
        for kept in ({"key": hook.key if draw(st.booleans()) else f"{hook.key}-{draw(st.integers(0, 9))}"},)
    ]
    order = draw(st.permutations([*HOOKS, *again]))
    cuts = sorted(draw(st.sets(st.integers(1, len(order) - 1), max_size=len(order))))
    edges = [0, *cuts, len(order)]
    return [list(order[start:end]) for start, end in pairwise(edges)]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("order") / "prepared.db"
    asyncio.run(_prepare(f"sqlite:///{path}"))
    return path


def _in_sqlite(prepared: Path, batches: list[list[Hook]]) -> dict[str, list[Any]]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "copy.db"
        shutil.copy(prepared, path)
        return asyncio.run(_told(f"sqlite:///{path}", batches))


@pytest.fixture(scope="module")
def expected(prepared: Path) -> dict[str, list[Any]]:
    """What one batch in order of time leaves behind."""
    return _in_sqlite(prepared, [list(HOOKS)])


def test_what_they_say_together_is_right(expected: dict[str, list[Any]]) -> None:
    fans = {row["platform_fan_id"]: row for row in expected["fan_accounts"]}
    assert [(fans[n]["subscribed"], fans[n]["expires_at"], fans[n]["total_cents"]) for n in "1234"] == [
        (False, NOW + DAY, BEFORE[0].total_cents),
        (True, NOW + 32 * DAY, 2_001),
        (True, BEFORE[2].expires_at, 5_000),
        (True, NOW + 8 * DAY, 700),
    ]
    happened = {(row["fan"], row["event"]) for row in expected["subscription_events"]}
    assert {("1", "expired"), ("2", "expired"), ("2", "resubscribed"), ("4", "trial_started")} <= happened
    assert {
        row["platform_message_id"]: (row["unlocked"], row["deleted_at"]) for row in expected["messages"]
    } == {
        "501": (True, None),
        "502": (None, LATER),
        "503": (None, None),
    }
    assert sorted(row["amount_cents"] for row in expected["transactions"]) == [700, 999, 1_000, 3_000]


# Each example is a database of its own: a failing one is shown as it is.
_ANY_ORDER = settings(
    max_examples=10,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)


@given(batches=_deliveries())
@_ANY_ORDER
def test_any_order_leaves_the_same_in_sqlite(
    batches: list[list[Hook]], expected: dict[str, list[Any]], prepared: Path
) -> None:
    assert _in_sqlite(prepared, batches) == expected


@given(batches=_deliveries())
@settings(_ANY_ORDER, max_examples=4)
def test_any_order_leaves_the_same_in_postgresql(
    batches: list[list[Hook]], expected: dict[str, list[Any]], postgres_server: str
) -> None:
    async def run() -> dict[str, list[Any]]:
        await _sql(postgres_server, "CREATE DATABASE fw_order")
        try:
            await _prepare(_named(postgres_server, "fw_order"))
            return await _told(_named(postgres_server, "fw_order"), batches)
        finally:
            await _sql(postgres_server, "DROP DATABASE fw_order WITH (FORCE)")

    assert asyncio.run(run()) == expected
