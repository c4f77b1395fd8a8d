"""Winbacks on a real database: handing out, closing, refilling, taking back."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from sqlalchemy import select

from bot.domain.due import DueError, parse_due
from bot.domain.models import AccessTier, FanRecord, Viewer
from bot.domain.winbacks import Outcome, Winback, WinbackKind, WinbackState
from bot.services.my_work import MyWorkService
from bot.services.winback_spreads import SpreadOrder, SpreadResult, SpreadService
from bot.services.winbacks import UNDO_MS, CandidateFilter, WinbackService
from storage import fans, roster, transactions, winbacks
from storage.engine import AgencyStore, Storage, Tx
from storage.tables import audit_log
from tests.storage.conftest import DAY, NOW, ROSTER
from tests.storage.records import fan, payment

CHATTER, LEAD_ID, MANAGER_ID, BEN_ID = 301, 302, 303, 304


@dataclass
class Desk:
    """The agency of ROSTER with its services; `now` can be set. Ava's and Bea's fans are kept by platform id."""

    store: AgencyStore
    ava: int
    bea: int
    now: int = NOW
    ids: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.winbacks = WinbackService(self.store, self)
        self.spreads = SpreadService(self.store, self)
        self.work = MyWorkService(self.store, self)
        both = frozenset({self.ava, self.bea})
        self.lead = Viewer(LEAD_ID, AccessTier.LEAD, both)
        self.manager = Viewer(MANAGER_ID, AccessTier.MANAGER, both)
        self.ana = Viewer(CHATTER, AccessTier.CHATTER, frozenset({self.ava}))
        self.ben = Viewer(BEN_ID, AccessTier.CHATTER, frozenset({self.bea}))

    def now_ms(self) -> int:
        return self.now

    async def keep(self, creator_id: int, records: list[FanRecord], paid: list[Any] | None = None) -> None:
        async def write(tx: Tx) -> None:
            await fans.apply_fan_page(tx, creator_id, records, self.now, 1)
            await transactions.apply_transactions(tx, creator_id, paid or [], self.now)
            keys = [record.platform_fan_id for record in records]
            self.ids |= await fans.ids_by_platform(tx, creator_id, keys)

        await self.store.write(write)

    async def gone(self, creator_id: int, *numbers: int) -> None:
        """Fans whose subscription ended; the smaller the number, the more they used to spend a month."""
        await self.keep(
            creator_id,
            [
                fan(
                    str(n),
                    subscribed=False,
                    expires_at=NOW - DAY,
                    total_cents=10**6 - n,
                    last_seen_at=NOW - 40 * DAY,
                )
                for n in numbers
            ],
            [payment(f"p{n}", str(n), amount_cents=10**6 - n, occurred_at=NOW - 40 * DAY) for n in numbers],
        )

    async def viewer(self, user_id: int) -> Viewer | None:
        """Stands in for Discord: who these people are there."""
        known = (self.lead, self.manager, self.ana, self.ben)
        return next((one for one in known if one.user_id == user_id), None)

    async def open_ones(self) -> list[Winback]:
        async with self.store.read() as tx:
            rows, _ = await winbacks.list_page(
                tx, {self.ava, self.bea}, None, "open", self.now, offset=0, limit=10_000
            )
        return rows

    async def of_fan(self, number: int) -> Winback:
        async with self.store.read() as tx:
            found = await winbacks.find_latest_of_fan(tx, self.ids[str(number)])
        assert found is not None
        return found

    async def assign(self, number: int, assignee: Viewer, **values: Any) -> str:
        terms = {"due_at": None, "note": None} | values
        result = await self.winbacks.assign(self.lead, self.ids[str(number)], assignee, **terms)
        return result.status

    async def close(self, viewer: Viewer, row: Winback, outcome: Outcome = Outcome.KEPT) -> Winback | None:
        """Close it; the refill."""
        result = await self.winbacks.close(viewer, row.id, outcome, None, self.viewer)
        assert result.status == "done"
        return result.refill

    async def spread(
        self, top: int, per_person: int, *people: Viewer, request: str = "r", **asked: Any
    ) -> SpreadResult:
        order = SpreadOrder(CandidateFilter(**asked), top, per_person, NOW + 3 * DAY, request)
        return await self.spreads.spread(self.lead, order, people)

    async def audit(self) -> Counter[str]:
        async with self.store.read() as tx:
            rows = await tx.all(select(audit_log.c.action).where(audit_log.c.agency_id == tx.agency_id))
        return Counter(row.action for row in rows)


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with await Storage.open(f"sqlite:///{tmp_path}/fanwatch.db") as storage:
        store = storage.agency(await roster.apply_roster(storage, ROSTER, NOW))
        async with store.read() as tx:
            ids = {creator.name: creator.id for creator in await roster.list_creators(tx)}
        yield Desk(store, ids["Ava"], ids["Bea"])


class TestCandidates:
    async def test_a_page_says_what_all_of_them_hold(self, desk: Desk) -> None:
        await desk.gone(desk.ava, *range(1, 13))
        await desk.keep(desk.ava, [fan("50", subscribed=False, expires_at=NOW - DAY, total_cents=5)])
        page = await desk.winbacks.candidates(desk.lead, CandidateFilter(limit=11), 7, 10)
        assert [row.fan.platform_fan_id for row in page.rows] == ["11"]
        assert (page.page, page.pages, page.total, page.more, page.unknown) == (1, 2, 13, False, 1)
        assert page.pace_cents == sum(round((10**6 - n) / 3) for n in range(1, 13))
        assert (page.first, round(page.share, 2)) == (10, 0.83)
        assert page.hooks[desk.ids["11"]].purchase_cents == 10**6 - 11

    async def test_only_the_viewers_creators_are_looked_at(self, desk: Desk) -> None:
        await desk.gone(desk.ava, 1)
        await desk.gone(desk.bea, 2)

        async def seen(viewer: Viewer, **asked: Any) -> list[str]:
            page = await desk.winbacks.candidates(viewer, CandidateFilter(**asked), 0, 10)
            return [row.fan.platform_fan_id for row in page.rows]

        assert await seen(desk.lead) == ["1", "2"]
        assert await seen(desk.lead, creator_id=desk.bea) == ["2"]
        assert await seen(desk.ana, creator_id=desk.bea) == await seen(desk.ana, creator_id=99) == []
        assert await seen(desk.lead, kind=WinbackKind.QUIET) == []
        assert (await desk.audit())["view_winbacks"] == 5


class TestAssigning:
    async def test_one_fan_has_one_open_winback(self, desk: Desk) -> None:
        await desk.gone(desk.ava, 1)
        assert await desk.assign(1, desk.ana, due_at=NOW + DAY) == "assigned"
        assert await desk.assign(1, desk.ana) == "already"
        assert await desk.assign(1, desk.ana, note="be kind") == "changed"
        handed = await desk.winbacks.assign(desk.lead, desk.ids["1"], desk.manager, None, None)
        assert (handed.status, handed.before) == ("handed_over", CHATTER)
        (row,) = await desk.open_ones()
        assert (row.assignee_id, row.due_at, row.note) == (MANAGER_ID, NOW + DAY, "be kind")
        assert row.kind is WinbackKind.EXPIRED
        told = await desk.audit()
        assert (told["winback_assigned"], told["winback_changed"], told["winback_handed_over"]) == (1, 1, 1)

    async def test_somebody_without_access_gets_nothing(self, desk: Desk) -> None:
        await desk.gone(desk.ava, 1)
        nobody = Viewer(9, AccessTier.NONE, frozenset())
        assert await desk.assign(1, desk.ben) == await desk.assign(1, nobody) == "no_access"
        await desk.assign(1, desk.ana)
        assert await desk.assign(1, desk.ben, note="x") == "no_access"
        assert [(row.assignee_id, row.note) for row in await desk.open_ones()] == [(CHATTER, None)]

    async def test_a_foreign_fan_and_a_missing_one_are_the_same(self, desk: Desk) -> None:
        await desk.gone(desk.bea, 1)
        blind = Viewer(LEAD_ID, AccessTier.LEAD, frozenset({desk.ava}))
        for fan_id in (desk.ids["1"], 12345):
            result = await desk.winbacks.assign(blind, fan_id, desk.ben, None, None)
            assert result.status == "not_found"
        assert await desk.open_ones() == []

    async def test_a_fan_who_is_no_candidate_can_be_asked_for_too(self, desk: Desk) -> None:
        await desk.keep(desk.ava, [fan("1", total_cents=100, last_seen_at=NOW)])
        assert await desk.assign(1, desk.ana) == "assigned"
        assert (await desk.of_fan(1)).kind is WinbackKind.OTHER

    async def test_due_times_are_read_by_the_clock_of_the_agency(self, desk: Desk) -> None:
        await desk.gone(desk.ava, 1)
        read = await desk.winbacks.read_due("tomorrow 18:00", fan_account_id=desk.ids["1"])
        assert read == parse_due("tomorrow 18:00", NOW, ZoneInfo("Europe/Paris"))
        assert read == await desk.winbacks.read_due("tomorrow 18:00", creator_id=desk.bea)
        with pytest.raises(DueError):
            await desk.winbacks.read_due("yesterday")


class TestClosing:
    async def test_it_is_closed_once_with_its_outcome(self, desk: Desk) -> None:
        await desk.gone(desk.ava, 1)
        await desk.assign(1, desk.ana)
        row = await desk.of_fan(1)
        first = await desk.winbacks.close(desk.ana, row.id, Outcome.WAITING, "wrote", desk.viewer)
        again = await desk.winbacks.close(desk.lead, row.id, Outcome.LOST, None, desk.viewer)
        assert (first.status, again.status) == ("done", "already")
        done = await desk.of_fan(1)
        assert (done.state, done.outcome, done.done_by) == (WinbackState.DONE, Outcome.WAITING, CHATTER)
        assert (await desk.audit())["winback_done"] == 1

    async def test_another_chatter_cannot_and_a_lead_can(self, desk: Desk) -> None:
        await desk.gone(desk.ava, 1)
        await desk.assign(1, desk.ana)
        row = await desk.of_fan(1)
        nia = Viewer(77, AccessTier.CHATTER, frozenset({desk.ava}))
        for viewer, expected in ((nia, "not_yours"), (desk.ben, "not_found"), (desk.lead, "done")):
            result = await desk.winbacks.close(viewer, row.id, Outcome.LOST, None, desk.viewer)
            assert result.status == expected
        assert (
            await desk.winbacks.close(desk.lead, 12345, Outcome.LOST, None, desk.viewer)
        ).status == "not_found"

    async def test_undo_is_for_ten_minutes_and_for_whoever_did_it_or_stands_above(self, desk: Desk) -> None:
        await desk.gone(desk.ava, 1, 2)
        await desk.assign(1, desk.ana)
        row = await desk.of_fan(1)

        async def undo(viewer: Viewer) -> str:
            return (await desk.winbacks.undo_close(viewer, row.id)).status

        assert await undo(desk.ana) == "not_done"
        await desk.close(desk.lead, row)
        assert [await undo(viewer) for viewer in (desk.ana, desk.ben)] == ["not_yours", "not_found"]
        assert await undo(desk.manager) == "reopened"
        assert await undo(desk.manager) == "not_done"
        assert (await desk.of_fan(1)).state is WinbackState.OPEN
        await desk.close(desk.ana, row)
        desk.now += UNDO_MS + 1
        assert await undo(desk.lead) == "too_late"
        desk.now -= 1
        await desk.assign(1, desk.manager)
        assert await undo(desk.lead) == "taken"


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

    async def test_undo_is_for_ten_minutes_and_stopping_for_ever(self, desk: Desk) -> None:
        await desk.gone(desk.ava, 1, 2, 3)
        made = await desk.spread(3, 1, desk.ana)
        desk.now += UNDO_MS + 1
        assert (await desk.spreads.undo(desk.lead, made.spread_id)).status == "too_late"
        stopped = await desk.spreads.stop(desk.lead, made.spread_id)
        assert (stopped.status, stopped.kept) == ("ended", 1)
        assert (await desk.spreads.stop(desk.lead, made.spread_id)).status == "already"
        assert await desk.close(desk.ana, await desk.of_fan(1)) is None
        told = await desk.audit()
        assert (told["winback_spread_stopped"], told["winback_spread_undone"]) == (1, 0)

    async def test_the_team_is_everybody_on_record(self, desk: Desk) -> None:
        assert await desk.spreads.team_ids() == [CHATTER, LEAD_ID]


async def test_my_work_is_within_what_the_viewer_sees(desk: Desk) -> None:
    await desk.gone(desk.ava, *range(1, 13))
    await desk.gone(desk.bea, 20)
    for number in range(1, 13):
        await desk.assign(number, desk.manager, due_at=NOW + number * DAY)
    await desk.assign(20, desk.manager, due_at=NOW + 30)
    desk.now += 60
    mine = await desk.work.load(desk.manager, MANAGER_ID, 0, 10)
    assert [task.work.fan.platform_fan_id for task in mine.tasks] == ["20", *map(str, range(1, 10))]
    assert (mine.page, mine.pages, mine.claims, mine.winbacks, mine.overdue) == (0, 2, 0, 13, 1)
    assert mine.tasks[0].pace_cents == round((10**6 - 20) / 3)
    last = await desk.work.load(desk.manager, MANAGER_ID, 9, 10)
    assert [task.work.fan.platform_fan_id for task in last.tasks] == ["10", "11", "12"]
    seen = await desk.work.load(desk.ben, MANAGER_ID, 0, 10)
    assert [task.work.fan.platform_fan_id for task in seen.tasks] == ["20"]
    assert (await desk.work.load(desk.lead, BEN_ID, 0, 10)).tasks == ()
    assert (await desk.audit())["view_work"] == 4
