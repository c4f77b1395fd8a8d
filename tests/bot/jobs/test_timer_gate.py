"""What the gate of mentions says to timers: held, left to the digest, let through."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import update

from bot.domain.calm import QuietHours
from bot.domain.desk import MS_PER_MINUTE, DeskRules
from bot.domain.models import MS_PER_HOUR
from bot.domain.snoozing import SnoozeFor
from bot.domain.views import Owner
from bot.jobs import desk_timers
from bot.jobs.calm import CalmJob
from bot.services.calm import CalmService
from bot.services.calm_undo import undo_quiet
from storage import desk_actions, mentions, mutes, quiet_hours, undoing
from storage.engine import Tx
from storage.mentions import Verdict
from storage.tables import desk_actions as desk_action_table
from storage.tables import episodes
from storage.tables import mentions as mention_table
from tests.bot.jobs.desk import NINE_DAYS, Desk, leaving
from tests.bot.jobs.fake_api import Account, FakeApi
from tests.bot.jobs.test_sync import AVA, BEA, Clock, Office
from tests.bot.jobs.watch import ANA, BEN, LEA, MANAGER_ROLE, Watch, open_watch
from tests.storage.undone import restore

A_WEEK = 7 * 24 * 60


@pytest_asyncio.fixture
async def watch(desk: Desk) -> AsyncIterator[Watch]:
    opened = await open_watch(desk)
    yield opened
    await opened.stop()


def gate(monkeypatch: pytest.MonkeyPatch, *verdicts: Verdict) -> list[tuple[int, str]]:
    """The gate says these one after the other, then lets through; who was asked for, and why."""
    asked: list[tuple[int, str]] = []
    left = list(verdicts)

    async def call(_tx: Tx, _rules: DeskRules, who: Owner, *, reason: str, **_: Any) -> Verdict:
        asked.append((who.discord_id, reason))
        return left.pop(0) if left else Verdict("send")

    monkeypatch.setattr(desk_timers.mentions, "call", call)
    return asked


async def test_a_held_mention_is_asked_for_again(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    morning = NINE_DAYS + 8 * 3_600_000
    asked = gate(monkeypatch, Verdict("held", morning), Verdict("held", morning + 3_600_000))
    await watch.snoozing.snooze(watch.ana, await watch.id_of(), SnoozeFor.HOUR)
    assert await watch.calls(60) == []
    assert await watch.calls(7 * 60 - 1) == []
    assert await watch.calls(1) == []
    watch.start()
    assert await watch.calls(60) == [ANA]
    assert asked == [(ANA, "woken"), (ANA, "held"), (ANA, "held")]
    assert await watch.calls(A_WEEK) == []
    assert (await watch.episode())["ping_state"] is None


@pytest.mark.parametrize("act", ["claim", "snooze"])
async def test_a_held_mention_is_not_owed_of_what_somebody_sees_to(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    episode_id = await watch.id_of()
    asked = gate(monkeypatch, Verdict("held", NINE_DAYS + 8 * 3_600_000))
    await watch.snoozing.snooze(watch.ana, episode_id, SnoozeFor.HOUR)
    await watch.tick(60)
    assert (await watch.episode())["ping_state"] == "held"
    if act == "claim":
        await watch.cards.claim(watch.ben, episode_id)
    else:
        await watch.snoozing.snooze(watch.ben, episode_id, SnoozeFor.DAYS)
    await watch.tick(12 * 60)
    assert "held" not in [reason for _, reason in asked]


@pytest.mark.parametrize("meanwhile", ["nothing", "contact_undone", "released"])
async def test_who_was_given_an_item_in_quiet_hours_is_called_when_they_end(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    episode_id = await watch.id_of()
    gate(monkeypatch, Verdict("held", NINE_DAYS + 8 * 3_600_000))
    assert (await watch.cards.assign(watch.lea, episode_id, watch.ben)).status == "assigned"
    assert await watch.calls(7 * 60) == []
    if meanwhile == "contact_undone":
        before = await watch.desk.change(lambda tx: desk_actions.snapshot(tx, [episode_id]))
        row = before[episode_id]
        assert undoing.turn_back(row, row, row, watch.now) == {}
    elif meanwhile == "released":
        assert (await watch.cards.release(watch.ben, episode_id)).status == "released"
        assert BEN not in await watch.calls(60)
        return
    assert await watch.calls(60) == [BEN]
    assert await watch.calls(60) == []
    assert (await watch.episode())["ping_state"] is None


@pytest.mark.parametrize("meanwhile", ["taken over", "released"])
async def test_who_has_it_again_by_an_undo_is_called_as_promised(watch: Watch, meanwhile: str) -> None:
    episode_id = await watch.id_of()
    # Ben's own hours end in ten of them.
    await put_hours(watch, hours_around(watch.now), user_id=BEN)
    assert (await watch.cards.assign(watch.lea, episode_id, watch.ben)).not_called == "quiet"
    assert await watch.calls(60) == []
    if meanwhile == "taken over":
        assert (await watch.cards.take_over(watch.lea, episode_id, BEN)).status == "claimed"
    else:
        assert (await watch.cards.release(watch.lea, episode_id)).status == "released"
    assert await watch.calls(1) == []
    await undo_latest(watch)
    assert (await watch.episode())["claimed_by"] == BEN
    assert await watch.calls(9 * 60 - 2) == []
    assert await watch.calls(1) == [BEN]
    assert (await watch.episode())["ping_state"] is None


async def undo_latest(watch: Watch) -> None:
    """Take back the last thing that was done to an alert."""
    latest = (await watch.desk.rows(desk_action_table))[-1]
    restored, left = await watch.desk.change(lambda tx: restore(tx, latest["id"], now_ms=watch.now))
    assert (len(restored), left) == (1, [])


async def test_a_reminder_that_is_held_comes_later(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    # An instant that has passed already keeps nobody busy.
    asked = gate(monkeypatch, Verdict("held", 1))
    await watch.begin(BEN, hours=100)
    await watch.cards.claim(watch.ben, await watch.id_of())
    assert await watch.calls(120) == []
    assert await watch.calls(1) == [BEN]
    assert asked == [(BEN, "reminder")] * 2


async def test_a_mention_over_the_budget_is_left_to_the_digest(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate(monkeypatch, Verdict("digest"))
    await watch.begin(BEN)
    assert await watch.calls(15) == []
    row = await watch.episode()
    assert (row["ping_state"], row["owner_id"]) == ("digest", LEA)
    assert f"now with <@{LEA}>" in (await watch.shown()).text


async def test_a_reminder_over_the_budget_leaves_nothing_to_the_digest(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = gate(monkeypatch, Verdict("digest"))
    await watch.begin(BEN, hours=100)
    await watch.cards.claim(watch.ben, await watch.id_of())
    assert await watch.calls(120) == []
    assert asked == [(BEN, "reminder")]
    assert (await watch.episode())["ping_state"] is None


async def test_every_mention_is_counted_by_the_gate(watch: Watch) -> None:
    await watch.begin(BEN)
    await watch.tick(15)
    (row,) = [one for one in await watch.desk.rows(mention_table) if one["reason"] != "action"]
    assert (row["discord_id"], row["reason"], row["at"]) == (LEA, "escalated", watch.now)


async def test_what_is_said_of_one_fan_holds_back_nobody_else_of_a_list(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = await open_watch(desk, fans=3)
    card, *_ = await desk.cards("a")
    await desk.change(
        lambda tx: tx.execute(
            update(episodes).where(episodes.c.agency_id == tx.agency_id).values(card_id=card["id"])
        )
    )
    # The first has been written to often enough; the other two call the lead by one message.
    asked = gate(monkeypatch, Verdict("digest"))
    await watch.begin(BEN)
    assert await watch.calls(15) == [LEA]
    assert len(asked) == 2
    states = [(await watch.episode(number))["ping_state"] for number in (1, 2, 3)]
    assert sorted(states, key=str) == [None, None, "digest"]
    await watch.stop()


async def put_hours(watch: Watch, hours: QuietHours | None, **of: int) -> None:
    """Quiet hours of a channel or a person; None: they are removed."""

    async def write(tx: Tx) -> None:
        if hours is not None:
            await quiet_hours.set_hours(tx, hours, LEA, watch.now, **of)
            return
        row = await quiet_hours.find_open(tx, **of)
        assert row is not None
        await quiet_hours.remove(tx, row.id, watch.now)
        await mentions.release_held(tx, watch.now, **of)

    await watch.desk.change(write)


def hours_around(now: int) -> QuietHours:
    """From an hour before `now` to ten hours after it."""
    minute = now // MS_PER_MINUTE % (24 * 60)
    return QuietHours((minute - 60) % (24 * 60), (minute + 600) % (24 * 60), "UTC")


@pytest.mark.parametrize("end", ["time", "removed"])
async def test_an_item_goes_nowhere_while_its_channel_is_quiet(desk: Desk, end: str) -> None:
    ava = {"creator_id": desk.agency.ava}
    await desk.start([leaving(1)])
    watch = Watch(desk, DeskRules())
    await watch.begin(ANA, hours=100)
    await put_hours(watch, hours_around(watch.now), **ava)
    await desk.score(NINE_DAYS)
    await watch.delivery.drain()
    assert (await watch.episode())["ping_state"] == "held"
    for _ in range(9):
        assert await watch.calls(60) == []
    if end == "removed":
        await put_hours(watch, None, **ava)
    assert await watch.calls(60 if end == "time" else 0) == [ANA]
    assert await watch.calls(14) == []
    assert await watch.calls(1) == [LEA]
    assert await watch.calls(45) == [MANAGER_ROLE]
    await watch.stop()


@pytest.mark.parametrize("hours", ["removed", "stay"])
async def test_a_claim_taken_back_waits_for_quiet_hours_only_where_they_still_hold(
    desk: Desk, hours: str
) -> None:
    ava = {"creator_id": desk.agency.ava}
    await desk.start([leaving(1)])
    watch = Watch(desk, DeskRules())
    await watch.begin(ANA, hours=100)
    await put_hours(watch, hours_around(watch.now), **ava)
    await desk.score(NINE_DAYS)
    await watch.delivery.drain()
    assert await watch.calls(60) == []
    await watch.cards.claim(watch.ben, await watch.id_of())
    await watch.tick(1)
    if hours == "removed":
        await put_hours(watch, None, **ava)
    await watch.tick(1)
    await undo_latest(watch)
    if hours == "stay":
        assert await watch.calls() == []
        assert await watch.calls(9 * 60 - 3) == []
        assert await watch.calls(1) == [ANA]
    else:
        assert await watch.calls() == [ANA]
    assert await watch.calls(14) == []
    assert await watch.calls(1) == [LEA]
    await watch.stop()


async def test_an_item_goes_nowhere_while_a_mute_keeps_calls_back(watch: Watch) -> None:
    await watch.begin(ANA, hours=100)
    until = watch.now + 8 * 60 * MS_PER_MINUTE
    await watch.desk.change(
        lambda tx: mutes.set_mute(tx, watch.desk.agency.ava, None, until, "a storm", LEA, watch.now)
    )
    for _ in range(8):
        assert await watch.calls(60) == []
    await CalmJob(watch.desk.store).run_due(watch.now)
    assert await watch.calls(14) == []
    assert await watch.calls(1) == [LEA]


@pytest.mark.parametrize("has_it", ["nobody", "ben"])
@pytest.mark.parametrize("end", ["time", "ended"])
async def test_a_snooze_that_ends_on_hold_calls_when_the_hold_is_over(
    watch: Watch, has_it: str, end: str
) -> None:
    episode_id = await watch.id_of()
    await watch.begin(BEN, hours=100)
    if has_it == "ben":
        await watch.cards.claim(watch.ben, episode_id)
    await watch.snoozing.snooze(watch.lea, episode_id, SnoozeFor.HOUR)
    fan_id, until = (await watch.episode())["fan_account_id"], watch.now + 2 * 60 * MS_PER_MINUTE
    calm = CalmService(watch.desk.store, watch, wake_delivery=watch.delivery.wake)
    hold_id = await calm.hold(watch.lea, fan_id, until if end == "time" else None, "ill")
    assert hold_id is not None
    assert await watch.calls(60) == []
    row = await watch.episode()
    assert (row["snoozed_until"], row["ping_state"]) == (None, "held")
    assert await watch.calls(60 - 1) == []
    watch.now += MS_PER_MINUTE
    if end == "time":
        await CalmJob(watch.desk.store).run_due(watch.now)
    else:
        assert (await calm.end_hold(watch.lea, hold_id)).status == "ended"
    assert await watch.calls() == [BEN if has_it == "ben" else ANA]
    if has_it == "nobody":
        # Its clock begins when it can be worked again.
        assert await watch.calls(14) == []
        assert await watch.calls(1) == [LEA]


@pytest.mark.parametrize("old", [{"failed_polls": 3}, {"synced_at": NINE_DAYS - 25 * MS_PER_HOUR}])
async def test_once_old_data_is_fresh_again_its_clock_begins_anew_and_what_was_held_is_sent(
    desk: Desk, old: dict[str, int]
) -> None:
    watch = await open_watch(desk, fans=2)
    await watch.begin(ANA, hours=100)
    await watch.snoozing.snooze(watch.ana, await watch.id_of(2), SnoozeFor.HOUR)
    await desk.set_creator(desk.agency.ava, **old)
    assert await watch.calls(60) == []
    platform = {AVA: Account([leaving(1), leaving(2)]), BEA: Account()}
    office = Office(desk, FakeApi(platform), Clock(watch.now))
    assert await office.run() == {"sync": 2}
    await watch.delivery.drain()
    assert await watch.calls() == [ANA]
    assert await watch.calls(14) == []
    # Each is on a card of its own.
    assert await watch.calls(1) == [LEA, LEA]
    await watch.stop()


async def test_a_sync_while_data_is_fresh_sends_nothing_that_is_held(watch: Watch) -> None:
    await watch.begin(ANA, hours=100)
    until = watch.now + 8 * 60 * MS_PER_MINUTE
    await watch.desk.change(
        lambda tx: mutes.set_mute(tx, watch.desk.agency.ava, None, until, "a storm", LEA, watch.now)
    )
    assert await watch.calls(15) == []
    before = await watch.episode()
    office = Office(watch.desk, FakeApi({AVA: Account([leaving(1)]), BEA: Account()}), Clock(watch.now))
    await office.run()
    assert (await watch.episode())["escalate_from_at"] == before["escalate_from_at"] > watch.now


async def test_a_persons_own_quiet_hours_keep_nothing_from_going_up(watch: Watch) -> None:
    await watch.begin(ANA, hours=100)
    await put_hours(watch, hours_around(watch.now), user_id=LEA)
    assert await watch.calls(15) == []
    assert (await watch.episode())["owner_id"] == LEA
    assert await watch.calls(45) == [MANAGER_ROLE]


@pytest.mark.parametrize("what", ["woken", "reminder"])
@pytest.mark.parametrize("how", ["changed", "removed", "undone", "longer"])
async def test_new_hours_let_go_what_the_old_ones_held(watch: Watch, what: str, how: str) -> None:
    ava, episode_id = watch.desk.agency.ava, await watch.id_of()
    quiet, late = hours_around(watch.now), hours_around(watch.now - 12 * 60 * MS_PER_MINUTE)
    calm = CalmService(watch.desk.store, watch, wake_delivery=watch.delivery.wake)
    await watch.begin(ANA, hours=100)
    if how == "undone":
        await calm.set_hours(watch.lea, late, creator_id=ava)
        watch.now += 1
    await calm.set_hours(watch.lea, quiet, creator_id=ava)
    if what == "woken":
        await watch.snoozing.snooze(watch.ana, episode_id, SnoozeFor.HOUR)
    else:
        await watch.cards.claim(watch.ana, episode_id)
    assert await watch.calls(120) == []
    row = await watch.desk.change(lambda tx: quiet_hours.find_open(tx, creator_id=ava))
    assert row is not None
    if how == "changed":
        await calm.set_hours(watch.lea, late, creator_id=ava)
    elif how == "longer":
        longer = QuietHours(quiet.starts_minute, (quiet.ends_minute + 30) % (24 * 60), "UTC")
        await calm.set_hours(watch.lea, longer, creator_id=ava)
    elif how == "removed":
        await calm.end_hours(watch.lea, row.id)
    else:
        assert await watch.desk.change(lambda tx: undo_quiet(tx, "quiet", row.id, watch.now))
    assert await watch.calls() == ([] if how == "longer" else [ANA])
    if how == "longer":
        assert await watch.calls(8 * 60 + 29) == []
        assert await watch.calls(1) == [ANA]
