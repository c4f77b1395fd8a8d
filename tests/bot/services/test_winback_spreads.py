"""Spreads on a real database: handing out many at once, refilling, taking back."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from bot.domain.models import AccessTier, Viewer
from bot.domain.winbacks import WinbackKind
from bot.services.records import UNDO_MS
from tests.bot.services.winback_desk import BEN_ID, CHATTER, LEAD_ID, MANAGER_ID, Desk, open_desk
from tests.storage.conftest import DAY, NOW
from tests.storage.records import fan


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened


class TestSpreading:
    async def test_the_largest_go_to_who_sees_the_creator_and_the_rest_wait(self, desk: Desk) -> None:
        await desk.gone(desk.ava, 1, 2, 3, 4, 5)
        await desk.gone(desk.bea, 6, 7)
        result = await desk.spread(6, 2, desk.ana, desk.ben, Viewer(9, AccessTier.NONE, frozenset()))
        assert result.status == "spread"
        assert {share.user_id: share.count for share in result.shares} == {CHATTER: 2, BEN_ID: 2}
        assert (result.waiting, result.left_out) == (2, (9,))
        held = {row.fan.platform_fan_id: row.assignee_id for row in await desk.open_ones()}
        assert held == {"1": CHATTER, "2": CHATTER, "6": BEN_ID, "7": BEN_ID}
        assert {row.due_at for row in await desk.open_ones()} == {NOW + 3 * DAY}
        assert (await desk.audit())["winback_spread"] == 1

    async def test_who_has_much_to_do_gets_less(self, desk: Desk) -> None:
        await desk.gone(desk.ava, *range(1, 8))
        for number in (5, 6, 7):
            await desk.assign(number, desk.ana)
        await desk.spread(4, 10, desk.ana, desk.manager)
        loads = Counter(row.assignee_id for row in await desk.open_ones())
        assert loads == {CHATTER: 4, MANAGER_ID: 3}

    async def test_the_same_order_twice_is_one(self, desk: Desk) -> None:
        await desk.gone(desk.ava, *range(1, 8))
        first = await desk.spread(2, 2, desk.ana)
        again = await desk.spread(2, 2, desk.ana)
        assert (again.status, again.spread_id) == ("already", first.spread_id)
        assert len(await desk.open_ones()) == 2
        other = await desk.spread(2, 2, desk.ana, request="another")
        assert other.status == "spread"
        assert len({row.fan_account_id for row in await desk.open_ones()}) == 4

    async def test_with_nobody_able_or_nothing_to_do_nothing_is_made(self, desk: Desk) -> None:
        await desk.gone(desk.ava, 1)
        assert (await desk.spread(5, 5, desk.ben, creator_id=desk.ava)).status == "nobody"
        assert (await desk.spread(5, 5)).status == "nobody"
        assert (await desk.spread(5, 5, desk.ben)).status == "no_candidates"
        assert (await desk.spread(5, 5, desk.ana, kind=WinbackKind.QUIET)).status == "no_candidates"
        assert await desk.open_ones() == []

    async def test_four_hundred_are_worked_off_with_every_one_refilled_exactly_once(self, desk: Desk) -> None:
        await desk.gone(desk.ava, *range(1, 251))
        await desk.gone(desk.bea, *range(251, 421))
        result = await desk.spread(1_000, 50, desk.ana, desk.ben)
        assert (sum(share.count for share in result.shares), result.waiting) == (100, 320)
        done: list[str] = []
        refills: list[str] = []
        held = await desk.open_ones()
        while held:
            row = held.pop(len(done) % len(held))
            refill = await desk.close(desk.ana if row.assignee_id == CHATTER else desk.ben, row)
            done.append(row.fan.platform_fan_id)
            if refill is not None:
                assert refill.assignee_id == row.assignee_id
                refills.append(refill.fan.platform_fan_id)
                held.append(refill)
        assert await desk.open_ones() == []
        assert sorted(done, key=int) == [str(number) for number in range(1, 421)]
        assert len(refills) == len(set(refills)) == 320
        assert sorted(refills, key=int) == [*map(str, range(51, 251)), *map(str, range(301, 421))]
        mine = [int(name) for name in refills if int(name) <= 250]
        assert mine == sorted(mine)

    async def test_no_more_than_ordered_are_handed_out(self, desk: Desk) -> None:
        await desk.gone(desk.ava, *range(1, 10))
        await desk.spread(3, 2, desk.ana)
        first, second = sorted(await desk.open_ones(), key=lambda row: row.fan.platform_fan_id)
        refill = await desk.close(desk.ana, first)
        assert refill is not None
        assert refill.fan.platform_fan_id == "3"
        assert await desk.close(desk.ana, second) is None
        assert len(await desk.open_ones()) == 1

    async def test_a_candidate_who_has_vanished_is_passed_over(self, desk: Desk) -> None:
        await desk.gone(desk.ava, 1, 2, 3, 4)
        await desk.spread(4, 1, desk.ana)
        await desk.keep(desk.ava, [fan("2", is_blocked=True), fan("3", total_cents=100, last_seen_at=NOW)])
        refill = await desk.close(desk.ana, await desk.of_fan(1))
        assert refill is not None
        assert refill.fan.platform_fan_id == "4"

    async def test_the_room_is_the_assignees_whoever_closes(self, desk: Desk) -> None:
        await desk.gone(desk.ava, 1, 2, 3)
        await desk.spread(3, 1, desk.ana)
        refill = await desk.close(desk.lead, await desk.of_fan(1))
        assert refill is not None
        assert refill.assignee_id == CHATTER
        # Who no longer sees the creator gets nothing more.
        desk.ana = Viewer(CHATTER, AccessTier.CHATTER, frozenset())
        assert await desk.close(desk.lead, refill) is None

    async def test_what_was_handed_over_makes_room_for_who_had_it_first(self, desk: Desk) -> None:
        await desk.gone(desk.ava, 1, 2, 3)
        await desk.spread(3, 1, desk.ana)
        await desk.assign(1, desk.manager)
        refill = await desk.close(desk.manager, await desk.of_fan(1))
        assert refill is not None
        assert (refill.assignee_id, refill.fan.platform_fan_id) == (CHATTER, "2")

    async def test_undoing_a_close_takes_an_untouched_refill_back(self, desk: Desk) -> None:
        await desk.gone(desk.ava, 1, 2, 3)
        await desk.spread(3, 1, desk.ana)
        row = await desk.of_fan(1)
        await desk.close(desk.ana, row)
        result = await desk.winbacks.undo_close(desk.ana, row.id)
        assert (result.status, result.taken_back) == ("reopened", True)
        assert [one.fan.platform_fan_id for one in await desk.open_ones()] == ["1"]
        # The one taken back is the next again; handed over meanwhile it stays.
        assert await desk.close(desk.ana, row) is not None
        await desk.assign(2, desk.manager)
        result = await desk.winbacks.undo_close(desk.ana, row.id)
        assert (result.status, result.taken_back) == ("reopened", False)
        assert {one.fan.platform_fan_id for one in await desk.open_ones()} == {"1", "2"}

    async def test_undo_withdraws_what_nobody_touched_and_ends_the_refills(self, desk: Desk) -> None:
        await desk.gone(desk.ava, 1, 2, 3, 4, 5, 6)
        made = await desk.spread(6, 3, desk.ana)
        await desk.assign(2, desk.manager)
        await desk.close(desk.ana, await desk.of_fan(1))
        chief = Viewer(999, AccessTier.LEAD, frozenset({desk.ava}))
        assert (await desk.spreads.undo(chief, made.spread_id)).status == "not_yours"
        undone = await desk.spreads.undo(desk.lead, made.spread_id)
        assert (undone.status, undone.taken_back, undone.kept) == ("ended", 2, 2)
        assert [row.fan.platform_fan_id for row in await desk.open_ones()] == ["2"]
        assert (await desk.spreads.undo(desk.lead, made.spread_id)).status == "already"
        assert await desk.close(desk.manager, await desk.of_fan(2)) is None
        assert (await desk.spreads.undo(desk.lead, 12345)).status == "not_found"
        blind = Viewer(LEAD_ID, AccessTier.LEAD, frozenset())
        assert (await desk.spreads.undo(blind, made.spread_id)).status == "not_found"

    async def test_what_was_taken_back_cannot_be_opened_by_an_old_button(self, desk: Desk) -> None:
        await desk.gone(desk.ava, 1)
        made = await desk.spread(1, 1, desk.ana)
        (row,) = await desk.open_ones()
        await desk.close(desk.ana, row)
        assert (await desk.winbacks.undo_close(desk.ana, row.id)).status == "reopened"
        assert (await desk.spreads.undo(desk.lead, made.spread_id)).taken_back == 1
        assert (await desk.winbacks.undo_close(desk.ana, row.id)).status == "not_found"
        assert await desk.open_ones() == []

    async def test_undo_is_for_ten_minutes_and_stopping_for_ever(self, desk: Desk) -> None:
        await desk.gone(desk.ava, 1, 2, 3)
        made = await desk.spread(3, 1, desk.ana)
        # However fast the agency's clock runs: the ten minutes are the machine's.
        desk.now += 100 * UNDO_MS
        desk.wall += UNDO_MS + 1
        assert (await desk.spreads.undo(desk.lead, made.spread_id)).status == "too_late"
        stopped = await desk.spreads.stop(desk.lead, made.spread_id)
        assert (stopped.status, stopped.kept) == ("ended", 1)
        assert (await desk.spreads.stop(desk.lead, made.spread_id)).status == "already"
        assert await desk.close(desk.ana, await desk.of_fan(1)) is None
        told = await desk.audit()
        assert (told["winback_spread_stopped"], told["winback_spread_undone"]) == (1, 0)

    async def test_the_team_is_everybody_on_record(self, desk: Desk) -> None:
        assert await desk.spreads.team_ids() == [CHATTER, LEAD_ID]
