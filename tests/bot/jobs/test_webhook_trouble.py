"""What is left of webhooks when something fails, and what is known to be missing; on real storage, both engines."""

from __future__ import annotations

import pytest
import pytest_asyncio

from bot.fanapi.errors import CreditsExhaustedError, UpstreamError
from bot.jobs.webhooks import FIRST_RETRY_MS, MOST_TRIES
from storage import fetching, webhook_inbox
from storage.tables import (
    transactions,
)
from storage.tables import webhook_inbox as inbox
from tests.bot.jobs.desk import Desk, calm
from tests.bot.jobs.hooks import (
    AVA,
    Hook,
    HookDesk,
    deleted,
    message,
    over,
    paid,
    subscribed,
)
from tests.storage.conftest import DAY, NOW
from tests.storage.records import payment

HOUR = DAY // 24


@pytest_asyncio.fixture
async def hooks(desk: Desk) -> HookDesk:
    return HookDesk(desk)


# --- trouble --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [CreditsExhaustedError, UpstreamError])
async def test_what_an_event_says_itself_is_kept_while_the_api_fails(
    hooks: HookDesk, trouble: type[UpstreamError]
) -> None:
    await hooks.start([calm(1)])
    hooks.api.fault = lambda *_: trouble("no", endpoint="/users/list", status=500)

    await hooks.hear(paid("t1", 1), over(1, NOW + DAY))
    assert len(await hooks.desk.rows(transactions)) == 1
    assert await hooks.states() == ["pending", "applied"]
    assert await hooks.job.run_due(NOW + FIRST_RETRY_MS - 1) == {}

    hooks.api.fault = lambda *_: None
    hooks.api.accounts[AVA].put(calm(1, total_cents=8_000))
    hooks.restart()
    assert await hooks.job.run_due(NOW + FIRST_RETRY_MS) == {"webhooks": 1}

    assert (await hooks.fan(1))["total_cents"] == 8_000
    assert len(await hooks.desk.rows(transactions)) == 1
    rows = await hooks.desk.rows(inbox)
    assert [(row["state"], row["body"]) for row in rows] == [("applied", None)] * 2


async def test_after_eight_tries_it_is_given_up_and_the_gap_is_known(hooks: HookDesk) -> None:
    await hooks.start([calm(1)])
    hooks.api.fault = lambda *_: UpstreamError("no", endpoint="/users/list", status=500)
    await hooks.receive(subscribed(7))

    for tried in range(MOST_TRIES):
        (row,) = await hooks.desk.rows(inbox)
        assert (row["state"], row["tries"]) == ("pending", tried)
        hooks.clock.now = row["next_try_at"]
        assert await hooks.job.run_due(hooks.clock.now) == {"webhooks": 1}

    (row,) = await hooks.desk.rows(inbox)
    assert (row["state"], row["error"], row["body"]) == ("failed", "UpstreamError", None)
    assert (await hooks.creator())["reconcile_since_at"] == NOW
    assert hooks.job.counters.failed == 1


async def test_an_event_that_breaks_the_program_holds_up_no_other(
    hooks: HookDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hooks.start([calm(1, expires_at=NOW + DAY)])
    real = webhook_inbox.poll_now

    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(webhook_inbox, "poll_now", broken)
    await hooks.hear(Hook("accounts.connected", {}), over(1, NOW + DAY), now=NOW + DAY)
    assert await hooks.states() == ["pending", "pending"]

    hooks.clock.now += FIRST_RETRY_MS
    await hooks.job.run_due(hooks.clock.now)
    assert await hooks.states() == ["pending", "applied"]

    monkeypatch.setattr(webhook_inbox, "poll_now", real)
    hooks.clock.now += 2 * FIRST_RETRY_MS
    await hooks.job.run_due(hooks.clock.now)
    assert await hooks.states() == ["applied", "applied"]


async def test_a_wake_applies_without_a_tick(hooks: HookDesk) -> None:
    await hooks.start([calm(1, expires_at=NOW + DAY)])
    hooks.clock.now = NOW + DAY
    await hooks.receive(over(1, NOW + DAY))

    hooks.job.wake()
    worker = hooks.job._worker
    assert worker is not None
    await worker

    assert await hooks.states() == ["applied"]
    assert await hooks.desk.events("1") == ["expired"]
    await hooks.job.stop()


async def test_a_delivery_that_comes_twice_is_one(hooks: HookDesk) -> None:
    await hooks.start([calm(1)])
    hook = message(1, 70)
    assert await hooks.receive(hook, hook) == ["stored", "duplicate"]
    await hooks.job.run_due(NOW)
    assert await hooks.receive(hook) == ["duplicate"]
    assert await hooks.states() == ["applied"]


async def test_what_is_done_with_is_forgotten_after_a_week(
    hooks: HookDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_inbox, "FORGET_AT_ONCE", 2)
    await hooks.start([calm(1)])
    hooks.api.fault = lambda *_: UpstreamError("no", endpoint="/users/list", status=500)
    await hooks.hear(*(message(1, number) for number in range(5)), subscribed(7))
    await hooks.hear(deleted(9), now=NOW + DAY)

    hooks.restart()
    await hooks.job.run_due(NOW + 7 * DAY + 1)

    rows = await hooks.desk.rows(inbox)
    assert [row["event"] for row in rows] == ["subscriptions.new", "messages.deleted"]


# --- what is missing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("down_ms", "gap"), [(60_000, None), (60_001, NOW)])
async def test_a_stop_of_more_than_a_minute_is_a_gap(hooks: HookDesk, down_ms: int, gap: int | None) -> None:
    await hooks.start([calm(1)])
    await hooks.hear(message(1, 70))

    await hooks.desk.change(lambda tx: webhook_inbox.note_gaps_at_start(tx, NOW + down_ms))

    assert (await hooks.creator())["reconcile_since_at"] == gap
    # No webhook of hers has ever come: polls are all there is, and they miss nothing.
    assert (await hooks.desk.creator(hooks.desk.agency.bea)).reconcile_since_at is None


async def test_a_gap_only_grows_backwards(hooks: HookDesk) -> None:
    ava = hooks.desk.agency.ava
    for since in (NOW, NOW + 5, NOW - 5):
        await hooks.desk.change(lambda tx, at=since: webhook_inbox.note_gap(tx, ava, at))
    assert (await hooks.creator())["reconcile_since_at"] == NOW - 5


async def test_what_goes_missing_while_a_gap_is_filled_is_a_gap_still(hooks: HookDesk) -> None:
    ava = hooks.desk.agency.ava
    await hooks.desk.change(lambda tx: webhook_inbox.note_gap(tx, ava, NOW))
    filling = (await hooks.creator())["reconcile_since_at"]
    await hooks.desk.change(lambda tx: webhook_inbox.note_gap(tx, ava, NOW + HOUR))
    await hooks.desk.change(
        lambda tx: fetching.mark_synced(tx, ava, next_poll_at=0, next_walk_at=0, gap_since_at=filling)
    )
    assert (await hooks.creator())["reconcile_since_at"] is not None


async def test_what_only_a_poll_has_found_is_a_gap_where_webhooks_work(hooks: HookDesk) -> None:
    ava = hooks.desk.agency.ava
    late = payment("t1", "1", occurred_at=NOW - 21 * 60_000).occurred_at

    async def check(*happened_at: int) -> bool:
        return await hooks.desk.change(lambda tx: webhook_inbox.note_unannounced(tx, ava, happened_at, NOW))

    assert not await check(late)
    await hooks.hear(message(1, 70))
    assert not await check()
    assert not await check(NOW - 20 * 60_000)
    assert await check(NOW, late)
    assert (await hooks.creator())["reconcile_since_at"] == late
    # Switched off at the vendor: what polls find then is no news of a gap.
    await hooks.desk.set_creator(ava, webhook_at=NOW - DAY - 1)
    assert not await check(late)
