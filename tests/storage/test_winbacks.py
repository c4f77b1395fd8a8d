"""Candidates and winbacks in the database, on both engines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from bot.domain.desk import Outcome
from bot.domain.models import TransactionKind
from bot.domain.winbacks import ListState, WinbackKind, WinbackState
from storage import winback_candidates, winback_spreads, winbacks
from storage.engine import Tx
from storage.winback_candidates import Candidates, Wanted
from storage.winback_spreads import Spread
from storage.winbacks import NewWinback
from tests.storage.conftest import DAY, NOW, Agency
from tests.storage.records import fan, payment
from tests.storage.winback_fans import ANA, BEN, gone, keep, silent


async def candidates(agency: Agency, pool: int = 100, **asked: Any) -> Candidates:
    wanted = Wanted(**({"creator_ids": frozenset({agency.ava})} | asked))
    async with agency.store.read() as tx:
        return await winback_candidates.read_candidates(tx, wanted, NOW, pool)


async def names(agency: Agency, **asked: Any) -> list[str]:
    return [one.fan.platform_fan_id for one in (await candidates(agency, **asked)).ranked]


async def give(agency: Agency, fan_account_id: int, user_id: int = BEN, **values: Any) -> int:
    made = NewWinback(agency.ava, fan_account_id, WinbackKind.EXPIRED, user_id, ANA, None)

    async def write(tx: Tx) -> int:
        (winback_id,) = await winbacks.add(tx, [replace(made, **values)], NOW)
        return winback_id

    return await agency.store.write(write)


async def test_who_left_after_paying_is_a_candidate_and_who_cannot_be_reached_is_none(agency: Agency) -> None:
    await keep(
        agency,
        [
            gone(1),
            gone(2, expired_now=True, subscribed=True, expires_at=None),
            gone(3, total_cents=0),
            gone(4, total_cents=None),
            gone(5, is_blocked=True),
            gone(6, is_restricted=True),
            gone(7, is_performer=True),
            gone(8, can_receive_messages=False),
            gone(9, username=None, name=None),
            gone(10, expires_at=NOW + DAY),
            gone(11, is_blocked=None, can_receive_messages=None, is_performer=None, is_restricted=None),
            fan("12", total_cents=9_999, last_seen_at=NOW),
        ],
    )
    await keep(agency, [gone(20)], creator_id=agency.bea)
    assert await names(agency) == ["1", "2", "11"]
    assert await names(agency, creator_ids=frozenset({agency.ava, agency.bea})) == ["1", "2", "11", "20"]
    assert await names(agency, creator_ids=frozenset()) == []
    assert await names(agency, kind=WinbackKind.QUIET) == []
    assert await names(agency, min_spent_cents=9_999) == ["1"]


async def test_quiet_is_who_spent_much_and_is_silent_for_twice_his_own_gap(agency: Agency) -> None:
    regular = [payment(f"a{day}", "2", occurred_at=NOW - day * DAY) for day in (70, 40, 10)]
    often = [payment(f"b{day}", "3", occurred_at=NOW - day * DAY) for day in (16, 13, 10)]
    # Rebills are no rhythm of his own: with them he would seem to come every 30 days.
    rebills = [
        payment(f"c{day}", "4", occurred_at=NOW - day * DAY, kind=TransactionKind.SUBSCRIPTION)
        for day in (70, 40, 10)
    ]
    poor = [fan(str(number), total_cents=100, last_seen_at=NOW) for number in range(10, 28)]
    await keep(
        agency,
        [
            silent(1),
            silent(2),
            silent(3),
            silent(4),
            silent(5, last_seen_at=NOW - 6 * DAY),
            silent(6, total_cents=99, subscribed=True),
            silent(7, last_seen_at=None),
            *poor,
        ],
        [*regular, *often, *rebills],
    )
    found = await candidates(agency)
    assert {one.fan.platform_fan_id for one in found.ranked} == {"1", "3", "4"}
    assert {one.kind for one in found.ranked} == {WinbackKind.QUIET}
    assert {one.since_at for one in found.ranked} == {NOW - 10 * DAY}
    assert await names(agency, kind=WinbackKind.EXPIRED) == []


@pytest.mark.parametrize(
    ("spent", "expected"),
    [([], None), ([5], 5), ([1, 2, 3, 4], 3), ([1, 2, 3, 4, 5, 6, 7, 8], 6), ([0, 0, 0, 9], 9)],
)
async def test_much_is_the_75th_percentile_of_who_paid(
    agency: Agency, spent: list[int], expected: int | None
) -> None:
    await keep(agency, [fan(str(number), total_cents=cents) for number, cents in enumerate(spent)])
    async with agency.store.read() as tx:
        assert await winback_candidates.read_high_spend(tx, agency.ava) == expected


async def test_the_largest_pace_comes_first_and_who_has_none_on_record_last(agency: Agency) -> None:
    paid = [
        payment("a", "1", amount_cents=3_000, occurred_at=NOW - 40 * DAY),
        payment("b", "2", amount_cents=9_000, occurred_at=NOW - 40 * DAY),
        payment("c", "2", amount_cents=90_000, occurred_at=NOW - 200 * DAY),
    ]
    await keep(agency, [gone(1), gone(2), gone(3, total_cents=500_000), gone(4, total_cents=600_000)], paid)
    found = (await candidates(agency)).ranked
    assert [(one.fan.platform_fan_id, one.pace_cents) for one in found] == [
        ("2", 3_000),
        ("1", 1_000),
        ("4", None),
        ("3", None),
    ]
    assert found[0].last_purchase_at == NOW - 40 * DAY
    assert found[0].since_at == NOW - 5 * DAY


async def test_no_more_are_ranked_than_the_pool_holds(agency: Agency) -> None:
    await keep(agency, [gone(number) for number in range(1, 8)])
    await keep(agency, [gone(number) for number in range(11, 18)], creator_id=agency.bea)
    both = frozenset({agency.ava, agency.bea})
    found = await candidates(agency, pool=4, creator_ids=both)
    assert found.more
    assert [one.fan.platform_fan_id for one in found.ranked] == ["1", "2", "3", "4"]
    # Who spends more is found with whichever creator he is.
    await keep(agency, [gone(19, total_cents=90_000)], creator_id=agency.bea)
    found = await candidates(agency, pool=4, creator_ids=both)
    assert [one.fan.platform_fan_id for one in found.ranked] == ["19", "1", "2", "3"]
    assert not (await candidates(agency, pool=15, creator_ids=both)).more


async def test_who_is_turned_down_for_his_rhythm_takes_no_place_in_the_pool(agency: Agency) -> None:
    # Seven who buy every 30 days and have been silent for ten, and behind them two who really are quiet.
    patient = [silent(number, total_cents=60_000 + number) for number in range(1, 8)]
    paid = [
        payment(f"{number}-{day}", str(number), occurred_at=NOW - day * DAY)
        for number in range(1, 8)
        for day in (70, 40, 10)
    ]
    poor = [fan(str(number), total_cents=100, last_seen_at=NOW) for number in range(20, 60)]
    await keep(agency, [*patient, silent(8), silent(9), *poor], paid)
    found = await candidates(agency, pool=2)
    assert ([one.fan.platform_fan_id for one in found.ranked], found.more) == (["8", "9"], False)
    # There is an end to looking, and it is said.
    found = await candidates(agency, pool=0)
    assert (found.ranked, found.more) == ([], True)


async def test_nobody_is_a_candidate_twice(agency: Agency) -> None:
    ids = await keep(agency, [gone(number) for number in range(1, 5)])
    opened, closed, withdrawn = [await give(agency, ids[number]) for number in ("1", "2", "3")]
    await agency.store.write(lambda tx: winbacks.close(tx, closed, Outcome.LOST, None, BEN, NOW - DAY))
    await agency.store.write(lambda tx: winbacks.withdraw(tx, [withdrawn]))
    assert await names(agency) == ["3", "4"]
    # After a month without him he may be tried once more.
    await agency.store.write(lambda tx: winbacks.reopen(tx, closed))
    await agency.store.write(lambda tx: winbacks.close(tx, closed, Outcome.LOST, None, BEN, NOW - 31 * DAY))
    assert await names(agency) == ["2", "3", "4"]
    with pytest.raises(IntegrityError):
        await give(agency, ids["1"])
    async with agency.store.read() as tx:
        assert (await winbacks.find(tx, opened)) is not None
        assert await winback_candidates.find_kind(tx, ids["4"], NOW) is WinbackKind.EXPIRED
        assert await winback_candidates.find_kind(tx, 5, NOW) is WinbackKind.OTHER


async def test_a_spread_has_each_fan_once(agency: Agency) -> None:
    ids = await keep(agency, [gone(number) for number in range(1, 4)])
    spread = Spread(
        9,
        frozenset({agency.ava}),
        WinbackKind.EXPIRED,
        500,
        (BEN, ANA),
        10,
        5,
        NOW + DAY,
        ANA,
        NOW,
        None,
        None,
        "x",
    )
    await agency.store.write(lambda tx: winback_spreads.add(tx, spread))
    async with agency.store.read() as tx:
        assert await winback_spreads.find(tx, 9) == spread
        assert await winback_spreads.find_by_request(tx, "x") == spread
        assert await winback_spreads.find_by_request(tx, "y") is None
    first = await give(agency, ids["1"], spread_id=9)
    second = await give(agency, ids["2"], spread_id=9, refill_of=first)
    await agency.store.write(lambda tx: winbacks.close(tx, first, Outcome.LOST, None, BEN, NOW - 90 * DAY))
    assert await names(agency) == ["1", "3"]
    assert await names(agency, spread_id=9) == ["3"]
    async with agency.store.read() as tx:
        assert await winback_spreads.count_handed_out(tx, 9) == 2
        assert await winback_spreads.count_open(tx, 9, [BEN, ANA]) == {BEN: 1}
        refill = await winbacks.find_open_refill(tx, first)
        assert refill is not None
        assert refill.id == second
    # Taken back he waits again.
    await agency.store.write(lambda tx: winbacks.withdraw(tx, [second]))
    assert await names(agency, spread_id=9) == ["2", "3"]
    with pytest.raises(IntegrityError):
        await agency.store.write(lambda tx: winback_spreads.add(tx, replace(spread, id=10)))


async def test_a_spread_ends_once_and_goes_on_only_where_it_was_used_up(agency: Agency) -> None:
    spread = Spread(9, frozenset({agency.ava}), None, None, (BEN,), 1, 1, None, ANA, NOW, None, None, "x")
    await agency.store.write(lambda tx: winback_spreads.add(tx, spread))

    async def state() -> tuple[int | None, str | None]:
        async with agency.store.read() as tx:
            found = await winback_spreads.find(tx, 9)
        assert found is not None
        return found.ended_at, found.ended_why

    await agency.store.write(lambda tx: winback_spreads.end(tx, 9, "stopped", NOW))
    await agency.store.write(lambda tx: winback_spreads.end(tx, 9, "used_up", NOW + 1))
    assert await state() == (NOW, "stopped")
    await agency.store.write(lambda tx: winback_spreads.revive(tx, 9, "used_up"))
    assert await state() == (NOW, "stopped")
    await agency.store.write(lambda tx: winback_spreads.revive(tx, 9, "stopped"))
    assert await state() == (None, None)
    await agency.store.write(lambda tx: winback_spreads.mark_undone(tx, 9, NOW + 2))
    assert await state() == (NOW + 2, "undone")


async def test_a_list_shows_what_is_due_first_and_finds_what_is_asked_for(agency: Agency) -> None:
    ids = await keep(agency, [gone(number) for number in range(1, 7)])
    made = {
        "later": await give(agency, ids["1"], due_at=NOW + DAY),
        "late": await give(agency, ids["2"], due_at=NOW - DAY),
        "any": await give(agency, ids["3"]),
        "hers": await give(agency, ids["4"], ANA, due_at=NOW + 2 * DAY),
        "done": await give(agency, ids["5"]),
    }
    await agency.store.write(lambda tx: winbacks.close(tx, made["done"], Outcome.KEPT, "thanks", BEN, NOW))

    async def shown(
        user_id: int | None, state: ListState, creator_ids: set[int], **page: int
    ) -> tuple[list[int], int]:
        async with agency.store.read() as tx:
            rows, total = await winbacks.list_page(
                tx, creator_ids, user_id, state, NOW, **({"offset": 0, "limit": 10} | page)
            )
        return [row.id for row in rows], total

    own = {agency.ava}
    assert await shown(None, "open", own) == ([made[n] for n in ("late", "later", "hers", "any")], 4)
    assert await shown(BEN, "open", own) == ([made[n] for n in ("late", "later", "any")], 3)
    assert await shown(BEN, "overdue", own) == ([made["late"]], 1)
    assert await shown(BEN, "done", own) == ([made["done"]], 1)
    assert await shown(None, "open", own, offset=1, limit=2) == ([made["later"], made["hers"]], 4)
    assert await shown(None, "open", {agency.bea}) == ([], 0)
    assert await shown(None, "open", set()) == ([], 0)
    async with agency.store.read() as tx:
        assert [row.id for row in await winbacks.list_open_of_user(tx, ANA, own)] == [made["hers"]]
        assert await winbacks.read_loads(tx, [BEN, ANA, 5]) == {BEN: 3, ANA: 1}
        done = await winbacks.find_latest_of_fan(tx, ids["5"])
        assert done is not None
        assert (done.state, done.outcome, done.done_by) == (WinbackState.DONE, Outcome.KEPT, BEN)
        assert await winbacks.find_latest_of_fan(tx, ids["6"]) is None


async def test_handing_over_keeps_what_is_not_said_anew(agency: Agency) -> None:
    ids = await keep(agency, [gone(1)])
    winback_id = await give(agency, ids["1"], due_at=NOW + DAY, note="ask about the dog")
    await agency.store.write(
        lambda tx: winbacks.hand_over(tx, winback_id, ANA, BEN, NOW + 5, due_at=None, note=None)
    )
    async with agency.store.read() as tx:
        row = await winbacks.find(tx, winback_id)
    assert row is not None
    assert (row.assignee_id, row.first_assignee_id, row.assigned_by, row.assigned_at) == (
        ANA,
        BEN,
        BEN,
        NOW + 5,
    )
    assert (row.due_at, row.note, row.untouched) == (NOW + DAY, "ask about the dog", False)


async def test_a_fan_who_came_back_is_seen(agency: Agency) -> None:
    ids = await keep(agency, [gone(1), silent(2)])
    left = await give(agency, ids["1"])
    quiet = await give(agency, ids["2"], kind=WinbackKind.QUIET)

    async def back(winback_id: int) -> int | None:
        async with agency.store.read() as tx:
            row = await winbacks.find(tx, winback_id)
        assert row is not None
        return row.back_at

    assert (await back(left), await back(quiet)) == (None, None)
    # A quiet fan's rebill is no sign of life.
    renewed = {"renewed_at": NOW + 2 * DAY, "expires_at": NOW + 32 * DAY}
    await keep(
        agency,
        [fan("1", subscribed_at=NOW + DAY, total_cents=10_000), silent(2, **renewed)],
    )
    assert (await back(left), await back(quiet)) == (NOW + DAY, None)
    await keep(agency, [silent(2, **renewed)], [payment("p", "2", occurred_at=NOW + 3 * DAY)])
    assert await back(quiet) == NOW + 3 * DAY


async def test_many_are_written_at_once(agency: Agency) -> None:
    ids = await keep(agency, [gone(number) for number in range(1, 71)])
    made = [NewWinback(agency.ava, one, WinbackKind.QUIET, BEN, ANA, NOW, "x") for one in ids.values()]
    written = await agency.store.write(lambda tx: winbacks.add(tx, made, NOW))
    async with agency.store.read() as tx:
        assert {row.id for row in await winbacks.list_open_of_user(tx, BEN, {agency.ava})} == set(written)
