"""Whom an action item that nobody claims goes to as time passes, once each."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import update

from bot.domain.calm import QuietHours
from bot.domain.desk import MS_PER_MINUTE, DeskRules
from bot.domain.escalation import LEAD
from bot.domain.models import AccessTier, Viewer
from bot.domain.snoozing import SnoozeFor
from bot.jobs.calm import CalmJob
from storage import claims, creator_settings, escalations, holds, on_shift, quiet_hours, roster, timings
from storage.engine import Tx
from storage.episodes import leave_mention
from storage.tables import episodes
from tests.bot.jobs.desk import NINE_DAYS, Breaks, Desk, calm, leaving
from tests.bot.jobs.watch import ANA, BEN, LEA, MANAGER_ROLE, Watch, open_watch
from tests.storage.conftest import DAY

A_WEEK = 7 * 24 * 60


@pytest_asyncio.fixture
async def watch(desk: Desk) -> AsyncIterator[Watch]:
    opened = await open_watch(desk)
    yield opened
    await opened.stop()


async def test_it_goes_up_by_time_on_shift_and_only_once(watch: Watch) -> None:
    assert await watch.calls(A_WEEK) == []  # nobody was on
    await watch.begin(BEN)
    assert await watch.calls(14) == []
    assert await watch.calls(1) == [LEA]
    assert (await watch.episode())["owner_id"] == LEA
    assert f"Not claimed in time: now with <@{LEA}>" in (await watch.shown()).text
    watch.start()
    assert await watch.calls(44) == []
    await watch.end(BEN)
    assert await watch.calls(A_WEEK) == []
    watch.start()
    await watch.begin(ANA)
    assert await watch.calls(1) == [MANAGER_ROLE]
    assert await watch.calls(A_WEEK) == []
    assert (await watch.desk.events("1"))[-2:] == ["escalated", "escalated"]
    assert len(watch.discord.of_card((await watch.shown()).card)) == 3


async def test_what_cannot_be_due_is_not_read_each_second(watch: Watch) -> None:
    async def read() -> list[str]:
        async with watch.desk.store.read() as tx:
            return [due.timer for due in await escalations.list_due(tx, watch.now, watch.rules)]

    watch.now += 30 * MS_PER_MINUTE
    assert await read() == []  # nobody was on
    await watch.begin(BEN)
    watch.now += 1
    assert await read() == ["escalated"]
    await watch.tick(15)
    assert await read() == []  # the lead has it, and the manager's turn comes later
    watch.now += 60 * MS_PER_MINUTE
    assert await read() == ["escalated"]


async def test_a_card_posted_anew_keeps_the_time_from_its_score(watch: Watch) -> None:
    async def measured() -> list[int]:
        async with watch.desk.store.read() as tx:
            return await timings.score_to_card_ms(tx)

    before = await measured()
    await watch.begin(BEN)
    assert await watch.calls(15) == [LEA]
    assert len(before) == 1
    assert await measured() == before


async def test_a_week_at_once_calls_once_for_a_card(watch: Watch) -> None:
    await watch.begin(ANA, hours=9)
    assert await watch.calls(A_WEEK) == [MANAGER_ROLE]
    assert await watch.tick() == {}


async def test_a_shift_whose_end_nobody_wrote_down_counts_to_its_end(watch: Watch) -> None:
    await watch.begin(ANA, hours=0.5)
    # On for half an hour of the two that have passed.
    assert await watch.calls(120) == [LEA]
    assert await watch.calls(A_WEEK) == []


@pytest.mark.parametrize("is_over", [False, True])
async def test_the_time_of_a_session_of_weeks_counts(watch: Watch, is_over: bool) -> None:
    began = watch.now - 30 * DAY
    await watch.desk.change(
        lambda tx: on_shift.begin(
            tx, watch.desk.agency.ava, BEN, "plan", began, watch.now + DAY, started_at=began
        )
    )
    if is_over:
        watch.now += 15 * MS_PER_MINUTE
        await watch.end(BEN)
    assert await watch.calls(0 if is_over else 15) == [LEA]


@pytest.mark.parametrize("stop", ["claim", "snooze"])
async def test_a_claim_and_a_snooze_stop_it_and_their_end_begins_it_anew(watch: Watch, stop: str) -> None:
    await watch.begin(ANA, hours=100)
    episode_id = await watch.id_of()
    await watch.tick(10)
    if stop == "claim":
        assert (await watch.cards.claim(watch.ben, episode_id)).status == "claimed"
        assert await watch.calls(100) == []
        assert (await watch.cards.release(watch.ben, episode_id)).status == "released"
    else:
        assert (await watch.snoozing.snooze(watch.ben, episode_id, SnoozeFor.DAYS)).status == "snoozed"
        assert await watch.calls(100) == []
        assert (await watch.snoozing.wake(watch.ben, episode_id)).status == "woken"
    assert await watch.calls(14) == []
    assert await watch.calls(1) == [LEA]


@pytest.mark.parametrize(("minutes", "called"), [(60, [MANAGER_ROLE]), (15, [LEA])])
async def test_what_is_given_back_calls_again_whoever_it_had_gone_up_to(
    watch: Watch, minutes: int, called: list[int]
) -> None:
    await watch.begin(ANA, hours=100)
    episode_id = await watch.id_of()
    assert await watch.calls(60) == [MANAGER_ROLE]
    assert (await watch.cards.claim(watch.ben, episode_id)).status == "claimed"
    assert await watch.calls(60) == []
    assert (await watch.cards.release(watch.ben, episode_id)).status == "released"
    assert await watch.calls(0) == []
    assert await watch.calls(minutes) == called
    assert await watch.calls(60 - minutes) == ([MANAGER_ROLE] if minutes == 15 else [])
    assert await watch.calls(A_WEEK) == []


async def test_the_lead_and_the_manager_on_shift_come_first(desk: Desk) -> None:
    watch = await open_watch(desk)

    async def staff(tx: Tx) -> None:
        await roster.add_lead(tx, desk.agency.ava, 400)
        for user_id in (500, 501):
            await roster.put_member(tx, Viewer(user_id, AccessTier.MANAGER, frozenset()))

    await desk.change(staff)
    await watch.begin(400)
    await watch.begin(501)
    assert await watch.calls(15) == [400]
    assert await watch.calls(45) == [501]
    await watch.stop()


async def test_whoever_has_it_already_is_not_called_again(desk: Desk) -> None:
    watch = await open_watch(desk)
    await desk.change(
        lambda tx: tx.execute(
            update(episodes).where(episodes.c.agency_id == tx.agency_id).values(owner_id=LEA)
        )
    )
    await watch.begin(ANA)
    assert await watch.calls(15) == []
    assert await watch.calls(45) == [MANAGER_ROLE]
    await watch.stop()


@pytest.mark.parametrize("ticks", [(15, 25), (40,)])
async def test_a_mention_that_waits_outlives_a_stage_that_calls_nobody(
    watch: Watch, ticks: tuple[int, ...]
) -> None:
    minute = watch.now // MS_PER_MINUTE % 1440
    asleep = QuietHours(minute, (minute + 40) % 1440, "UTC")
    episode_id = await watch.id_of()

    async def hold_back(tx: Tx) -> None:
        await quiet_hours.set_hours(tx, asleep, LEA, watch.now, user_id=LEA)
        await claims.set_work(tx, episode_id, owner_kind="user", owner_id=LEA)
        await leave_mention(tx, [episode_id], "held", watch.now + 40 * MS_PER_MINUTE)

    await watch.desk.change(hold_back)
    await watch.begin(ANA)
    assert [await watch.calls(minutes) for minutes in ticks] == [*[[] for _ in ticks[1:]], [LEA]]
    assert (await watch.episode())["escalation_stage"] == LEAD


@pytest.mark.parametrize("gone_to", ["owner", "lead"])
async def test_nobody_is_called_about_a_fan_on_hold_and_the_clock_begins_anew_after_it(
    watch: Watch, gone_to: str
) -> None:
    await watch.begin(ANA, hours=100)
    if gone_to == "lead":
        assert await watch.calls(15) == [LEA]
    row, until = await watch.episode(), watch.now + DAY
    await watch.desk.change(
        lambda tx: holds.set_hold(tx, row["creator_id"], row["fan_account_id"], until, "ill", LEA, watch.now)
    )
    assert await watch.calls(600) == []
    assert await watch.calls(14 * 60) == []
    await CalmJob(watch.desk.store).run_due(watch.now)
    assert await watch.calls(14) == []
    assert await watch.calls(1) == ([LEA] if gone_to == "owner" else [])
    assert await watch.calls(45) == [MANAGER_ROLE]


async def test_what_is_over_is_not_escalated(watch: Watch) -> None:
    await watch.begin(ANA)
    await watch.desk.keep([calm(1, last_seen_at=watch.now, expires_at=watch.now + 90 * DAY)], watch.now)
    await watch.desk.score(watch.now + 1)
    assert (await watch.episode())["tier"] != "action"
    assert await watch.calls(100) == []


async def test_a_creator_who_has_retired_calls_nobody(watch: Watch) -> None:
    await watch.begin(ANA)
    await watch.desk.set_creator(watch.desk.agency.ava, retired_at=watch.now)
    assert await watch.calls(120) == []


async def _thresholds(watch: Watch, action_above: float) -> None:
    """A manager sets them, and the run that is due by it looks at everybody in silence."""
    ava = await watch.desk.creator()
    watch.now += 1
    values = {"fire_above": 50.0, "action_above": action_above}
    await watch.desk.change(lambda tx: creator_settings.change(tx, ava, values, 9, watch.now))
    await watch.desk.score(watch.now)
    # One card says so, to nobody.
    assert await watch.calls() == [None]


@pytest_asyncio.fixture
async def barely(desk: Desk) -> AsyncIterator[Watch]:
    """An action item at 64 points, where 62 make one; Ben is on shift."""
    await desk.start([calm(1)])
    await desk.set_creator(desk.agency.ava, fire_above=50.0, action_above=62.0)
    await desk.score(NINE_DAYS)
    opened = Watch(desk, DeskRules())
    await opened.delivery.drain()
    assert (await opened.episode())["tier"] == "action"
    await opened.begin(BEN, hours=1_000)
    yield opened
    await opened.stop()


@pytest.mark.parametrize("stage", [0, LEAD])
async def test_thresholds_moved_and_moved_back_let_it_go_up_still(barely: Watch, stage: int) -> None:
    watch = barely
    if stage == LEAD:
        assert await watch.calls(15) == [LEA]
    owner = (await watch.episode())["owner_id"]
    await _thresholds(watch, 95.0)
    assert (await watch.episode())["tier"] == "at_risk"
    # A flag goes to nobody, however long it lasts, and nobody is called the moment that it is none any more.
    assert await watch.calls(A_WEEK) == []
    await _thresholds(watch, 62.0)
    assert (await watch.episode())["tier"] == "action"
    assert (await watch.episode())["owner_id"] == owner
    if stage == 0:
        assert await watch.calls(14) == []
        assert await watch.calls(1) == [LEA]
    assert await watch.calls(44) == []
    assert await watch.calls(1 if stage == 0 else 16) == [MANAGER_ROLE]


async def test_a_mention_that_waits_outlives_thresholds_moved_and_moved_back(barely: Watch) -> None:
    watch = barely
    episode_id = await watch.id_of()
    await watch.desk.change(lambda tx: leave_mention(tx, [episode_id], "held", watch.now + 5 * MS_PER_MINUTE))
    await _thresholds(watch, 95.0)
    await _thresholds(watch, 62.0)
    assert await watch.calls(4) == []
    assert await watch.calls(1) == [ANA]


async def test_a_flag_that_new_thresholds_make_an_action_item_goes_to_nobody(desk: Desk) -> None:
    await desk.start([calm(1)])
    await desk.score(NINE_DAYS)
    watch = Watch(desk, DeskRules())
    await watch.delivery.drain()
    await watch.begin(BEN, hours=1_000)
    await _thresholds(watch, 62.0)
    row = await watch.episode()
    assert (row["tier"], row["owner_id"]) == ("action", BEN)
    assert await watch.calls(A_WEEK) == []
    await watch.stop()


async def _interrupted(watch: Watch) -> None:
    """A run at NINE_DAYS that finds an action item and dies before its last transaction."""
    desk = watch.desk
    await desk.start([leaving(1)])
    await watch.delivery.drain()
    with pytest.raises(ConnectionAbortedError):
        await desk.score(NINE_DAYS, store=Breaks(desk, 3))
    assert (await desk.episodes())["1"]["escalate_from_at"] == NINE_DAYS


async def test_what_waits_since_a_run_was_interrupted_waits_from_when_it_goes_on(desk: Desk) -> None:
    watch = Watch(desk, DeskRules())
    await _interrupted(watch)
    await watch.begin(BEN, hours=10)
    watch.now += 90 * MS_PER_MINUTE
    await desk.score(watch.now)
    assert await watch.calls() == [ANA]
    assert await watch.calls(14) == []
    assert await watch.calls(1) == [LEA]
    await watch.stop()


async def test_a_run_that_goes_on_in_quiet_hours_calls_nobody_before_they_end(desk: Desk) -> None:
    watch = Watch(desk, DeskRules())
    minute = watch.now // MS_PER_MINUTE % 1440
    asleep = QuietHours((minute + 10) % 1440, (minute + 70) % 1440, "UTC")
    await desk.change(
        lambda tx: quiet_hours.set_hours(tx, asleep, BEN, watch.now, creator_id=desk.agency.ava)
    )
    await _interrupted(watch)
    watch.now += 20 * MS_PER_MINUTE
    await desk.score(watch.now)
    assert await watch.calls() == [None]
    assert await watch.calls(49) == []
    assert await watch.calls(1) == [ANA]
    await watch.stop()
