"""What time does at the desk: it wakes, reminds and calls, once each, whatever was restarted in between."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from sqlalchemy import update

from bot.domain.desk import DeskRules
from bot.domain.snoozing import SnoozeFor
from storage.engine import Tx
from storage.tables import cards, episodes
from storage.tables import mentions as mention_table
from tests.bot.jobs.desk import NINE_DAYS, Desk, calm, ended, leaving
from tests.bot.jobs.watch import ANA, BEN, LEA, Watch, open_watch
from tests.storage.conftest import DAY

A_WEEK = 7 * 24 * 60


@pytest_asyncio.fixture
async def watch(desk: Desk) -> AsyncIterator[Watch]:
    opened = await open_watch(desk)
    yield opened
    await opened.stop()


# Snoozes


async def test_a_snooze_ends_with_one_call_of_the_owner(watch: Watch) -> None:
    episode_id = await watch.id_of()
    await watch.snoozing.snooze(watch.ana, episode_id, SnoozeFor.HOUR)
    await watch.tick()
    assert f"Snoozed until <t:{(watch.now + 3_600_000) // 1000}:f> by <@{ANA}>" in (await watch.shown()).text
    assert await watch.calls(59) == []
    watch.start()
    assert await watch.calls(1) == [ANA]
    assert "Snoozed" not in (await watch.shown()).text
    assert await watch.calls(A_WEEK) == []
    row = await watch.episode()
    assert (row["snoozed_until"], row["snoozed_by"]) == (None, None)
    assert (await watch.desk.events("1"))[-2:] == ["snoozed", "woken"]


async def test_an_alert_that_opens_again_says_nothing_of_a_snooze_before(watch: Watch) -> None:
    episode_id = await watch.id_of()
    await watch.snoozing.snooze(watch.ana, episode_id, SnoozeFor.HOUR)
    await watch.tick(60)
    assert "The snooze is over" in (await watch.shown()).text
    await watch.desk.keep([calm(1, last_seen_at=watch.now, expires_at=watch.now + 90 * DAY)], watch.now)
    await watch.desk.score(watch.now + 1)
    assert (await watch.episode())["closed_at"] is not None
    watch.now += 9 * DAY
    again = leaving(1, last_seen_at=watch.now - 9 * DAY, expires_at=watch.now + 3 * DAY)
    await watch.desk.keep([again], watch.now)
    await watch.desk.score(watch.now)
    assert ((await watch.episode())["id"], (await watch.episode())["closed_at"]) == (episode_id, None)
    await watch.tick()
    assert "The snooze is over" not in (await watch.shown()).text


async def test_whoever_has_claimed_it_is_called_when_it_wakes_and_reminded_anew(watch: Watch) -> None:
    episode_id = await watch.id_of()
    await watch.begin(BEN, hours=200)
    await watch.cards.claim(watch.ben, episode_id)
    await watch.snoozing.snooze(watch.ben, episode_id, SnoozeFor.DAYS)
    assert await watch.calls(71 * 60) == []
    assert await watch.calls(60) == [BEN]
    assert await watch.calls(119) == []
    assert await watch.calls(1) == [BEN]


async def test_a_flag_wakes_in_silence(desk: Desk) -> None:
    await desk.start([calm(1)])
    await desk.score(NINE_DAYS)
    watch = Watch(desk, DeskRules())
    await watch.delivery.drain()
    await watch.snoozing.snooze(watch.ana, await watch.id_of(), SnoozeFor.HOUR)
    await watch.tick()
    assert "Snoozed" in (await watch.shown()).text
    assert await watch.calls(60) == []
    assert "Snoozed" not in (await watch.shown()).text
    await watch.stop()


async def test_an_end_that_was_seen_wakes_it_by_itself(watch: Watch) -> None:
    episode_id = await watch.id_of()
    await watch.snoozing.snooze(watch.ana, episode_id, SnoozeFor.DAYS)
    await watch.desk.keep([ended(1, expires_at=watch.now)], watch.now + 1)
    await watch.desk.score(watch.now + 1)
    assert (await watch.episode())["snoozed_until"] is None
    # The run has said it, on the card that there is; the snooze has nothing left to end.
    assert await watch.calls(A_WEEK) == []
    assert "Snoozed" not in (await watch.shown()).text
    assert (await watch.desk.events("1"))[-2:] == ["snoozed", "expired"]


async def test_an_end_that_was_seen_reminds_whoever_has_claimed_it(watch: Watch) -> None:
    """The run calls nobody, because the fan had a mention that day."""
    episode_id = await watch.id_of()
    await watch.begin(BEN, hours=200)
    await watch.cards.claim(watch.ben, episode_id)
    await watch.snoozing.snooze(watch.ben, episode_id, SnoozeFor.DAYS)
    await watch.desk.keep([ended(1, expires_at=watch.now)], watch.now + 1)
    await watch.desk.score(watch.now + 1)
    assert (await watch.episode())["snoozed_until"] is None
    assert await watch.calls(120) == []
    assert await watch.calls(1) == [BEN]
    assert await watch.calls(A_WEEK) == []


async def test_an_end_that_was_seen_leaves_a_reminder_that_runs_as_it_is(watch: Watch) -> None:
    await watch.begin(BEN, hours=200)
    await watch.cards.claim(watch.ben, await watch.id_of())
    assert await watch.calls(60) == []
    await watch.desk.keep([ended(1, expires_at=watch.now)], watch.now)
    await watch.desk.score(watch.now)
    assert await watch.calls(60) == [BEN]
    assert await watch.calls(A_WEEK) == []


async def test_a_rise_by_ten_wakes_it_early_and_begins_the_reminder_anew(desk: Desk) -> None:
    await desk.start([calm(1)])
    await desk.score(NINE_DAYS)
    watch = Watch(desk, DeskRules())
    await watch.delivery.drain()
    await watch.begin(BEN, hours=100)
    await watch.cards.claim(watch.ben, await watch.id_of())
    await watch.snoozing.snooze(watch.ben, await watch.id_of(), SnoozeFor.DAYS)
    await watch.tick()
    await desk.keep([leaving(1)], watch.now)
    await desk.score(watch.now)
    assert (await desk.events("1"))[-2:] == ["snoozed", "woken"]
    assert await watch.calls() == [BEN]
    assert "Snoozed" not in (await watch.shown()).text
    assert await watch.calls(119) == []
    assert await watch.calls(1) == [BEN]
    await watch.stop()


async def test_my_next_shift_is_one_that_begins_later(watch: Watch) -> None:
    episode_id = await watch.id_of()
    await watch.begin(ANA)
    await watch.snoozing.snooze(watch.ana, episode_id, SnoozeFor.SHIFT)
    # Still the same shift, also where it goes on for another creator.
    await watch.begin(ANA, creator_id=watch.desk.agency.bea)
    assert await watch.calls() == []
    await watch.end(ANA)
    watch.now += 3_600_000
    await watch.begin(BEN)
    assert await watch.calls() == []
    await watch.begin(ANA)
    assert await watch.calls() == [ANA]


# Reminders


async def test_a_claim_is_reminded_of_once_while_its_owner_is_on(watch: Watch) -> None:
    await watch.begin(BEN, hours=1)
    await watch.cards.claim(watch.ben, await watch.id_of())
    await watch.tick(60)
    await watch.end(BEN)
    assert await watch.calls(120) == []
    await watch.begin(BEN)
    watch.start()
    assert await watch.calls() == [BEN]
    assert await watch.calls(A_WEEK) == []
    assert "Claimed by <@304>" in (await watch.shown()).text
    assert (await watch.desk.events("1"))[-1] == "reminded"


async def test_a_release_stops_the_reminder_and_so_does_a_setting(desk: Desk) -> None:
    watch = await open_watch(desk, rules=DeskRules(remind_claim_ms=0))
    await watch.begin(BEN, hours=100)
    await watch.cards.claim(watch.ben, await watch.id_of())
    assert await watch.calls(A_WEEK) == []
    await watch.stop()
    watch = Watch(desk, DeskRules())
    await watch.begin(BEN, hours=1000)
    await watch.cards.release(watch.ben, await watch.id_of())
    await watch.cards.claim(watch.ben, await watch.id_of())
    await watch.cards.release(watch.ben, await watch.id_of())
    assert BEN not in await watch.calls(A_WEEK)
    await watch.stop()


# Cards


async def test_a_mention_on_its_way_is_not_overwritten(watch: Watch) -> None:
    await watch.desk.change(
        lambda tx: tx.execute(
            update(cards)
            .where(cards.c.agency_id == tx.agency_id, cards.c.kind == "a")
            .values(ping_wanted=True)
        )
    )
    await watch.begin(ANA)
    watch.now += 15 * 60_000
    assert await watch.timers.run_due(watch.now) == {}
    await watch.desk.change(
        lambda tx: tx.execute(
            update(cards).where(cards.c.agency_id == tx.agency_id).values(ping_wanted=False)
        )
    )
    assert await watch.calls() == [LEA]


async def test_people_of_one_list_are_called_one_after_the_other(desk: Desk) -> None:
    watch = await open_watch(desk, fans=2)
    card, _ = await desk.cards("a")

    async def put_on_one_list(tx: Tx) -> None:
        await tx.execute(update(cards).where(cards.c.agency_id == tx.agency_id).values(kind="g"))
        of_agency = episodes.c.agency_id == tx.agency_id
        await tx.execute(update(episodes).where(of_agency).values(card_id=card["id"]))

    await desk.change(put_on_one_list)
    await watch.begin(ANA, hours=100)
    await watch.begin(BEN, hours=100)
    await watch.cards.claim(watch.ana, await watch.id_of(1))
    await watch.cards.claim(watch.ben, await watch.id_of(2))
    assert await watch.calls(120) == [ANA]
    assert await watch.calls() == [BEN]
    assert await watch.calls(A_WEEK) == []
    await watch.stop()


async def test_the_most_money_is_called_about_first(desk: Desk) -> None:
    watch = await open_watch(desk, fans=3)
    ids = {number: await watch.id_of(number) for number in (1, 2, 3)}

    async def price(tx: Tx) -> None:
        for number, cents in ((1, 100), (2, 900), (3, 500)):
            await tx.execute(
                update(episodes)
                .where(episodes.c.agency_id == tx.agency_id, episodes.c.id == ids[number])
                .values(pace_cents=cents)
            )

    await desk.change(price)
    await watch.begin(ANA)
    await watch.tick(15)
    called = [r["fan_account_id"] for r in await desk.rows(mention_table) if r["reason"] == "escalated"]
    assert called == [(await watch.episode(number))["fan_account_id"] for number in (2, 3, 1)]
    await watch.stop()
