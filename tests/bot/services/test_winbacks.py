"""Winbacks on a real database: handing out, closing, taking back, and what is one's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from bot.domain.desk import Outcome
from bot.domain.due import DueError, parse_due
from bot.domain.models import AccessTier, Viewer
from bot.domain.winbacks import WinbackKind, WinbackState
from bot.services.records import UNDO_MS
from bot.services.winbacks import CandidateFilter
from storage import contacts, creator_settings
from tests.bot.services.winback_desk import BEN_ID, CHATTER, LEAD_ID, MANAGER_ID, Desk, open_desk
from tests.storage.conftest import DAY, NOW
from tests.storage.records import fan


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened


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

    async def test_fans_of_a_retired_creator_are_nobodys_candidates(self, desk: Desk) -> None:
        await desk.gone(desk.ava, 1)
        await desk.gone(desk.bea, 2)
        await desk.store.write(lambda tx: creator_settings.retire(tx, desk.bea, NOW))
        for asked in (CandidateFilter(), CandidateFilter(desk.bea)):
            page = await desk.winbacks.candidates(desk.manager, asked, 0, 10)
            assert desk.bea not in {row.creator_id for row in page.rows}
            assert page.total == (1 if asked.creator_id is None else 0)


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

    @pytest.mark.parametrize(("outcome", "counted"), [(Outcome.WAITING, 1), (Outcome.FALSE_ALARM, 0)])
    async def test_it_counts_as_a_contact_until_it_is_taken_back(
        self, desk: Desk, outcome: Outcome, counted: int
    ) -> None:
        await desk.gone(desk.ava, 1)
        await desk.assign(1, desk.ana)
        row = await desk.of_fan(1)

        async def nudges() -> int:
            async with desk.store.read() as tx:
                return (await contacts.load_ledger(tx, row.fan_account_id, desk.now)).nudges

        await desk.winbacks.close(desk.ana, row.id, outcome, None, desk.viewer)
        assert await nudges() == counted
        assert (await desk.winbacks.undo_close(desk.ana, row.id)).status == "reopened"
        assert await nudges() == 0

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
        desk.now += 100 * UNDO_MS
        desk.wall += UNDO_MS
        assert await undo(desk.ana) == "reopened"
        await desk.close(desk.ana, row)
        desk.wall += UNDO_MS + 1
        assert await undo(desk.lead) == "too_late"
        desk.wall -= 1
        await desk.assign(1, desk.manager)
        assert await undo(desk.lead) == "taken"


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
