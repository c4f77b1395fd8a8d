"""Runs that keep news back and bring it later, the budget over the cards of a run, and what the time alone ends."""

from __future__ import annotations

from dataclasses import replace

import pytest
import pytest_asyncio
from sqlalchemy import select

from bot.domain.calm import QuietHours
from bot.domain.desk import MS_PER_MINUTE, NUDGE_WINDOW_MS, DeskRules
from bot.domain.scoring import reference
from bot.domain.views import AlertCard
from bot.jobs.calm import CalmJob
from bot.jobs.desk_timers import DeskTimers
from bot.jobs.scoring import Scoring
from storage import card_views, contacts, holds, mutes, on_shift, quiet_hours
from storage.tables import cards, fan_accounts, fan_holds
from storage.tables import mutes as mute_rows
from tests.bot.jobs.desk import NINE_DAYS, Desk, calm, ended, leaving
from tests.storage.conftest import DAY, NOW

TEN_DAYS, ELEVEN_DAYS = NOW + 10 * DAY, NOW + 11 * DAY
HOUR = 3_600_000


@pytest_asyncio.fixture
async def quiet(desk: Desk) -> Desk:
    """A baseline of a fan who will be an action item, one who will be a flag, and one whose subscription will end."""
    await desk.start([leaving(1), calm(2), calm(3)])
    return desk


async def fan_ids(desk: Desk) -> dict[str, int]:
    return {row["platform_fan_id"]: row["id"] for row in await desk.rows(fan_accounts)}


async def mute(desk: Desk, number: str | None, until_at: int) -> int:
    fan_id = None if number is None else (await fan_ids(desk))[number]
    return await desk.change(
        lambda tx: mutes.set_mute(tx, desk.agency.ava, fan_id, until_at, "on holiday", 302, NOW)
    )


async def hold(desk: Desk, number: str, until_at: int | None) -> int:
    fan_id = (await fan_ids(desk))[number]
    return await desk.change(
        lambda tx: holds.set_hold(tx, desk.agency.ava, fan_id, until_at, "asked for a break", 302, NOW)
    )


@pytest.mark.parametrize("whole", [True, False])
async def test_what_a_mute_kept_back_comes_when_it_is_over(quiet: Desk, whole: bool) -> None:
    for number in [None] if whole else ["1", "2", "3"]:
        await mute(quiet, number, TEN_DAYS)
    await quiet.keep([ended(3)], NINE_DAYS)
    await quiet.score(NINE_DAYS)
    await quiet.score(NINE_DAYS + HOUR)
    assert [await quiet.events(number) for number in "123"] == [[], [], []]
    assert await quiet.cards("a", "g") == []
    assert await quiet.episodes() == {}

    await quiet.score(TEN_DAYS)

    assert [await quiet.events(number) for number in "123"] == [["opened"], ["opened"], ["expired"]]
    pinged = [card for card in await quiet.cards("a", "g") if card["ping_wanted"]]
    assert len(pinged) == 2


async def test_an_end_that_a_hold_kept_back_is_told_once_after_it(quiet: Desk) -> None:
    hold_id = await hold(quiet, "3", None)
    await quiet.keep([ended(3)], NINE_DAYS)
    for at in (NINE_DAYS, TEN_DAYS):
        await quiet.score(at)
    assert await quiet.events("3") == []
    assert await quiet.events("1") == ["opened"]

    async with quiet.store.read() as tx:
        on = await holds.find(tx, hold_id)
    assert on is not None
    await quiet.change(lambda tx: holds.end(tx, on, 302, TEN_DAYS))
    for at in (ELEVEN_DAYS, ELEVEN_DAYS + HOUR):
        await quiet.score(at)
    assert await quiet.events("3") == ["expired"]


async def test_what_is_over_is_over_also_for_who_is_muted(quiet: Desk) -> None:
    await quiet.score(NINE_DAYS)
    await mute(quiet, None, NOW + 99 * DAY)
    await quiet.keep([leaving(1, rebill_off=None, last_seen_at=TEN_DAYS)], TEN_DAYS)
    await quiet.score(TEN_DAYS)
    assert await quiet.events("1") == ["opened", "cleared"]


async def test_a_flag_on_hold_rises_only_afterwards(quiet: Desk) -> None:
    await quiet.score(NINE_DAYS)
    await hold(quiet, "2", TEN_DAYS)
    await quiet.keep([leaving(2)], NINE_DAYS + 1)
    await quiet.score(NINE_DAYS + 1)
    assert await quiet.events("2") == ["opened"]
    await quiet.score(TEN_DAYS)
    assert await quiet.events("2") == ["opened", "raised"]


async def test_a_baseline_is_silent_anyway_and_keeps_nothing_for_later(desk: Desk) -> None:
    await desk.keep([leaving(1, last_seen_at=NOW - 20 * DAY, expires_at=NOW + DAY)])
    await mute(desk, None, NOW + DAY)
    await desk.score(NOW)
    await desk.score(NOW + 2 * DAY)
    assert await desk.events("1") == ["opened"]
    assert not any(card["ping_wanted"] for card in await desk.cards())


async def test_data_a_day_old_opens_nothing_and_a_webhook_does(quiet: Desk) -> None:
    ava = quiet.agency.ava
    await quiet.set_creator(ava, synced_at=NINE_DAYS - DAY - 1)
    await quiet.keep([ended(3)], NINE_DAYS)
    await quiet.score(NINE_DAYS)
    assert [await quiet.events(number) for number in "123"] == [[], [], []]

    scoring = Scoring(quiet.store, reference, wall_ms=lambda: NOW, rules=quiet.rules)
    ids = await fan_ids(quiet)
    await scoring.run_for(await quiet.creator(), [ids["3"]], NINE_DAYS + 1)
    assert [await quiet.events(number) for number in "123"] == [[], [], ["expired"]]

    await quiet.set_creator(ava, synced_at=NINE_DAYS + 2)
    await quiet.score(NINE_DAYS + 2)
    assert [await quiet.events(number) for number in "123"] == [["opened"], ["opened"], ["expired"]]


async def test_a_webhook_about_a_muted_fan_waits_too(quiet: Desk) -> None:
    await mute(quiet, "3", TEN_DAYS)
    await quiet.keep([ended(3)], NINE_DAYS)
    scoring = Scoring(quiet.store, reference, wall_ms=lambda: NOW, rules=quiet.rules)
    ids = await fan_ids(quiet)
    await scoring.run_for(await quiet.creator(), [ids["3"]], NINE_DAYS)
    assert await quiet.events("3") == []
    await quiet.score(TEN_DAYS)
    assert await quiet.events("3") == ["expired"]


async def test_of_a_run_the_most_money_mentions_and_the_rest_is_left_to_the_digest(desk: Desk) -> None:
    tight = replace(desk, rules=DeskRules(alert_budget=4))
    await tight.start([leaving(number) for number in range(1, 8)])
    await tight.score(NINE_DAYS)
    found = await tight.episodes()
    pinged = [card for card in await tight.cards("a") if card["ping_wanted"]]
    # Nothing is known of their money, so none of them may use the two that are kept for the most of it.
    assert len(pinged) == 2
    assert sorted(str(row["ping_state"]) for row in found.values()) == ["None"] * 2 + ["digest"] * 5
    assert all(row["owner_id"] == 301 for row in found.values())


async def test_a_grouped_card_of_ends_mentions_once(desk: Desk) -> None:
    tight = replace(desk, rules=DeskRules(alert_budget=1))
    await tight.start([calm(number) for number in range(1, 5)] + [calm(9, total_cents=900_000)])
    await tight.keep([ended(number) for number in range(1, 5)], NINE_DAYS)
    await tight.keep([calm(9, total_cents=900_000, last_seen_at=NINE_DAYS)], NINE_DAYS)
    await tight.score(NINE_DAYS)
    (group,) = [card for card in await tight.cards("g") if card["code"] == "expired"]
    assert group["ping_wanted"]
    assert {row["ping_state"] for row in (await tight.episodes()).values()} == {None}


async def test_a_grouped_card_of_ends_that_is_held_mentions_once_when_it_may(desk: Desk) -> None:
    await desk.start([calm(number) for number in range(1, 5)] + [calm(9, total_cents=900_000)])
    await desk.keep([ended(number) for number in range(1, 5)], NINE_DAYS)
    await desk.keep([calm(9, total_cents=900_000, last_seen_at=NINE_DAYS)], NINE_DAYS)
    for user_id in (301, 304):
        await desk.change(
            lambda tx, user_id=user_id: on_shift.begin(
                tx, desk.agency.ava, user_id, "start", NINE_DAYS, NINE_DAYS + DAY
            )
        )
    minute = NINE_DAYS // MS_PER_MINUTE % (24 * 60)
    soon = QuietHours(minute, (minute + 60) % (24 * 60), "UTC")
    await desk.change(lambda tx: quiet_hours.set_hours(tx, soon, 302, NINE_DAYS, creator_id=desk.agency.ava))
    await desk.score(NINE_DAYS)
    (group,) = await desk.cards("g")
    found = (await desk.episodes()).values()
    assert {row["owner_id"] for row in found} == {301, 304}
    assert not group["ping_wanted"]
    assert {row["owner_id"] for row in found if row["ping_state"] == "held"} == {group["mention_id"]}
    assert {row["escalate_from_at"] for row in found} == {NINE_DAYS + HOUR}

    timers = DeskTimers(desk.store, desk.rules)
    await timers.run_due(NINE_DAYS + HOUR)
    (group,) = await desk.cards("g")
    assert group["ping_wanted"]
    assert {row["ping_state"] for row in (await desk.episodes()).values()} == {None}


async def shown(desk: Desk, number: str) -> AlertCard:
    episode = (await desk.episodes())[number]
    async with desk.store.read() as tx:
        view = await card_views.load_view(tx, episode["card_id"])
    assert isinstance(view, AlertCard)
    return view


class TestTheTimeAlone:
    async def test_holds_and_mutes_end_at_their_time_and_the_card_shows_it(self, quiet: Desk) -> None:
        await quiet.score(NINE_DAYS)
        await hold(quiet, "1", TEN_DAYS)
        await mute(quiet, "2", TEN_DAYS)
        await hold(quiet, "3", None)
        job = CalmJob(quiet.store)
        assert await job.run_due(TEN_DAYS - 1) == {}
        assert (await shown(quiet, "1")).hold is not None
        before = (await quiet.cards("a"))[0]["wanted_version"]

        assert await job.run_due(TEN_DAYS + 3 * DAY) == {"calm": 2}

        view = await shown(quiet, "1")
        assert (view.hold, view.row.on_hold) == (None, False)
        assert (await quiet.cards("a"))[0]["wanted_version"] > before
        assert [(row["ended_at"], row["ended_by"]) for row in await quiet.rows(mute_rows)] == [
            (TEN_DAYS, None)
        ]
        assert [row["ended_at"] for row in await quiet.rows(fan_holds)] == [TEN_DAYS, None]
        assert await job.run_due(TEN_DAYS + 4 * DAY) == {}

    async def test_contacts_that_are_no_longer_recent_leave_the_card(self, quiet: Desk) -> None:
        ava = quiet.agency.ava
        await quiet.score(NINE_DAYS)
        ids = await fan_ids(quiet)
        await quiet.set_creator(ava, synced_at=NINE_DAYS)
        job = CalmJob(quiet.store)
        assert await job.run_due(NINE_DAYS) == {}
        await quiet.change(lambda tx: contacts.add(tx, ava, ids["1"], 301, "logged", NINE_DAYS + HOUR))
        ledger = (await shown(quiet, "1")).ledger
        assert ledger is not None
        assert (ledger.nudges, ledger.chatters) == (1, 1)

        async def version() -> int:
            card_id = (await quiet.episodes())["1"]["card_id"]
            async with quiet.store.read() as tx:
                return int(
                    await tx.scalar(
                        select(cards.c.wanted_version).where(
                            cards.c.agency_id == tx.agency_id, cards.c.id == card_id
                        )
                    )
                )

        before = await version()
        fresh = NINE_DAYS + HOUR + NUDGE_WINDOW_MS
        await quiet.set_creator(ava, synced_at=fresh)
        assert await job.run_due(fresh) == {"calm": 1}
        assert await version() > before
        ledger = (await shown(quiet, "1")).ledger
        assert ledger is not None
        assert ledger.nudges == 0
        assert await job.run_due(fresh) == {}
