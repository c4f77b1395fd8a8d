"""A creator's day has a price: polls stop before it is reached, which is said once, and a first import is outside."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
import pytest_asyncio

from bot.jobs.fetching.budget import Budget, next_midnight, poll_share
from bot.jobs.fetching.spending import noting
from storage import creator_settings, fetching, roster, usage
from storage.engine import Tx
from storage.tables import api_usage
from tests.bot.jobs.desk import Desk, calm
from tests.bot.jobs.test_sync import AVA, HOUR, Office
from tests.storage.conftest import DAY, NOW

MIDNIGHT = NOW + 15 * HOUR
"""In Paris, where the agency is; it is nine there at NOW."""
DAYS_CREDITS = 11


@pytest_asyncio.fixture
async def office(desk: Desk) -> Office:
    """Ava alone, with a fan for every poll to ask for: two credits a poll, three every sixth hour."""
    office = Office(desk, credits_per_day=DAYS_CREDITS)
    office.api.accounts[AVA].put(calm(1, expires_at=NOW + 2 * DAY))
    await desk.set_creator(desk.agency.bea, paused_reason="manual")
    await office.run()
    return office


async def _spent(office: Office) -> dict[tuple[str, str], float]:
    """(day, purpose) -> credits, of Ava."""
    rows = await office.desk.rows(api_usage)
    return {(r["day"], r["purpose"]): r["credits"] for r in rows if r["creator_id"] == office.desk.agency.ava}


async def test_polls_stop_before_the_budget_is_used_up_and_go_on_after_midnight(office: Office) -> None:
    ava = office.desk.agency.ava
    first = (await _spent(office))["2026-03-02", "walk"]
    for hour in range(1, 15):
        await office.run(NOW + hour * HOUR)
    spent = await _spent(office)
    assert 0.9 * DAYS_CREDITS <= spent["2026-03-02", "poll"] <= DAYS_CREDITS
    assert spent["2026-03-02", "walk"] == first
    assert await office.told() == [("budget_reached", 401, False)]
    creator = await office.creator(ava)
    assert (creator["next_poll_at"], creator["failed_polls"]) == (MIDNIGHT, 0)

    await office.run(MIDNIGHT)

    assert await office.told() == [("budget_reached", 401, True)]
    assert (await _spent(office))["2026-03-03", "poll"] > 0
    assert (await office.creator(ava))["synced_at"] == MIDNIGHT


async def test_a_run_that_meets_the_budget_stops_and_goes_on_after_midnight(office: Office) -> None:
    desk, ava = office.desk, office.desk.agency.ava
    await desk.set_creator(ava, next_walk_at=NOW + HOUR, credits_per_day=2)
    await office.run(NOW + HOUR)
    assert (await office.runs(ava))[-1] == ("night", "running")
    assert await office.told() == [("budget_reached", 401, False)]
    await desk.set_creator(ava, credits_per_day=85)
    await office.run(MIDNIGHT)
    assert (await office.runs(ava))[-1] == ("night", "done")
    assert len(await office.runs(ava)) == 2
    assert await office.told() == [("budget_reached", 401, True)]


async def test_a_raised_budget_lets_a_held_creator_go_at_once(office: Office) -> None:
    desk, ava, at = office.desk, office.desk.agency.ava, NOW + HOUR
    await desk.set_creator(ava, next_walk_at=at, credits_per_day=2, reconcile_since_at=NOW)
    job = office.job()
    await job.run_due(at)
    held = await office.creator(ava)
    assert (held["next_poll_at"], held["next_walk_at"]) == (MIDNIGHT, MIDNIGHT)
    assert await job.run_due(at + 1) == {}

    async def raise_it(tx: Tx) -> None:
        await creator_settings.change(
            tx, await roster.get_creator(tx, ava), {"credits_per_day": 50}, 1, at + 2
        )  # type: ignore[arg-type]

    await desk.change(raise_it)
    office.clock.now = at + 2
    assert await job.run_due(at + 2) == {"sync": 1}
    assert (await office.runs(ava))[-1] == ("night", "done")
    assert await office.told() == [("budget_reached", 401, True)]


async def test_who_is_due_only_for_a_gap_is_let_go_too(office: Office) -> None:
    """Nothing but what webhooks have missed makes her due: the process itself remembers that she is held."""
    desk, ava, at = office.desk, office.desk.agency.ava, NOW + 4 * HOUR
    await desk.set_creator(ava, credits_per_day=2, reconcile_since_at=NOW, next_poll_at=NOW + DAY)
    job = office.job()
    await job.run_due(at)
    assert await job.run_due(at + 1) == {}
    await desk.set_creator(ava, credits_per_day=50)
    assert await job.run_due(at + 2) == {"sync": 1}


async def test_a_hold_by_a_budget_that_was_changed_meanwhile_is_none(office: Office) -> None:
    desk, ava = office.desk, office.desk.agency.ava
    before = await desk.creator()
    await desk.set_creator(ava, credits_per_day=500)
    due = (await office.creator(ava))["next_poll_at"]
    assert not await desk.store.write(lambda tx: fetching.mark_held(tx, before, MIDNIGHT))
    assert (await office.creator(ava))["next_poll_at"] == due


async def test_a_creators_own_number_counts_and_the_reserve_is_for_pings(office: Office) -> None:
    desk, ava = office.desk, office.desk.agency.ava

    async def spend(tx: Tx) -> None:
        for purpose, credits_used in (("poll", 30.0), ("refresh", 5.0), ("walk", 500.0), ("backfill", 500.0)):
            await usage.note(
                tx,
                "2026-03-05",
                ava,
                purpose,  # type: ignore[arg-type]
                calls=1,
                credits_used=credits_used,
                errors=0,
            )

    await desk.change(spend)
    budget, at = Budget(desk.store, 40), NOW + 3 * DAY
    assert await budget.left(await desk.creator(), at) == pytest.approx(1)
    assert await budget.left(await desk.creator(), at, before_pings=True) == pytest.approx(5)
    await desk.set_creator(ava, credits_per_day=100)
    assert await budget.left(await desk.creator(), at) == pytest.approx(55)
    assert await budget.left(await desk.creator(), at + DAY) == pytest.approx(90 + 55)


async def test_what_a_week_has_left_may_be_used_in_a_day_and_no_more(office: Office) -> None:
    desk, ava = office.desk, office.desk.agency.ava

    async def spend(tx: Tx) -> None:
        for day, credits_used in (("2026-04-01", 10.0), ("2026-04-02", 90.0), ("2026-04-08", 60.0)):
            await usage.note(tx, day, ava, "poll", calls=1, credits_used=credits_used, errors=0)

    await desk.change(spend)
    budget, at = Budget(desk.store, 100), NOW + 37 * DAY
    # The eighth: the second belongs to the week, the first does not.
    assert await budget.left(await desk.creator(), at) == pytest.approx(90 - 90 + 90 - 60)
    await desk.set_creator(ava, credits_per_day=70)
    # Less a day than the week before had: today's own part is never taken away.
    assert await budget.left(await desk.creator(), at) == pytest.approx(63 - 60)


@pytest.mark.parametrize(
    ("left", "reserved", "polls", "share"),
    [
        # 85 credits less a tenth, a pull of the 50 top fans to come: one fan a poll.
        (76.5, 51, 23, 1),
        (76.5, 0, 24, 3),
        (50, 51, 10, 0),
        (5, 0, 0, 5),
        (0.5, 0, 1, 0),
    ],
)
def test_the_polls_of_a_day_share_what_is_left_of_it(
    left: float, reserved: float, polls: int, share: int
) -> None:
    assert poll_share(left, reserved, polls) == share


@pytest.mark.parametrize(
    ("now", "zone", "hours"),
    [
        (NOW, None, 16),
        (NOW, "Europe/Paris", 15),
        (NOW, "Pacific/Auckland", 3),
        # The day on which the clocks go forward.
        (NOW + 26 * DAY + 15 * HOUR, "Europe/Paris", 23),
    ],
)
def test_a_day_ends_at_the_agencys_midnight(now: int, zone: str | None, hours: int) -> None:
    assert next_midnight(now, zone) - now == hours * HOUR


async def test_what_is_asked_side_by_side_is_counted_once(office: Office) -> None:
    begun, over = asyncio.Event(), asyncio.Event()
    work = partial(noting, office.desk.store, office.api, office.desk.agency.ava, now_ms=lambda: NOW)

    async def night() -> None:
        async with work("night") as used:
            begun.set()
            await over.wait()
            assert used() == 0
            # A page that is fetched ahead is a task of its own.
            await asyncio.create_task(office.api.get_fans(AVA, ["1"]))
            assert used() == 1

    async def look() -> None:
        await begun.wait()
        async with work("refresh"):
            await office.api.get_fans(AVA, ["2"])
        over.set()

    async with asyncio.timeout(20):
        await asyncio.gather(night(), look())
    spent = {row["purpose"]: (row["calls"], row["credits"]) for row in await office.desk.rows(api_usage)}
    assert (spent["night"], spent["refresh"]) == ((1, 1), (1, 1))


async def test_a_night_goes_through_all_payers_where_a_day_holds_them(office: Office) -> None:
    """What yesterday cost, its night aside, five calls and one for each twenty payers: 85 % of 40 credits are 34."""
    desk = office.desk
    await desk.set_creator(desk.agency.ava, credits_per_day=40)
    creator, budget = await desk.creator(), Budget(desk.store)
    later = NOW + 3 * DAY
    assert await budget.holds_all(creator, 580, later)
    assert not await budget.holds_all(creator, 581, later)

    async def yesterday(tx: Tx) -> None:
        for purpose, cost in (("poll", 9), ("night", 30), ("walk", 100)):
            await usage.note(tx, "2026-03-04", creator.id, purpose, calls=cost, credits_used=cost, errors=0)

    await desk.store.write(yesterday)
    assert await budget.holds_all(creator, 400, later)
    assert not await budget.holds_all(creator, 401, later)
