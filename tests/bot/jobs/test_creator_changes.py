"""What the jobs make of a change at /creator: whom they leave alone, and which next look is silent."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest_asyncio
from sqlalchemy import update

from bot.fanapi.errors import AccountNotFoundError
from storage import card_delivery, creator_settings, fetching, roster
from storage.engine import Tx
from storage.tables import cards, fan_accounts, scores, sync_runs
from storage.tables import transactions as payments
from tests.bot.jobs.desk import NINE_DAYS, Desk, calm, leaving
from tests.bot.jobs.fake_api import Account
from tests.bot.jobs.test_sync import AVA, HOUR, Office
from tests.storage.conftest import DAY, NOW

MANAGER = 9
SHOWN = {"first_sent_wall_at": NOW, "message_id": 7_001, "sent_version": 1}


@pytest_asyncio.fixture
async def office(desk: Desk) -> Office:
    """Both creators have had their first import."""
    office = Office(desk)
    await office.run()
    return office


async def change(office: Office, now: int, **values: Any) -> None:
    async def write(tx: Tx) -> None:
        ava = await roster.get_creator(tx, office.desk.agency.ava)
        assert ava is not None
        await creator_settings.change(tx, ava, values, MANAGER, now)

    await office.desk.change(write)


async def test_a_paused_creator_is_left_alone_and_the_other_is_not(office: Office) -> None:
    ava, bea = office.desk.agency.ava, office.desk.agency.bea
    await change(office, NOW, paused_reason="manual")
    assert await office.run(NOW + 2 * HOUR) == {"sync": 1}
    assert [kind for kind, _ in await office.runs(ava)] == ["walk"]
    assert [kind for kind, _ in await office.runs(bea)] == ["walk", "poll"]
    await change(office, NOW, paused_reason=None)
    assert await office.run(NOW + 2 * HOUR) == {"sync": 1}


async def test_a_retired_creator_is_looked_at_once_a_day_and_nobody_is_told(office: Office) -> None:
    desk, ava = office.desk, office.desk.agency.ava
    await desk.change(lambda tx: creator_settings.retire(tx, ava, NOW))
    office.api.accounts[AVA].put(leaving(4, total_cents=7_000))
    before = len(await desk.rows(scores, creator_id=ava))
    cards = await desk.cards()
    assert await office.run(NOW + HOUR) == {"sync": 1}
    assert await office.run(NOW + DAY) == {"sync": 2}
    rows = await desk.rows(fan_accounts, creator_id=ava)
    assert [row["total_cents"] for row in rows if row["platform_fan_id"] == "4"] == [7_000]
    assert len(await desk.rows(scores, creator_id=ava)) == before
    assert [c for c in await desk.cards() if c["creator_id"] == ava] == [
        c for c in cards if c["creator_id"] == ava
    ]
    office.api.accounts.pop(AVA)
    for day in range(2, 6):
        await office.run(NOW + day * DAY)
    assert await office.told() == []


async def test_new_thresholds_score_at_once_in_silence_and_are_told_on_one_card(desk: Desk) -> None:
    await desk.start([calm(n) for n in range(1, 5)])
    await desk.score(NINE_DAYS)
    assert {row["tier"] for row in (await desk.episodes()).values()} == {"at_risk"}
    ava = await desk.creator()
    await desk.change(
        lambda tx: creator_settings.change(
            tx, ava, {"fire_above": 40.0, "action_above": 62.0}, MANAGER, NINE_DAYS
        )
    )
    ava = await desk.creator()
    assert (ava.baseline_done_at, ava.baseline_cause, ava.next_poll_at) == (None, "thresholds", NINE_DAYS)
    await desk.keep([leaving(9)], NINE_DAYS)
    before = {row["id"] for row in await desk.cards()}
    await desk.score(NINE_DAYS + 1)
    assert {row["tier"] for row in (await desk.episodes()).values()} == {"action"}
    (card,) = [row for row in await desk.cards() if row["id"] not in before]
    assert (card["kind"], card["code"], card["ping_wanted"]) == ("s", "thresholds", False)
    assert not any(row["ping_wanted"] for row in await desk.cards())
    assert '"opened":1' in card["payload"]
    assert '"fire_above":40.0' in card["payload"]
    ava = await desk.creator()
    assert (ava.baseline_done_at, ava.baseline_cause) == (NINE_DAYS + 1, None)


async def test_what_new_thresholds_make_an_action_item_leaves_its_list_in_silence(desk: Desk) -> None:
    await desk.start([calm(n) for n in range(1, 8)])
    await desk.score(NINE_DAYS)
    (shared,) = await desk.cards("g")
    ava = await desk.creator()
    await desk.change(lambda tx: creator_settings.change(tx, ava, {"action_above": 66.0}, MANAGER, NINE_DAYS))
    await desk.keep([leaving(n) for n in (1, 2)], NINE_DAYS)
    await desk.score(NINE_DAYS + 1)
    found = await desk.episodes()
    assert [n for n, row in found.items() if row["tier"] == "action"] == ["1", "2"]
    own = {row["id"]: row for row in await desk.cards("a")}
    assert {found["1"]["card_id"], found["2"]["card_id"]} == set(own)
    assert {row["card_id"] for n, row in found.items() if n not in "12"} == {shared["id"]}
    assert not any(row["ping_wanted"] for row in await desk.cards())
    assert all(found[n]["escalate_from_at"] is None and found[n]["placement"] is None for n in "12")
    assert (await desk.cards("g"))[0]["wanted_version"] > shared["wanted_version"]


async def test_raised_thresholds_drop_those_below(desk: Desk) -> None:
    await desk.start([calm(n) for n in range(1, 4)])
    await desk.score(NINE_DAYS)
    ava = await desk.creator()
    await desk.change(
        lambda tx: creator_settings.change(
            tx, ava, {"fire_above": 85.0, "action_above": 95.0}, MANAGER, NINE_DAYS
        )
    )
    await desk.score(NINE_DAYS + 1)
    assert all(row["closed_at"] is not None for row in (await desk.episodes()).values())
    card = (await desk.cards("s"))[-1]
    assert '"cleared":3' in card["payload"]


async def test_thresholds_that_change_while_a_baseline_runs_are_not_lost(desk: Desk) -> None:
    """The run began with the old ones: it must not pass for the baseline of the new ones."""
    await desk.keep([calm(1)])
    started_with = await desk.creator()
    await desk.change(
        lambda tx: creator_settings.change(tx, started_with, {"fire_above": 40.0}, MANAGER, NOW)
    )
    await desk.change(lambda tx: fetching.mark_baseline_done(tx, started_with, NOW))
    assert (await desk.creator()).baseline_done_at is None


async def test_a_look_asked_for_during_a_sync_stays_due(office: Office) -> None:
    ava = office.desk.agency.ava
    await change(office, NOW + 5, fire_above=50.0)
    await office.desk.change(
        lambda tx: fetching.mark_synced(tx, ava, next_poll_at=NOW + HOUR, next_walk_at=NOW + DAY)
    )
    assert (await office.creator(ava))["next_poll_at"] == NOW + 5


async def test_a_reconnected_creator_keeps_her_fans_and_is_looked_at_in_silence(office: Office) -> None:
    desk, ava = office.desk, office.desk.agency.ava
    before = {table: await desk.rows(table, creator_id=ava) for table in (fan_accounts, payments, scores)}
    old = office.api.accounts.pop(AVA)
    office.api.accounts["acct_ava_2"] = Account(old.fans, old.payments, old.chargebacks)
    office.api.accounts["acct_ava_2"].put(leaving(4, total_cents=1_004))
    assert (await office.run(NOW + HOUR)) == {"sync": 2}
    assert ("account_missing", 401, False) in await office.told()
    creator = await desk.creator()
    await desk.change(lambda tx: creator_settings.reconnect(tx, creator, "acct_ava_2", NINE_DAYS))
    assert (await desk.creator()).account_id == "acct_ava_2"
    assert (await desk.creator()).baseline_cause == "reconnected"
    await office.run(NINE_DAYS)
    assert ("account_missing", 401, True) in await office.told()
    after = await desk.rows(fan_accounts, creator_id=ava)
    assert [row["id"] for row in after] == [row["id"] for row in before[fan_accounts]]
    assert len(await desk.rows(payments, creator_id=ava)) == len(before[payments])
    hers = [row for row in await desk.cards("s", "a", "g") if row["creator_id"] == ava]
    assert [row["code"] for row in hers] == [None, "reconnected"]
    assert not any(row["ping_wanted"] for row in hers)
    assert (await desk.creator()).baseline_cause is None
    assert {row["status"] for row in await desk.rows(sync_runs, creator_id=ava)} == {"done"}


async def test_a_moved_creator_posts_elsewhere_also_what_was_stuck(desk: Desk) -> None:
    await desk.start([calm(1), calm(2)])
    await desk.score(NINE_DAYS)
    stuck, posted = (row["id"] for row in await desk.cards("a"))
    await desk.change(lambda tx: card_delivery.mark_blocked(tx, stuck, "closed", NOW))
    await desk.change(
        lambda tx: tx.execute(
            update(cards).where(cards.c.agency_id == tx.agency_id, cards.c.id == posted).values(SHOWN)
        )
    )
    ava = await desk.creator()
    await desk.change(lambda tx: creator_settings.move(tx, ava, 499, NOW))
    states = {row["id"]: (row["state"], row["channel_id"]) for row in await desk.cards("a")}
    assert states == {stuck: ("idle", 499), posted: ("idle", 401)}
    assert {row["card_id"] for row in (await desk.episodes()).values()} == {stuck, posted}
    await desk.keep([leaving(3)], NINE_DAYS)
    await desk.score(NINE_DAYS + 1)
    (new,) = [row for row in await desk.cards("a") if row["id"] not in states]
    assert new["channel_id"] == 499


async def test_an_account_may_come_back_to_its_creator(office: Office) -> None:
    for account_id in ("acct_ava_2", AVA):
        creator = await office.desk.creator()
        await office.desk.change(
            lambda tx, creator=creator, account_id=account_id: creator_settings.reconnect(  # type: ignore[misc]
                tx, creator, account_id, NOW + HOUR
            )
        )
        assert (await office.desk.creator()).account_id == account_id
    async with office.desk.store.read() as tx:
        owners = await creator_settings.account_owners(tx)
    assert {key: one.connected for key, one in owners.items() if one.name == "Ava"} == {
        AVA: True,
        "acct_ava_2": False,
    }


async def test_a_creator_paused_during_a_sync_gets_no_alerts_until_she_is_resumed(office: Office) -> None:
    """What is under way is fetched to its end; the scoring waits."""
    desk, ava = office.desk, office.desk.agency.ava
    office.api.accounts[AVA].put(leaving(4))
    paused = asyncio.Event()

    async def pause_after_fans() -> None:
        await office.api.reached.wait()
        await change(office, NINE_DAYS, paused_reason="manual")
        paused.set()

    office.api.hold(AVA, "payments", paused)
    before = {row["id"] for row in await desk.cards()}
    async with asyncio.timeout(20):
        await asyncio.gather(office.run(NINE_DAYS), pause_after_fans())

    async def new() -> list[dict[str, Any]]:
        cards = await desk.cards("a", "g")
        return [row for row in cards if row["id"] not in before and row["creator_id"] == ava]

    assert await new() == []
    assert (await office.runs(ava))[-1] == ("walk", "running")
    await change(office, NINE_DAYS + 1, paused_reason=None)
    await office.run(NINE_DAYS + HOUR)
    assert await new() != []
    assert (await office.runs(ava))[-1] == ("walk", "done")
    assert len(await office.runs(ava)) == 2


async def test_thresholds_that_change_during_a_sync_count_in_its_scoring(office: Office) -> None:
    desk, ava = office.desk, office.desk.agency.ava
    changed = asyncio.Event()

    async def change_meanwhile() -> None:
        await office.api.reached.wait()
        await change(office, NINE_DAYS, fire_above=90.0, action_above=99.0)
        changed.set()

    office.api.hold(AVA, "payments", changed)
    async with asyncio.timeout(20):
        await asyncio.gather(office.run(NINE_DAYS), change_meanwhile())
    cards = [row for row in await desk.cards("a", "g", "s") if row["creator_id"] == ava]
    assert [(row["kind"], row["code"]) for row in cards] == [("s", None), ("s", "thresholds")]
    assert (await desk.creator()).baseline_done_at is not None


async def test_the_old_account_failing_puts_nothing_off_for_who_was_reconnected_meanwhile(
    office: Office,
) -> None:
    desk, ava = office.desk, office.desk.agency.ava
    reconnected = asyncio.Event()

    async def reconnect_meanwhile() -> None:
        await office.api.reached.wait()
        creator = await desk.creator()
        await desk.change(lambda tx: creator_settings.reconnect(tx, creator, "acct_ava_2", NINE_DAYS))
        office.api.fault = lambda account_id, what: (
            AccountNotFoundError("gone", endpoint="fans") if account_id == AVA else None
        )
        reconnected.set()

    office.api.hold(AVA, "payments", reconnected)
    async with asyncio.timeout(20):
        await asyncio.gather(office.run(NINE_DAYS), reconnect_meanwhile())
    after = await office.creator(ava)
    assert (after["failed_polls"], after["next_poll_at"]) == (0, NINE_DAYS)
    assert await office.told() == []
