"""Follow-ups on a real database: who may do what, what is put on record, and what can be undone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from bot.domain.due import DueError
from bot.domain.followups import WHAT_CHARS, Followup, FollowupState
from bot.domain.models import AccessTier, Viewer
from bot.services.followups import FollowupResult
from storage.tables import audit_log, contacts, creators, desk_actions, followups
from tests.bot.services.followup_desk import ANA, EVE, HOUR, LEA, Desk, open_desk
from tests.storage.conftest import DAY, NOW


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened


async def test_a_follow_up_is_kept_on_one_line_and_on_record_without_its_text(desk: Desk) -> None:
    row = await desk.add("  Send \n the\x00 set ", promise=True)
    assert (row.what, row.assignee_id, row.promise, row.state) == (
        "Send the set",
        ANA,
        True,
        FollowupState.OPEN,
    )
    assert desk.woken == 1
    assert (ANA, "add_followup") in await desk.audit()
    for table in (audit_log, desk_actions):
        assert [line for line in await desk.rows(table) if "Send" in str(line)] == []


@pytest.mark.parametrize(
    ("text", "status"), [("", "empty"), (" \n\u200b", "empty"), ("x" * (WHAT_CHARS + 1), "too_long")]
)
async def test_what_says_nothing_or_too_much_is_refused(desk: Desk, text: str, status: str) -> None:
    result = await desk.followups.add(desk.ana, desk.fan, text, NOW + DAY, desk.ana, "r", promise=False)
    assert result == FollowupResult(status)  # type: ignore[arg-type]
    assert await desk.rows(followups) == []


async def test_the_same_request_makes_one(desk: Desk) -> None:
    results = await asyncio.gather(
        *(
            desk.followups.add(desk.ana, desk.fan, "Once", NOW + DAY, desk.ana, "form-1", promise=False)
            for _ in range(3)
        )
    )
    assert sorted(result.status for result in results) == ["added", "already", "already"]
    assert len(await desk.rows(followups)) == 1


async def test_a_foreign_fan_and_a_missing_one_give_the_same_answer(desk: Desk) -> None:
    for fan in (desk.foreign, 4_242):
        result = await desk.followups.add(desk.ana, fan, "x", NOW + DAY, desk.ana, "r", promise=False)
        assert result == FollowupResult("not_found")
    row = await desk.add()
    for one in (row.id, 4_242):
        assert await desk.followups.find(desk.ben, one) is None
        for act in (desk.followups.done, desk.followups.take, desk.followups.withdraw):
            assert await act(desk.ben, one) == FollowupResult("not_found")
        assert await desk.followups.put_off(desk.ben, one, row.due_at // 1_000) == FollowupResult("not_found")
    assert (await desk.find(row.id)) == row
    # Nor does a request tell of what another creator's fan has.
    foreign = await desk.followups.add(desk.ben, desk.foreign, "x", NOW + DAY, desk.ben, "r1", promise=False)
    assert foreign == FollowupResult("not_found")


async def test_only_who_may_see_the_fan_can_be_asked(desk: Desk) -> None:
    nobody = Viewer(9, AccessTier.NONE, frozenset({desk.ava}))
    for who in (desk.ben, nobody):
        result = await desk.followups.add(desk.ana, desk.fan, "x", NOW + DAY, who, "r", promise=False)
        assert result.status == "no_access"
    assert (await desk.add(to=desk.eve)).assignee_id == EVE


async def test_due_times_are_those_of_the_creators_clock(desk: Desk) -> None:
    await desk.store.write(
        lambda tx: tx.execute(
            creators.update()
            .where(creators.c.agency_id == tx.agency_id, creators.c.id == desk.ava)
            .values(timezone="Asia/Tokyo")
        )
    )
    # NOW is 17:00 in Tokyo.
    assert await desk.followups.read_due("tomorrow 18:00", desk.fan) == NOW + DAY + HOUR
    with pytest.raises(DueError):
        await desk.followups.read_due("whenever", desk.fan)


# Lists


async def test_lists_come_overdue_first_and_show_own_creators_only(desk: Desk) -> None:
    late = await desk.add("late", due_at=NOW + 2 * DAY, request="a")
    soon = await desk.add("soon", due_at=NOW + HOUR, request="b", to=desk.eve, by=desk.ana)
    desk.now += 3 * HOUR
    page = await desk.followups.list_page(desk.lea, None, None, 0, 10)
    assert [row.id for row in page.rows] == [soon.id, late.id]
    assert page.rows[0].overdue(page.now_ms)
    assert not page.rows[1].overdue(page.now_ms)
    mine = await desk.followups.list_page(desk.ana, None, ANA, 0, 10)
    assert [row.what for row in mine.rows] == ["late"]
    assert (await desk.followups.list_page(desk.ben, None, None, 0, 10)).total == 0
    assert (await desk.followups.list_page(desk.ana, desk.bea, None, 0, 10)).total == 0
    second = await desk.followups.list_page(desk.lea, None, None, 7, 1)
    assert (second.page, second.pages, second.total) == (1, 2, 2)
    assert (LEA, "view_followups") in await desk.audit()


async def test_while_typing_the_own_open_ones_are_offered(desk: Desk) -> None:
    await desk.add("Send the red set", request="a")
    await desk.add("Ask about his dog", request="b")
    await desk.add("Hers", request="c", to=desk.eve)
    assert [row.what for row in await desk.followups.offer(desk.ana, "DOG")] == ["Ask about his dog"]
    assert len(await desk.followups.offer(desk.ana, "")) == 2
    assert len(await desk.followups.offer(desk.ana, "user1")) == 2
    assert await desk.followups.offer(desk.ben, "") == []


# Closing, taking, putting off


async def test_done_counts_as_a_contact_and_once(desk: Desk) -> None:
    row = await desk.add()
    result = await desk.followups.done(desk.ana, row.id, " He was\x00 glad ")
    assert result.status == "done"
    assert result.followup is not None
    assert (result.followup.done_note, result.followup.done_by, result.followup.done_at) == (
        "He was glad",
        ANA,
        NOW,
    )
    assert (await desk.followups.done(desk.lea, row.id)).status == "already"
    assert [(c["user_id"], c["source"]) for c in await desk.rows(contacts)] == [(ANA, "followup")]


async def test_only_whoever_has_it_or_a_lead_closes_it(desk: Desk) -> None:
    row = await desk.add()
    assert (await desk.followups.done(desk.eve, row.id)).status == "not_yours"
    assert (await desk.followups.withdraw(desk.eve, row.id)).status == "not_yours"
    assert (await desk.followups.take(desk.eve, row.id)).status == "taken"
    assert (await desk.followups.take(desk.eve, row.id)).status == "already"
    assert (await desk.followups.done(desk.ana, row.id)).status == "not_yours"
    # Who made it may still withdraw it, and a lead may do either.
    assert (await desk.followups.withdraw(desk.ana, row.id)).status == "withdrawn"
    other = await desk.add(request="r2")
    assert (await desk.followups.done(desk.lea, other.id)).status == "done"


async def test_what_is_put_off_comes_the_next_day_at_the_same_time_and_once(desk: Desk) -> None:
    row = await desk.add(due_at=NOW + HOUR)
    desk.now = NOW + 5 * HOUR
    result = await desk.followups.put_off(desk.eve, row.id, row.due_at // 1_000)
    assert result.followup is not None
    assert result.followup.due_at == NOW + HOUR + DAY
    assert (await desk.followups.put_off(desk.eve, row.id, row.due_at // 1_000)).status == "already"
    assert (await desk.find(row.id)).due_at == NOW + HOUR + DAY


async def _done(desk: Desk, row: Followup) -> FollowupResult:
    return await desk.followups.done(desk.ana, row.id, "note")


async def _withdrawn(desk: Desk, row: Followup) -> FollowupResult:
    return await desk.followups.withdraw(desk.ana, row.id)


async def _put_off(desk: Desk, row: Followup) -> FollowupResult:
    return await desk.followups.put_off(desk.ana, row.id, row.due_at // 1_000)


@pytest.mark.parametrize("act", [_done, _withdrawn, _put_off])
async def test_undo_puts_it_back_as_it_was(
    desk: Desk, act: Callable[[Desk, Followup], Awaitable[FollowupResult]]
) -> None:
    row = await desk.add()
    result = await act(desk, row)
    assert result.action_id is not None
    assert await desk.find(row.id) != row
    assert await desk.undo(desk.ana)
    assert await desk.find(row.id) == row
    assert all(one["undone_at"] == NOW for one in await desk.rows(contacts))


async def test_undo_of_adding_and_of_taking(desk: Desk) -> None:
    row = await desk.add()
    await desk.followups.take(desk.eve, row.id)
    assert await desk.undo(desk.eve)
    assert (await desk.find(row.id)).assignee_id == ANA
    assert await desk.undo(desk.ana)
    assert (await desk.find(row.id)).state is FollowupState.WITHDRAWN


async def test_what_somebody_has_changed_since_is_not_undone(desk: Desk) -> None:
    row = await desk.add()
    await desk.followups.take(desk.eve, row.id)
    await desk.followups.take(desk.lea, row.id)
    assert not await desk.undo(desk.eve)
    assert (await desk.find(row.id)).assignee_id == LEA
    await desk.followups.done(desk.lea, row.id)
    # It was added by Ana, but it is done: there is nothing to take back.
    assert not await desk.undo(desk.ana)
    assert (await desk.find(row.id)).state is FollowupState.DONE


async def test_undo_of_adding_leaves_what_a_colleague_has_taken_or_put_off(desk: Desk) -> None:
    taken = await desk.add()
    await desk.followups.take(desk.eve, taken.id)
    assert not await desk.undo(desk.ana)
    found = await desk.find(taken.id)
    assert (found.state, found.assignee_id) == (FollowupState.OPEN, EVE)
    later = await desk.add(request="another")
    result = await desk.followups.put_off(desk.eve, later.id, later.due_at // 1_000)
    assert result.status == "put_off"
    assert not await desk.undo(desk.ana)
    found = await desk.find(later.id)
    assert found.state is FollowupState.OPEN
    assert found == result.followup
