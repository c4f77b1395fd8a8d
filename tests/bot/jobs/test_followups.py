"""Reminders on a real database: when they go out, whom they call, and what their cards then show."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from sqlalchemy import update

from bot.domain.calm import QuietHours
from bot.domain.followups import LONGEST_WAIT_MS, next_day
from bot.domain.models import AlertTier, CardKind, Change, Decision
from bot.domain.views import FollowupCard
from storage import claims, creator_settings, desk_actions, handover_claims, mentions, quiet_hours, roster
from storage.engine import Tx
from storage.episode_changes import EpisodeChange, RunContext, apply_changes
from storage.followups import find_next
from storage.mentions import ASK_AGAIN_MS, Verdict
from storage.on_shift import Ended
from storage.tables import cards, creators, fan_holds
from storage.tables import mentions as mentioned
from tests.bot.services.followup_desk import ANA, EVE, HOUR, LEA, Desk, open_desk
from tests.storage.conftest import DAY, NOW
from tests.storage.undone import restore

DUE = NOW + DAY
CHATTER = 301
"""The default chatter of Ava, by ROSTER."""


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened


async def run(desk: Desk, at: int) -> list[tuple[int | None, bool]]:
    """Whom the reminders' cards mention, and whether they ping, after the job ran at that time."""
    desk.now = at
    await desk.job.run_due(at)
    return [(card["mention_id"], card["ping_wanted"]) for card in await reminders(desk)]


async def reminders(desk: Desk) -> list[dict[str, object]]:
    return [card for card in await desk.rows(cards) if card["code"] == "followup"]


async def card(desk: Desk, number: int = -1) -> FollowupCard:
    found = await desk.view(int((await reminders(desk))[number]["id"]))  # type: ignore[call-overload]
    assert isinstance(found, FollowupCard)
    return found


async def test_it_calls_whoever_has_it_once_at_its_time(desk: Desk) -> None:
    row = await desk.add("Send the set", due_at=DUE, promise=True)
    await desk.come_on(EVE)
    await desk.come_on(ANA)
    assert await run(desk, DUE - 1) == []
    assert await desk.job.run_due(DUE - 1) == {}
    assert await run(desk, DUE) == [(ANA, True)]
    assert await run(desk, DUE + DAY) == [(ANA, True)]
    assert await desk.job.run_due(DUE + DAY) == {}
    (sent,) = await reminders(desk)
    assert (sent["kind"], sent["channel_id"], sent["closed_at"]) == (CardKind.NOTICE.value, 401, None)
    shown = await card(desk)
    assert (shown.followup_id, shown.what, shown.promise, shown.put_off, shown.on_hold) == (
        row.id,
        "Send the set",
        True,
        False,
        False,
    )
    assert [(m["discord_id"], m["reason"]) for m in await desk.rows(mentioned)] == [(ANA, "followup")]


async def test_whoever_is_on_shift_is_called_for_who_is_not(desk: Desk) -> None:
    await desk.add(due_at=DUE)
    await desk.come_on(EVE)
    assert await run(desk, DUE) == [(EVE, True)]


async def test_a_lead_on_shift_is_called_to_her_own_though_chatters_are_on(desk: Desk) -> None:
    await desk.store.write(lambda tx: roster.put_member(tx, desk.lea))
    await desk.add(due_at=DUE, to=desk.lea, request="hers")
    await desk.add(due_at=DUE, to=desk.eve, request="of somebody off")
    await desk.come_on(LEA)
    await desk.come_on(ANA)
    assert await run(desk, DUE) == [(LEA, True), (ANA, True)]


async def test_with_nobody_there_it_waits_for_somebody_to_come(desk: Desk) -> None:
    await desk.add(due_at=DUE)
    await desk.come_on(EVE, desk.bea)
    assert await run(desk, DUE + 3 * HOUR) == []
    await desk.come_on(EVE)
    assert await run(desk, DUE + 3 * HOUR) == [(EVE, True)]


async def test_it_waits_twelve_hours_at_the_longest(desk: Desk) -> None:
    await desk.add(due_at=DUE, to=desk.eve)
    assert await run(desk, DUE + LONGEST_WAIT_MS - 1) == []
    assert await run(desk, DUE + LONGEST_WAIT_MS) == [(EVE, True)]


@pytest.mark.parametrize(("who", "instead"), [(EVE, CHATTER), (CHATTER, LEA)])
async def test_who_no_longer_works_here_is_not_called(desk: Desk, who: int, instead: int) -> None:
    await desk.add(due_at=DUE, to=desk.eve if who == EVE else desk.ana)
    desk.gone = {who}
    assert await run(desk, DUE + DAY) == [(instead, True)]


async def test_who_left_in_the_middle_of_a_shift_is_not_called_either(desk: Desk) -> None:
    await desk.add(due_at=DUE)
    await desk.come_on(ANA)
    await desk.come_on(EVE)
    desk.gone = {ANA}
    assert await run(desk, DUE) == [(EVE, True)]


async def test_a_jump_over_several_sends_each_once(desk: Desk) -> None:
    for number in range(3):
        await desk.add(due_at=DUE + number * HOUR, request=f"r{number}")
    await desk.come_on(ANA)
    assert len(await run(desk, DUE + 3 * DAY)) == 3
    assert await desk.job.run_due(DUE + 3 * DAY) == {}


async def test_what_was_closed_before_is_not_sent(desk: Desk) -> None:
    done, withdrawn = await desk.add(due_at=DUE, request="a"), await desk.add(due_at=DUE, request="b")
    await desk.followups.done(desk.ana, done.id)
    await desk.followups.withdraw(desk.ana, withdrawn.id)
    assert await run(desk, DUE + DAY) == []


# Mentions that may not be sent


async def set_quiet(desk: Desk, **of: int) -> int:
    """Quiet hours of a person or a channel, from an hour before DUE to an hour after it."""
    hours = QuietHours(8 * 60, 10 * 60, "Europe/Paris")
    return await desk.store.write(lambda tx: quiet_hours.set_hours(tx, hours, LEA, NOW, **of))


async def test_quiet_hours_let_the_card_out_silently_and_its_mention_when_they_end(desk: Desk) -> None:
    await set_quiet(desk, user_id=ANA)
    await desk.add(due_at=DUE)
    await desk.come_on(ANA)
    assert await run(desk, DUE) == [(ANA, False)]
    assert await desk.job.run_due(DUE + HOUR - 1) == {}
    (before,) = await reminders(desk)
    assert await run(desk, DUE + HOUR) == [(ANA, True)]
    (after,) = await reminders(desk)
    assert (after["id"], after["wanted_version"]) == (before["id"], 2)
    assert [m["reason"] for m in await desk.rows(mentioned)] == ["followup"]
    # Once.
    assert await desk.job.run_due(DUE + DAY) == {}


@pytest.mark.parametrize("whose", ["user_id", "creator_id"])
@pytest.mark.parametrize("to", ["ana", "lea"])
async def test_quiet_hours_that_somebody_ends_let_the_mention_go_at_once(
    desk: Desk, whose: str, to: str
) -> None:
    row_id = await set_quiet(desk, **{whose: ANA if whose == "user_id" else desk.ava})
    await desk.add(due_at=DUE, to=getattr(desk, to))
    # The lead is off: her reminder is for Ana.
    await desk.come_on(ANA)
    assert await run(desk, DUE) == [(ANA, False)]

    async def end(tx: Tx) -> None:
        await quiet_hours.remove(tx, row_id, DUE)
        of = {whose: ANA if whose == "user_id" else desk.ava}
        await mentions.release_held(tx, DUE + 1, **of)

    await desk.store.write(end)
    assert await run(desk, DUE + 1) == [(ANA, True)]


@pytest.mark.parametrize(
    ("verdict", "again_at"),
    [(Verdict("held", DUE), DUE + 60_000), (Verdict("digest"), DUE + ASK_AGAIN_MS)],
)
async def test_a_mention_that_may_not_be_is_asked_for_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, verdict: Verdict, again_at: int
) -> None:
    async def call(*_args: object, **_named: object) -> Verdict:
        return verdict

    await desk.add(due_at=DUE)
    await desk.come_on(ANA)
    with monkeypatch.context() as patched:
        patched.setattr(mentions, "call", call)
        assert await run(desk, DUE) == [(ANA, False)]
    assert await run(desk, again_at - 1) == [(ANA, False)]
    assert await run(desk, again_at) == [(ANA, True)]


async def test_a_follow_up_that_is_done_calls_nobody_later_unless_that_is_undone(desk: Desk) -> None:
    await set_quiet(desk, user_id=ANA)
    row = await desk.add(due_at=DUE)
    await desk.come_on(ANA)
    await run(desk, DUE)
    await desk.followups.done(desk.ana, row.id)
    assert await run(desk, DUE + HOUR) == [(ANA, False)]
    assert await desk.undo(desk.ana)
    assert await run(desk, DUE + HOUR) == [(ANA, True)]


async def test_one_put_off_calls_on_its_new_card_alone(desk: Desk) -> None:
    await set_quiet(desk, user_id=ANA)
    row = await desk.add(due_at=DUE)
    await desk.come_on(ANA)
    await run(desk, DUE)
    await desk.followups.put_off(desk.ana, row.id, DUE // 1_000)
    assert await run(desk, DUE + HOUR) == [(ANA, False)]
    assert await run(desk, DUE + DAY) == [(ANA, False), (ANA, False)]
    assert await run(desk, DUE + DAY + HOUR) == [(ANA, False), (ANA, True)]


async def test_the_card_is_over_when_the_follow_up_is(desk: Desk) -> None:
    row = await desk.add(due_at=DUE)
    await desk.come_on(ANA)
    await run(desk, DUE)
    before = (await reminders(desk))[0]["wanted_version"]
    await desk.followups.done(desk.ana, row.id)
    shown = await card(desk)
    assert (shown.state, shown.done_by) == ("done", ANA)
    assert (await reminders(desk))[0]["wanted_version"] == before + 1  # type: ignore[operator]


async def test_what_is_put_off_is_sent_again_on_a_card_of_its_own(desk: Desk) -> None:
    row = await desk.add(due_at=DUE)
    await desk.come_on(ANA)
    await run(desk, DUE)
    await desk.followups.put_off(desk.ana, row.id, DUE // 1_000)
    assert (await card(desk)).put_off
    assert await run(desk, DUE + HOUR) == [(ANA, True)]
    assert len(await run(desk, DUE + DAY)) == 2
    assert ((await card(desk, 0)).put_off, (await card(desk, 1)).put_off) == (True, False)
    # Undone while nothing was sent it is due as before, on the first card.
    await desk.followups.put_off(desk.ana, row.id, (DUE + DAY) // 1_000)
    assert await desk.undo(desk.ana)
    assert not (await card(desk, 1)).put_off


async def test_a_fan_on_hold_is_left_alone_until_that_ends(desk: Desk) -> None:
    await desk.add(due_at=DUE)
    await desk.hold(DUE + 5 * HOUR)
    await desk.come_on(ANA)
    assert await run(desk, DUE + HOUR) == []
    assert await desk.job.run_due(DUE + HOUR) == {}
    assert await run(desk, DUE + 5 * HOUR) == [(ANA, True)]


async def test_a_promise_on_hold_is_shown_all_the_same_and_calls_nobody(desk: Desk) -> None:
    await desk.add(due_at=DUE, promise=True)
    await desk.hold(None)
    await desk.come_on(ANA)
    assert await run(desk, DUE) == [(ANA, False)]
    assert (await card(desk)).on_hold
    assert await desk.job.run_due(DUE + 3 * DAY) == {}


async def test_a_promise_on_hold_calls_when_that_ends(desk: Desk) -> None:
    await desk.add(due_at=DUE, promise=True)
    await desk.hold(None)
    await desk.come_on(ANA)
    await run(desk, DUE)

    async def end(tx: Tx) -> None:
        await tx.execute(fan_holds.update().where(fan_holds.c.agency_id == tx.agency_id).values(ended_at=DUE))
        await mentions.release_held(tx, DUE + 1, fan_account_id=desk.fan)

    await desk.store.write(end)
    assert await run(desk, DUE + 1) == [(ANA, True)]


async def test_a_paused_creator_still_has_promises_and_a_retired_one_has_nobody_to_keep_them(
    desk: Desk,
) -> None:
    await desk.add(due_at=DUE, request="a")
    await desk.come_on(ANA)

    async def set_creator(**values: object) -> None:
        await desk.store.write(
            lambda tx: tx.execute(
                update(creators)
                .where(creators.c.agency_id == tx.agency_id, creators.c.id == desk.ava)
                .values(**values)
            )
        )

    await set_creator(retired_at=NOW)
    assert await run(desk, DUE + DAY) == []
    await set_creator(retired_at=None, paused_reason="asked", channel_id=777)
    await run(desk, DUE + DAY)
    (sent,) = await reminders(desk)
    assert sent["channel_id"] == 777


async def test_a_reminder_is_no_trouble_of_the_creator(desk: Desk) -> None:
    await desk.add(due_at=DUE)
    await desk.come_on(ANA)
    await run(desk, DUE)
    async with desk.store.read() as tx:
        assert await creator_settings.open_troubles(tx) == {}


async def test_a_hidden_fan_is_not_told_of_by_what_is_to_be_done(desk: Desk) -> None:
    await desk.add("Ask user1 about his dog", due_at=DUE)
    await desk.store.write(
        lambda tx: tx.execute(
            update(creators).where(creators.c.agency_id == tx.agency_id).values(name_mode="hidden")
        )
    )
    await desk.come_on(ANA)
    await run(desk, DUE)
    shown = await card(desk)
    assert (shown.what, shown.fan.username, shown.fan.platform_fan_id) == (None, None, "")
    episode_id = await desk.episode()
    (before,) = await reminders(desk)
    await desk.store.write(lambda tx: claims.claim(tx, episode_id, ANA, DUE))
    (after,) = await reminders(desk)
    assert after["wanted_version"] == int(str(before["wanted_version"])) + 1
    shown = await card(desk)
    assert (shown.what, shown.fan.username) == ("Ask user1 about his dog", "user1")
    # What was named is hidden again, in Discord as well.
    await desk.store.write(lambda tx: claims.release(tx, episode_id, ANA, DUE, may_release_others=False))
    (released,) = await reminders(desk)
    assert released["wanted_version"] == int(str(before["wanted_version"])) + 2
    assert (await card(desk)).fan.username is None


@pytest.mark.parametrize("gone", ["undone", "lapsed", "cleared"])
async def test_a_hidden_fan_is_hidden_again_however_the_claim_goes(desk: Desk, gone: str) -> None:
    await desk.add("Ask user1 about his dog", due_at=DUE)
    await desk.store.write(
        lambda tx: tx.execute(
            update(creators).where(creators.c.agency_id == tx.agency_id).values(name_mode="hidden")
        )
    )
    await desk.come_on(ANA)
    await run(desk, DUE)
    episode_id = await desk.episode()

    async def claim(tx: Tx) -> int:
        before = await desk_actions.snapshot(tx, [episode_id])
        await claims.claim(tx, episode_id, ANA, DUE)
        return await desk_actions.record(
            tx, ANA, "claim", "episode", episode_id, desk.ava, DUE, DUE, before=before
        )

    action_id = await desk.store.write(claim)
    (named,) = await reminders(desk)
    assert (await card(desk)).fan.username == "user1"

    async def let_go(tx: Tx) -> None:
        creator = await roster.get_creator(tx, desk.ava)
        assert creator is not None
        if gone == "undone":
            await restore(tx, action_id)
        elif gone == "lapsed":
            await handover_claims.lapse(tx, creator, Ended(1, desk.ava, ANA, DUE, DUE), DUE)
        else:
            over = Decision(Change.CLEARED, None, "below_clear")
            change = EpisodeChange(
                episode_id, desk.ava, desk.fan, over, AlertTier.ACTION, 10.0, (), None, None, "USD"
            )
            await apply_changes(tx, RunContext(2, DUE, False, creator), [change])

    await desk.store.write(let_go)
    assert (await card(desk)).fan.username is None
    (hidden,) = await reminders(desk)
    assert int(str(hidden["wanted_version"])) > int(str(named["wanted_version"]))


async def test_the_fans_alert_is_shown_again_with_the_next_follow_up(desk: Desk) -> None:
    first = await desk.add("first", due_at=DUE, request="a")
    await desk.add("second", due_at=DUE + HOUR, request="b", promise=True)
    async with desk.store.read() as tx:
        due = await find_next(tx, desk.fan)
        assert due is not None
        assert (due.followup_id, due.what) == (first.id, "first")
    await desk.followups.done(desk.ana, first.id)
    async with desk.store.read() as tx:
        due = await find_next(tx, desk.fan)
    assert due is not None
    assert (due.what, due.promise) == ("second", True)


def test_the_next_day_is_by_the_local_clock_also_when_it_changes() -> None:
    paris = ZoneInfo("Europe/Paris")
    # Saturday 28 March 2026, 18:00 in Paris; on Sunday the clocks go forward.
    saturday = 1_774_717_200_000
    assert next_day(saturday, saturday + HOUR, paris) == saturday + 23 * HOUR
    assert next_day(saturday, saturday + 2 * DAY, paris) == saturday + 3 * DAY - HOUR
