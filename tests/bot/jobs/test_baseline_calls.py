"""Alerts of a baseline have no card; whoever takes one on is called all the same, on a card that is made for it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.domain.calm import QuietHours
from bot.domain.desk import MS_PER_MINUTE, DeskRules
from bot.domain.snoozing import SnoozeFor
from bot.jobs.shifts import ShiftsJob
from storage import claims, handovers, on_shift, quiet_hours
from storage.engine import Tx
from storage.tables import fan_accounts
from tests.bot.jobs.desk import NINE_DAYS, Desk, leaving
from tests.bot.jobs.watch import ANA, BEN, LEA, Watch
from tests.storage.conftest import NOW


@pytest_asyncio.fixture
async def watch(desk: Desk) -> AsyncIterator[Watch]:
    """A fan who was an action item already when her creator was first looked at; Ana and Ben are on shift."""
    await desk.keep([leaving(1, expires_at=NINE_DAYS + 3 * (NINE_DAYS - NOW) // 9)])
    await desk.score(NINE_DAYS)
    opened = Watch(desk, DeskRules())
    await opened.delivery.drain()
    assert (await opened.episode())["card_id"] is None
    for user_id in (ANA, BEN):
        await opened.begin(user_id, hours=500)
    yield opened
    await opened.stop()


async def test_nobody_is_called_for_what_nobody_has_touched(watch: Watch) -> None:
    assert await watch.calls(24 * 60) == []


async def test_whoever_has_claimed_it_is_reminded(watch: Watch) -> None:
    await watch.cards.claim(watch.ben, await watch.id_of())
    assert await watch.calls(119) == []
    assert await watch.calls(1) == [BEN]
    assert f"Claimed by <@{BEN}>" in (await watch.shown()).text
    assert await watch.calls(24 * 60) == []


async def test_whoever_has_snoozed_it_is_called_when_it_wakes(watch: Watch) -> None:
    await watch.cards.claim(watch.ben, await watch.id_of())
    await watch.snoozing.snooze(watch.ben, await watch.id_of(), SnoozeFor.HOUR)
    assert await watch.calls(60) == [BEN]
    assert "The snooze is over" in (await watch.shown()).text


async def test_given_back_it_goes_up(watch: Watch) -> None:
    await watch.cards.claim(watch.ben, await watch.id_of())
    await watch.cards.release(watch.ben, await watch.id_of())
    assert await watch.calls(15) == [LEA]


async def test_whoever_gets_it_when_a_claim_lapses_is_called(watch: Watch) -> None:
    await watch.cards.claim(watch.ben, await watch.id_of())

    async def end(tx: Tx) -> None:
        (bens,) = [one for one in await on_shift.list_of(tx, BEN) if one.creator_id == watch.desk.agency.ava]
        await handovers.end_session(tx, bens, watch.now, "end")

    await watch.desk.change(end)
    assert await watch.calls(119) == []
    lapsed = await ShiftsJob(watch.desk.store).run_due(watch.now + MS_PER_MINUTE)
    assert lapsed == {"claims_lapsed": 1}
    assert await watch.calls(1) == [ANA]
    assert await watch.calls(14) == []


async def assign_at_night(watch: Watch) -> None:
    """Ben is given it while his quiet hours last, which end in forty minutes."""
    minute = watch.now // MS_PER_MINUTE % 1440
    asleep = QuietHours(minute, (minute + 40) % 1440, "UTC")
    await watch.desk.change(lambda tx: quiet_hours.set_hours(tx, asleep, BEN, watch.now, user_id=BEN))
    await watch.cards.assign(watch.lea, await watch.id_of(), watch.ben)
    assert await watch.calls(39) == []


async def test_a_mention_that_waits_is_sent(watch: Watch) -> None:
    await assign_at_night(watch)
    assert await watch.calls(1) == [BEN]


@pytest.mark.parametrize("tier", ["at_risk", "action"])
async def test_what_is_said_of_a_flag_leaves_the_fans_daily_mention(watch: Watch, tier: str) -> None:
    episode_id = await watch.id_of()
    await watch.desk.change(lambda tx: claims.set_work(tx, episode_id, tier=tier))
    await assign_at_night(watch)
    assert await watch.calls(1) == [BEN]
    (fan,) = await watch.desk.rows(fan_accounts)
    assert fan["last_pinged_at"] == (watch.now if tier == "action" else None)
