"""What a sync asks for and what it leaves out: counted calls, kept connections, gaps, vendors that know less."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from math import ceil

import pytest
import pytest_asyncio

from bot.fanapi.errors import UpstreamError
from bot.fanapi.protocol import Capabilities, Page
from bot.jobs.fetching.ahead import ahead
from bot.jobs.fetching.fetcher import NEAREST_EXPIRIES, choose
from storage import creator_settings, webhook_inbox
from storage.fetch_lists import PollList
from storage.tables import api_usage, episodes, fan_accounts
from storage.tables import transactions as payments
from tests.bot.jobs.desk import NINE_DAYS, Desk, calm, ended, leaving
from tests.bot.jobs.fake_api import Account
from tests.bot.jobs.test_sync import AVA, HOUR, Office
from tests.storage.conftest import DAY, NOW
from tests.storage.records import payment


@pytest_asyncio.fixture
async def office(desk: Desk) -> Office:
    """Ava alone; the first import is still to come."""
    office = Office(desk)
    office.api.page_size = 20
    await desk.set_creator(desk.agency.bea, paused_reason="manual")
    return office


async def _ava(office: Office) -> dict[str, dict[str, object]]:
    rows = await office.desk.rows(fan_accounts, creator_id=office.desk.agency.ava)
    return {row["platform_fan_id"]: row for row in rows}


async def test_a_poll_says_whose_a_payment_is_that_a_webhook_left_nameless(office: Office) -> None:
    office.api.accounts[AVA] = Account(fans=[calm(1)])
    await office.run()
    ava, at = office.desk.agency.ava, NOW + 1
    await office.desk.set_creator(ava, webhook_at=at)
    await office.desk.pay(payment("t10", None, amount_cents=7_000, occurred_at=at), now=at)
    office.api.accounts[AVA].payments.append(payment("t10", "1", amount_cents=7_000, occurred_at=at))
    await office.run(NOW + HOUR)
    (paid,) = await office.desk.rows(payments, creator_id=ava)
    assert (paid["fan_account_id"], paid["amount_cents"]) == ((await _ava(office))["1"]["id"], 7_000)
    # It was announced, though without a name: no webhook is missing.
    assert (await office.creator(ava))["reconcile_since_at"] is None


async def test_after_two_walks_come_nights_and_a_walk_a_month(office: Office) -> None:
    """A list that shrinks under her first walk may hide a fan whom nobody knows yet."""
    for day in range(33):
        await office.run(NOW + day * DAY)
    kinds = [kind for kind, _ in await office.runs(office.desk.agency.ava)]
    assert kinds == ["walk", "walk", *["night"] * 29, "walk", "night"]


async def test_a_large_page_is_gone_through_weekly_and_its_best_payers_nightly(office: Office) -> None:
    fans = [calm(n, expires_at=NOW + 20 * DAY, total_cents=1_000 + 100 * n) for n in range(1, 131)]
    office.api.accounts[AVA].fans = fans
    # All 130 payers are seven calls, and a night has five more: a day of 14 credits has no room for them.
    await office.desk.set_creator(office.desk.agency.ava, credits_per_day=14)
    await office.run()
    for day in range(1, 10):
        for number in (1, 130):
            office.api.accounts[AVA].put(
                replace(fans[number - 1], name=f"Day {day}", expires_at=NOW + 20 * DAY)
            )
        await office.run(NOW + day * DAY)
        names = {key: row["name"] for key, row in (await _ava(office)).items()}
        assert names["130"] == f"Day {day}"
        # The second walk, and the round a week later; who has no turn is not asked for by id as if he had gone.
        assert names["1"] == ("Day 8" if day >= 8 else "Day 1")


async def test_a_night_sees_who_has_just_paid_though_others_have_spent_more(office: Office) -> None:
    fans = [calm(n, expires_at=NOW + 20 * DAY, total_cents=1_000 + 100 * n) for n in range(1, 131)]
    platform = office.api.accounts[AVA]
    platform.fans = list(fans)
    for day in range(2):
        await office.run(NOW + day * DAY)
    night = NOW + 2 * DAY
    await office.run(night - HOUR)
    platform.put(replace(fans[0], total_cents=1_600))
    platform.payments.append(payment("t10", "1", amount_cents=500, occurred_at=night - HOUR // 2))
    await office.run(night)
    assert (await office.runs(office.desk.agency.ava))[-1][0] == "night"
    assert (await _ava(office))["1"]["total_cents"] == 1_600


@pytest.mark.parametrize("number", [1, 20, 130])
async def test_all_fans_cost_a_call_for_twenty_and_five_at_the_most(office: Office, number: int) -> None:
    office.api.accounts[AVA].fans = [calm(1_000 + n) for n in range(number)]
    await office.run()
    assert len(office.api.calls) <= ceil(number / 20) + 5
    # Four more have paid, and are on no list.
    assert len(await _ava(office)) == number + 4


async def test_no_poll_of_an_idle_page_takes_more_than_three_calls(office: Office) -> None:
    office.api.accounts[AVA].fans = [
        calm(n, price_cents=0, expires_at=NOW + 2 * DAY + n * HOUR) for n in range(40)
    ]
    job = office.job()
    await job.run_due(NOW)
    for hour in range(1, 24):
        office.api.calls.clear()
        office.clock.now = NOW + hour * HOUR
        await job.run_due(office.clock.now)
        assert sorted(what for _, what in office.api.calls) == ["by id", "latest", "payments"]


async def test_a_page_that_costs_money_is_asked_for_new_fans_every_sixth_hour(office: Office) -> None:
    job = office.job()
    asked = []
    for hour in range(12):
        office.api.calls.clear()
        office.clock.now = NOW + hour * HOUR
        await job.run_due(office.clock.now)
        asked.append((AVA, "latest") in office.api.calls)
    assert [hour for hour, was in enumerate(asked) if was] == [6]


async def test_the_list_of_connections_is_asked_for_once_a_day_unless_somebody_fails(office: Office) -> None:
    job = office.job()
    asked = []
    office.api.fault = lambda account_id, what: (
        UpstreamError("no", endpoint="/x") if account_id == AVA and len(asked) == 5 else None
    )
    for hour in range(27):
        office.api.calls.clear()
        office.clock.now = NOW + hour * HOUR
        await job.run_due(office.clock.now)
        asked.append((None, "accounts") in office.api.calls)
    # New at first; failed in the fifth hour; a day later.
    assert [hour for hour, was in enumerate(asked) if was] == [0, 6]
    spent = {(row["creator_id"], row["purpose"]): row["credits"] for row in await office.desk.rows(api_usage)}
    assert spent[0, "accounts"] == 2


async def test_a_session_lost_between_two_lists_is_seen_by_the_next_poll(office: Office) -> None:
    job = office.job()
    await job.run_due(NOW)
    office.api.accounts[AVA].authenticated = False
    await job.run_due(NOW + HOUR)
    assert await office.told() == [("session_expired", 401, False)]


async def test_a_switch_of_rebill_in_the_last_three_days_is_seen_by_the_next_poll(office: Office) -> None:
    platform = office.api.accounts[AVA]
    platform.put(calm(4, expires_at=NOW + 3 * DAY))
    platform.put(calm(5, expires_at=NOW + 5 * DAY))
    await office.run()
    for number, days in ((4, 3), (5, 5)):
        platform.put(calm(number, expires_at=NOW + days * DAY, rebill_off=True))
    await office.run(NOW + HOUR)
    fans = await _ava(office)
    assert (bool(fans["4"]["rebill_off"]), bool(fans["5"]["rebill_off"])) == (True, False)


async def test_a_night_finds_who_has_gone_and_who_is_worked_on(office: Office) -> None:
    platform = office.api.accounts[AVA]
    await office.run()
    await office.run(NOW + DAY)
    # Both are out of the list of the active now, and no payment tells.
    platform.put(ended(2, expires_at=NOW + 60 * DAY))
    platform.put(calm(3, subscribed=False, expires_at=NOW + 2 * DAY - 1, is_blocked=True))
    office.api.calls.clear()
    await office.run(NOW + 2 * DAY)
    fans = await _ava(office)
    assert (fans["2"]["expired_now"], fans["3"]["is_blocked"]) == (True, True)
    assert "fans" not in {what for _, what in office.api.calls}


async def test_webhooks_that_were_missed_are_made_up_for_at_once(office: Office) -> None:
    desk, ava = office.desk, office.desk.agency.ava
    await office.run()
    await office.run(NOW + DAY)
    late = payment("late", "1", occurred_at=NOW - 2 * DAY)
    office.api.accounts[AVA].payments.append(late)
    await desk.set_creator(ava, reconcile_since_at=NOW - 2 * DAY + 5)
    # She has just been compared with the API: only where webhooks go on missing there would be another night at once.
    assert await office.run(NOW + DAY + 5) == {}
    assert await office.run(NOW + DAY + 3 * HOUR) == {"sync": 1}
    assert (await office.runs(ava))[-1] == ("night", "done")
    assert "late" in {row["platform_transaction_id"] for row in await desk.rows(payments, creator_id=ava)}
    assert (await desk.creator()).reconcile_since_at is None
    assert await office.run(NOW + DAY + 3 * HOUR + 1) == {}


async def test_a_payment_that_no_webhook_told_of_leads_to_one_night(office: Office) -> None:
    desk, ava = office.desk, office.desk.agency.ava
    await office.run()
    await office.run(NOW + DAY)
    await desk.set_creator(ava, webhook_at=NOW + DAY)
    office.api.accounts[AVA].payments.append(payment("late", "1", occurred_at=NOW + DAY + 5))
    for hour in range(1, 24):
        await office.run(NOW + DAY + hour * HOUR)
    kinds = [kind for kind, _ in await office.runs(ava)][2:]
    assert (kinds.count("night"), kinds.index("night")) == (1, 2)


async def test_polls_go_on_where_webhooks_go_on_missing(office: Office) -> None:
    desk, ava = office.desk, office.desk.agency.ava
    await office.run()
    await office.run(NOW + DAY)
    for hour in range(1, 24):
        await desk.change(lambda tx, at=NOW + DAY + hour * HOUR: webhook_inbox.note_gap(tx, ava, at))
        await office.run(NOW + DAY + hour * HOUR)
    kinds = [kind for kind, _ in await office.runs(ava)][2:]
    assert (kinds.count("night"), len(kinds)) == (7, 23)


async def test_a_gap_that_grows_while_it_is_filled_stays(office: Office) -> None:
    desk, ava = office.desk, office.desk.agency.ava
    await office.run()
    await desk.set_creator(ava, reconcile_since_at=NOW)
    grown = asyncio.Event()
    office.api.hold(AVA, "payments", grown)

    async def grow() -> None:
        await office.api.reached.wait()
        await desk.set_creator(ava, reconcile_since_at=NOW + 7)
        grown.set()

    async with asyncio.timeout(20):
        await asyncio.gather(office.run(NOW + 3 * HOUR), grow())
    assert (await desk.creator()).reconcile_since_at == NOW + 7


async def test_what_a_vendor_cannot_be_asked_is_left_out(office: Office) -> None:
    office.api.capabilities = Capabilities(
        accounts=False, all_fans=False, latest=False, payments=False, messages=False
    )
    for at in (0, HOUR, DAY, 2 * DAY):
        await office.run(NOW + at)
    assert {what for _, what in office.api.calls} <= {"fans", "active", "by id"}
    assert (await office.desk.creator()).payments_synced_at is None
    assert [status for _, status in await office.runs(office.desk.agency.ava)] == ["done"] * 4


async def test_the_same_people_under_a_new_account_are_nobody_twice(office: Office) -> None:
    desk, ava = office.desk, office.desk.agency.ava
    office.api.accounts[AVA].put(leaving(4))
    await office.run()
    await office.run(NINE_DAYS)
    fans = sorted(await _ava(office))
    before = [await desk.rows(table, creator_id=ava) for table in (payments, episodes)]
    assert before[1]
    old = office.api.accounts.pop(AVA)
    office.api.accounts["acct_new"] = Account(old.fans, old.payments, old.chargebacks)
    creator = await desk.creator()
    await desk.change(lambda tx: creator_settings.reconnect(tx, creator, "acct_new", NINE_DAYS + 1))
    office.api.calls.clear()
    await office.run(NINE_DAYS + 1)
    assert ("acct_new", "fans") in office.api.calls
    assert sorted(await _ava(office)) == fans
    after = [await desk.rows(table, creator_id=ava) for table in (payments, episodes)]
    assert after[0] == before[0]
    assert [row["id"] for row in after[1]] == [row["id"] for row in before[1]]
    assert not [row for row in await desk.cards("a", "g") if row["created_at"] > NINE_DAYS]


def test_whom_a_poll_asks_for() -> None:
    many = [str(n) for n in range(30)]
    assert choose([], PollList((), (), ()), set()) == []
    # Those who never paid have room where a call is made anyway, and are no reason to make one.
    assert choose([], PollList((), (), ("x",)), set()) == []
    assert choose(["a"], PollList(("b",), ("c",), ("x", "a")), {"b"}) == ["a", "c", "x"]
    nine = choose(many[:9], PollList((), tuple(f"e{n}" for n in range(10)), ()), set())
    assert (len(nine), nine[9:12]) == (2 * NEAREST_EXPIRIES - 1, ["e0", "e1", "e2"])
    assert len(choose(many[:10], PollList((), (), ()), set())) == 10


# --- one page ahead ---------------------------------------------------------------------------------------------------


async def _walk(asked: list[int], *, last: int, breaks_at: int | None = None) -> AsyncIterator[Page[int]]:
    for number in range(last + 1):
        asked.append(number)
        await asyncio.sleep(0)
        if number == breaks_at:
            raise UpstreamError("no", endpoint="/x")
        yield Page((number,), None if number == last else str(number + 1))


async def test_the_next_page_is_asked_for_while_the_present_one_is_worked_on() -> None:
    asked: list[int] = []
    seen: list[tuple[int, int]] = []
    async with aclosing(ahead(_walk(asked, last=3))) as pages:
        async for page in pages:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            seen.append((page.records[0], len(asked)))
    assert seen == [(0, 2), (1, 3), (2, 4), (3, 4)]


async def test_a_page_that_fails_leaves_the_one_before_it() -> None:
    seen: list[int] = []

    async def read() -> None:
        async with aclosing(ahead(_walk([], last=3, breaks_at=2))) as pages:
            async for page in pages:
                seen.extend(page.records)

    with pytest.raises(UpstreamError):
        await read()
    assert seen == [0, 1]


@pytest.mark.parametrize("pages_read", [0, 1, 2])
async def test_whoever_is_cancelled_leaves_no_request_behind(pages_read: int) -> None:
    asked: list[int] = []
    before = asyncio.all_tasks()
    held = asyncio.Event()

    async def read() -> None:
        number = 0
        async with aclosing(ahead(_walk(asked, last=9))) as pages:
            async for _ in pages:
                number += 1
                if number > pages_read:
                    held.set()
                    await asyncio.Event().wait()

    task = asyncio.create_task(read())
    await held.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == before
