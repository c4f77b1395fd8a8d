"""Shifts on real storage: begun and ended by plan, by time and by people."""

from __future__ import annotations

import pytest

from bot.domain.models import MS_PER_HOUR, AccessTier, Viewer
from bot.domain.shifts import PlannedShift
from storage import handovers, on_shift, roster
from tests.bot.jobs.desk import Desk
from tests.bot.jobs.floor import ALL_DAYS, BEN, CARA, MINUTE, MORNING, NINE, ONE, START, Floor
from tests.storage.conftest import DAY, NOW


@pytest.fixture
def floor(desk: Desk) -> Floor:
    return Floor(desk)


# By plan


async def test_the_plan_begins_and_ends_a_session_at_its_times(floor: Floor) -> None:
    await floor.plan(MORNING)
    assert await floor.tick(NINE - 1) == {}
    assert await floor.on() == {}
    assert await floor.tick(NINE) == {"shifts_begun": 1}
    ben = (await floor.on())[BEN]
    assert (ben.source, ben.started_at, ben.until_at, ben.seen_at) == ("plan", NINE, ONE, None)
    assert await floor.tick(ONE - 1) == {}
    assert await floor.tick(ONE) == {"shifts_ended": 1}
    assert await floor.on() == {}
    (row,) = await floor.sessions()
    assert (row["ended_at"], row["ended_how"], row["lapse_at"]) == (ONE, "plan", None)
    # Nothing was left, so nothing is posted.
    assert await floor.desk.cards("h") == []


async def test_who_is_on_by_plan_is_seen_once_they_do_something(floor: Floor) -> None:
    await floor.plan(MORNING)
    await floor.tick(NINE)
    async with floor.store.read() as tx:
        assert await on_shift.is_unseen(tx, BEN)
        assert not await on_shift.is_unseen(tx, CARA)
    assert await floor.store.write(lambda tx: on_shift.note_seen(tx, BEN, NINE + MINUTE))
    assert (await floor.on())[BEN].seen_at == NINE + MINUTE
    assert not await floor.store.write(lambda tx: on_shift.note_seen(tx, BEN, NINE + 2 * MINUTE))
    assert (await floor.on())[BEN].seen_at == NINE + MINUTE


async def test_a_jump_over_a_whole_shift_leaves_no_trace_of_it(floor: Floor) -> None:
    await floor.plan(MORNING)
    assert await floor.tick(START) == {}
    assert await floor.tick(START + DAY) == {}
    assert await floor.sessions() == []


async def test_a_start_that_was_missed_counts_from_the_plan(floor: Floor) -> None:
    await floor.plan(MORNING)
    await floor.tick(NINE + 2 * MS_PER_HOUR)
    assert (await floor.on())[BEN].started_at == NINE


async def test_who_ends_a_planned_shift_early_stays_off_until_the_next(floor: Floor) -> None:
    await floor.plan(MORNING)
    await floor.tick(NINE)
    session = (await floor.on())[BEN]
    at = NINE + MS_PER_HOUR
    await floor.store.write(lambda tx: handovers.end_session(tx, session, at, "end"))
    assert await floor.tick(at + MINUTE) == {}
    assert await floor.tick(ONE - 1) == {}
    assert await floor.tick(NINE + DAY) == {"shifts_begun": 1}


async def test_who_ends_a_shift_of_weeks_stays_off_until_the_next(floor: Floor) -> None:
    whole_day = PlannedShift(BEN, ALL_DAYS, 0, 0, "UTC")
    await floor.plan(whole_day)
    await floor.tick(NINE)
    for day in range(1, 21):
        await floor.tick(NINE + day * DAY)
    (session,) = await floor.sessions()
    assert session["ended_at"] is None
    at = NINE + 20 * DAY + MS_PER_HOUR
    on = (await floor.on())[BEN]
    await floor.store.write(lambda tx: handovers.end_session(tx, on, at, "end"))
    assert await floor.tick(at + MINUTE) == {}
    assert await floor.tick(START - 8 * MS_PER_HOUR + 21 * DAY) == {"shifts_begun": 1}


async def test_a_shift_begun_by_hand_becomes_the_planned_one(floor: Floor) -> None:
    await floor.plan(MORNING)
    await floor.store.write(lambda tx: on_shift.begin_by_claim(tx, floor.ava, BEN, START))
    assert (await floor.on())[BEN].until_at == START + 10 * MS_PER_HOUR
    assert await floor.tick(NINE) == {"shifts_moved": 1}
    assert (await floor.on())[BEN].until_at == ONE
    await floor.tick(ONE)
    assert (await floor.sessions())[0]["ended_how"] == "plan"


async def test_without_a_plan_a_shift_ends_after_ten_hours(floor: Floor) -> None:
    await floor.store.write(lambda tx: on_shift.begin_by_claim(tx, floor.ava, BEN, START))
    assert await floor.tick(START + 10 * MS_PER_HOUR - 1) == {}
    assert await floor.tick(START + 10 * MS_PER_HOUR) == {"shifts_ended": 1}
    assert (await floor.sessions())[0]["ended_how"] == "hours"


async def test_who_has_no_role_any_more_and_who_works_for_nobody_are_not_on(floor: Floor) -> None:
    await floor.plan(MORNING)
    nobody = Viewer(BEN, AccessTier.NONE, frozenset())
    await floor.store.write(lambda tx: roster.put_member(tx, nobody))
    assert await floor.tick(NINE) == {}
    await floor.store.write(
        lambda tx: roster.put_member(tx, Viewer(BEN, AccessTier.CHATTER, frozenset({floor.ava})))
    )
    await floor.desk.set_creator(floor.ava, retired_at=NOW)
    assert await floor.tick(NINE) == {}
    await floor.desk.set_creator(floor.ava, retired_at=None)
    assert await floor.tick(NINE) == {"shifts_begun": 1}
