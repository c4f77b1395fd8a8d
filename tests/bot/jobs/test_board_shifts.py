"""Boards on real storage: who is on, and the new message when somebody comes on shift."""

from __future__ import annotations

import pytest

from bot.domain.base36 import encode
from bot.domain.models import MS_PER_HOUR, MS_PER_S
from bot.domain.shifts import PlannedShift
from storage import on_shift
from tests.bot.jobs.desk import Desk, calm
from tests.bot.jobs.wall import ALL_DAYS, ANA, BEN, MORNING, NINE, ONE, Wall
from tests.storage.conftest import DAY, NOW


@pytest.fixture
def wall(desk: Desk) -> Wall:
    return Wall(desk)


# Shifts


async def test_a_shift_that_begins_gets_a_new_silent_message_once(wall: Wall) -> None:
    await wall.plan(MORNING)
    await wall.desk.start([calm(1)])
    await wall.tick(NOW)
    first = await wall.message()
    assert f"Nobody on now; next: <@{ANA}> <t:{NINE // MS_PER_S}:R>" in first.text
    assert await wall.tick(NINE - 1) == {}

    assert await wall.tick(NINE) == {"boards": 1}

    second = await wall.message()
    assert second.id != first.id
    assert (second.silent, second.mention) == (True, None)
    assert f"On now: <@{ANA}> until <t:{ONE // MS_PER_S}:t>" in second.text
    assert str(second.id) in first.text
    for later in (NINE, NINE + 1, ONE - 1):
        assert await wall.tick(later) == {}
    # Its end is an edit.
    assert await wall.tick(ONE) == {"boards": 1}
    assert await wall.message() is second
    assert "Nobody on now" in second.text


async def test_a_start_is_not_lost_while_the_bot_is_down(wall: Wall) -> None:
    await wall.plan(MORNING)
    await wall.desk.start([calm(1)])
    await wall.tick(NOW)
    first = await wall.message()
    assert await wall.tick(NINE + 3 * DAY + MS_PER_HOUR) == {"boards": 1}
    second = await wall.message()
    assert second.id != first.id
    assert f"until <t:{(ONE + 3 * DAY) // MS_PER_S}:t>" in second.text
    assert len(wall.discord.of_card(encode((await wall.card())["id"]))) == 2


async def test_a_shift_that_is_over_before_anybody_looked_posts_nothing_new(wall: Wall) -> None:
    await wall.plan(MORNING)
    await wall.desk.start([calm(1)])
    await wall.tick(NOW)
    first = await wall.message()
    await wall.tick(ONE + DAY + MS_PER_HOUR)
    assert await wall.message() is first


async def test_a_board_made_during_a_shift_is_not_posted_twice(wall: Wall) -> None:
    await wall.plan(MORNING, PlannedShift(BEN, ALL_DAYS, 10 * 60, 14 * 60, "UTC"))
    await wall.desk.start([calm(1)])
    await wall.tick(NINE + 1)
    assert await wall.tick(NINE + 2) == {}
    first = await wall.message()
    assert f"<@{ANA}>" in first.text
    await wall.tick(NINE + MS_PER_HOUR)
    second = await wall.message()
    assert second.id != first.id
    ana = f"<@{ANA}> until <t:{ONE // MS_PER_S}:t>, not seen yet"
    assert f"On now: {ana}, <@{BEN}> until" in second.text


async def test_two_who_come_together_get_one_new_board_between_them(wall: Wall) -> None:
    await wall.plan(MORNING, PlannedShift(BEN, ALL_DAYS, 9 * 60 + 4, 14 * 60, "UTC"))
    await wall.desk.start([calm(1)])
    await wall.tick(NOW)
    await wall.tick(NINE)
    second = await wall.message()
    await wall.tick(NINE + 4 * 60 * MS_PER_S)
    assert await wall.message() is second
    assert f"<@{BEN}> until" in second.text
    assert len(wall.discord.of_card(encode((await wall.card())["id"]))) == 2


async def test_who_comes_on_by_claiming_is_named_and_the_board_stays_under_their_hands(wall: Wall) -> None:
    await wall.desk.start([calm(1)])
    await wall.tick(NOW)
    first = await wall.message()
    await wall.store.write(lambda tx: on_shift.begin_by_claim(tx, wall.ava, ANA, NOW + 1))
    await wall.tick(NOW + 2)
    assert await wall.message() is first
    assert f"On now: <@{ANA}> until <t:{(NOW + 10 * MS_PER_HOUR) // MS_PER_S}:t>" in first.text


async def test_without_any_shift_nobody_is_missed(wall: Wall) -> None:
    await wall.desk.start([calm(1)])
    await wall.tick(NOW)
    assert "On now" not in (text := (await wall.message()).text)
    assert "Nobody on now" not in text
    assert await wall.tick(NOW + DAY) == {}
