"""Hand-overs on real storage: what is left, who is called, what lapses where nobody takes it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.calm import QuietHours
from bot.domain.desk import DeskRules
from bot.domain.models import MS_PER_HOUR
from bot.jobs.desk_timers import DeskTimers
from storage import claims, on_shift, quiet_hours
from storage import mentions as mention_gate
from storage.tables import cards as card_table
from storage.tables import (
    episodes,
    fan_accounts,
    fan_holds,
    followups,
    mentions,
)
from tests.bot.jobs.desk import Desk
from tests.bot.jobs.floor import AFTERNOON, BEN, CARA, LEA, MINUTE, MORNING, NINE, ONE, START, Floor
from tests.storage.conftest import DAY


@pytest.fixture
def floor(desk: Desk) -> Floor:
    return Floor(desk)


# Handing over


async def test_what_is_left_is_handed_to_who_comes_next(floor: Floor) -> None:
    first, second, _third = await floor.open()
    await floor.plan(MORNING, AFTERNOON)
    await floor.tick(NINE)
    await floor.claim(BEN, first, second, at=NINE + MINUTE)
    done = await floor.tick(ONE)
    assert (done["shifts_ended"], done["shifts_begun"], done["handovers"]) == (1, 1, 1)
    (card,) = await floor.desk.cards("h")
    assert (card["mention_kind"], card["mention_id"], card["ping_wanted"]) == ("user", CARA, True)
    assert (card["creator_id"], card["channel_id"]) == (floor.ava, 401)
    view = await floor.handover()
    assert {row.episode_id for row in view.rows} == {first, second}
    assert (view.user_id, view.next_user_id, view.at, view.is_done) == (BEN, CARA, ONE, False)
    assert [row["reason"] for row in await floor.desk.rows(mentions)].count("handover") == 1
    # The claims are still his until somebody takes them or they lapse.
    assert await floor.claimers() == [BEN, BEN, None]


async def test_with_nobody_on_the_hand_over_calls_nobody(floor: Floor) -> None:
    (first,) = await floor.open(1)
    await floor.plan(MORNING)
    await floor.tick(NINE)
    await floor.claim(BEN, first, at=NINE)
    await floor.tick(ONE)
    (card,) = await floor.desk.cards("h")
    assert (card["mention_id"], card["ping_wanted"]) == (None, False)


async def quiet_until(floor: Floor, hour: int) -> None:
    """Cara wants to hear of nothing from noon to that hour."""
    hours = QuietHours(12 * 60, hour * 60, "UTC")
    await floor.store.write(lambda tx: quiet_hours.set_hours(tx, hours, CARA, NINE, user_id=CARA))


async def called(floor: Floor) -> tuple[int | None, bool]:
    (card,) = await floor.desk.cards("h")
    return card["mention_id"], card["ping_wanted"]


async def test_quiet_hours_let_the_hand_over_out_silently_and_its_mention_when_they_end(floor: Floor) -> None:
    (first,) = await floor.open(1)
    await floor.plan(MORNING, AFTERNOON)
    await floor.tick(NINE)
    await floor.claim(BEN, first, at=NINE)
    await quiet_until(floor, 14)
    await floor.tick(ONE)
    assert await called(floor) == (CARA, False)
    assert await floor.tick(ONE + MS_PER_HOUR - 1) == {}
    assert await floor.tick(ONE + MS_PER_HOUR) == {"handovers_called": 1}
    assert await called(floor) == (CARA, True)


async def test_quiet_hours_that_somebody_ends_let_the_hand_over_call_at_once(floor: Floor) -> None:
    (first,) = await floor.open(1)
    await floor.plan(MORNING, AFTERNOON)
    await floor.tick(NINE)
    await floor.claim(BEN, first, at=NINE)
    await quiet_until(floor, 20)
    await floor.tick(ONE)

    async def end(tx: Any) -> None:
        row = await quiet_hours.find_open(tx, user_id=CARA)
        assert row is not None
        await quiet_hours.remove(tx, row.id, ONE + MINUTE)
        await mention_gate.release_held(tx, ONE + MINUTE, user_id=CARA)

    await floor.store.write(end)
    assert await floor.tick(ONE + MINUTE) == {"handovers_called": 1}
    assert await called(floor) == (CARA, True)


async def test_a_hand_over_with_nothing_left_calls_nobody_later(floor: Floor) -> None:
    (first,) = await floor.open(1)
    await floor.plan(MORNING, AFTERNOON)
    await floor.tick(NINE)
    await floor.claim(BEN, first, at=NINE)
    await quiet_until(floor, 16)
    await floor.tick(ONE)
    # Its claims lapse an hour before she wants to hear of anything.
    await floor.tick(ONE + 2 * MS_PER_HOUR)
    assert await floor.tick(ONE + 3 * MS_PER_HOUR) == {}
    assert await called(floor) == (CARA, False)


async def test_what_is_due_soon_and_whom_not_to_contact_stand_on_the_card(floor: Floor) -> None:
    _first, second, third = await floor.open()
    fans = [row["id"] for row in await floor.desk.rows(fan_accounts)]
    await floor.plan(MORNING)
    await floor.tick(NINE)

    async def write(tx: Any) -> None:
        for episode_id, until in ((second, ONE + 2 * MS_PER_HOUR), (third, ONE + 3 * DAY)):
            await tx.execute(
                episodes.update()
                .where(episodes.c.agency_id == tx.agency_id, episodes.c.id == episode_id)
                .values(snoozed_until=until, snoozed_by=BEN)
            )
        for number, (due_at, who, state) in enumerate(
            [
                (ONE + MS_PER_HOUR, None, "open"),
                (ONE + 2 * MS_PER_HOUR, BEN, "open"),
                (ONE + MS_PER_HOUR, LEA, "open"),
                (ONE + 3 * DAY, BEN, "open"),
                (ONE, BEN, "done"),
            ]
        ):
            await tx.execute(
                followups.insert().values(
                    agency_id=tx.agency_id,
                    id=tx.ids.next(),
                    creator_id=floor.ava,
                    fan_account_id=fans[0],
                    what=f"promise {number}",
                    due_at=due_at,
                    assignee_id=who,
                    promise=True,
                    state=state,
                    created_by=BEN,
                    created_at=NINE,
                    request=f"r{number}",
                )
            )
        for fan, until_at, ended_at in ((fans[1], None, None), (fans[2], ONE, None)):
            await tx.execute(
                fan_holds.insert().values(
                    agency_id=tx.agency_id,
                    id=tx.ids.next(),
                    creator_id=floor.ava,
                    fan_account_id=fan,
                    until_at=until_at,
                    reason="asked for quiet",
                    created_by=LEA,
                    created_at=NINE,
                    ended_at=ended_at,
                )
            )

    await floor.store.write(write)
    await floor.tick(ONE)
    view = await floor.handover()
    assert view.rows == ()
    assert [row.episode_id for row in view.snoozes] == [second]
    assert [note.text for note in view.followups] == ["promise 0", "promise 1"]
    assert [(note.text, note.user_id) for note in view.holds] == [("asked for quiet", LEA)]
    assert not view.is_done


async def test_a_hold_alone_is_no_hand_over(floor: Floor) -> None:
    await floor.open(1)
    (fan,) = [row["id"] for row in await floor.desk.rows(fan_accounts)]
    await floor.plan(MORNING)
    await floor.tick(NINE)
    await floor.store.write(
        lambda tx: tx.execute(
            fan_holds.insert().values(
                agency_id=tx.agency_id,
                id=tx.ids.next(),
                creator_id=floor.ava,
                fan_account_id=fan,
                reason="quiet",
                created_by=LEA,
                created_at=NINE,
            )
        )
    )
    assert await floor.tick(ONE) == {"shifts_ended": 1}


# Lapsing


async def test_what_nobody_takes_lapses_two_hours_later_and_goes_to_who_is_on(floor: Floor) -> None:
    first, second, _third = await floor.open()
    await floor.plan(MORNING, AFTERNOON)
    await floor.tick(NINE)
    await floor.claim(BEN, first, second, at=NINE + MINUTE)
    await floor.tick(ONE)
    late = ONE + 2 * MS_PER_HOUR
    assert await floor.tick(late - 1) == {}
    done = await floor.tick(late)
    assert done["claims_lapsed"] == 1
    assert await floor.claimers() == [None, None, None]
    assert (await floor.changes())[-2:] == [("lapsed", None), ("lapsed", None)]
    rows = await floor.desk.episodes()
    for row in rows.values():
        if row["id"] in (first, second):
            assert (row["owner_kind"], row["owner_id"]) == ("user", CARA)
            assert (row["escalate_from_at"], row["escalation_stage"]) == (late, 0)
    view = await floor.handover()
    assert (view.is_done, view.lapsed, view.rows) == (True, 2, ())


async def test_who_gets_what_has_lapsed_is_called_at_once(floor: Floor) -> None:
    first, second = await floor.open(2)
    await floor.plan(MORNING, AFTERNOON)
    await floor.tick(NINE)
    await floor.claim(BEN, first, second, at=NINE + MINUTE)
    # One of them is a flag by then, about which nobody is called.
    await floor.store.write(
        lambda tx: tx.execute(
            episodes.update()
            .where(episodes.c.agency_id == tx.agency_id, episodes.c.id == second)
            .values(tier="flag")
        )
    )
    await floor.tick(ONE)
    # What was said up to now has been sent.
    sent = card_table.update().where(card_table.c.agency_id == floor.store.agency_id)
    await floor.store.write(lambda tx: tx.execute(sent.values(ping_wanted=False)))
    late = ONE + 2 * MS_PER_HOUR
    await floor.tick(late)
    assert await DeskTimers(floor.store, DeskRules()).run_due(late) == {"held": 1}
    cards = {row["id"]: row for row in await floor.desk.cards()}
    rows = {row["id"]: row for row in (await floor.desk.episodes()).values()}
    card = cards[rows[first]["card_id"]]
    assert (card["mention_kind"], card["mention_id"], card["ping_wanted"]) == ("user", CARA, True)
    last = (await floor.desk.rows(mentions))[-1]
    assert (last["reason"], last["discord_id"]) == ("held", CARA)
    assert await DeskTimers(floor.store, DeskRules()).run_due(late + MINUTE) == {}


async def test_who_comes_back_keeps_the_claims_and_ends_the_hand_over(floor: Floor) -> None:
    (first,) = await floor.open(1)
    await floor.plan(MORNING)
    await floor.tick(NINE)
    await floor.claim(BEN, first, at=NINE)
    await floor.tick(ONE)
    await floor.store.write(lambda tx: on_shift.begin_by_claim(tx, floor.ava, BEN, ONE + MS_PER_HOUR))
    assert await floor.tick(ONE + MS_PER_HOUR) == {"handovers_closed": 1}
    assert (await floor.handover()).is_done
    assert await floor.tick(ONE + 2 * MS_PER_HOUR) == {}
    assert await floor.claimers() == [BEN]


async def test_what_is_claimed_after_the_end_does_not_lapse_with_the_rest(floor: Floor) -> None:
    first, second, _ = await floor.open()
    await floor.plan(MORNING)
    await floor.tick(NINE)
    await floor.claim(BEN, first, at=NINE)
    await floor.tick(ONE)
    # A lead gives him another one while he is off.
    await floor.store.write(lambda tx: claims.claim(tx, second, BEN, ONE + MINUTE))
    await floor.tick(ONE + 2 * MS_PER_HOUR)
    by_id = {row["id"]: row["claimed_by"] for row in (await floor.desk.episodes()).values()}
    assert (by_id[first], by_id[second]) == (None, BEN)


async def test_a_claim_that_sleeps_lapses_but_its_sleeper_is_asked_when_it_wakes(floor: Floor) -> None:
    (first,) = await floor.open(1)
    await floor.plan(MORNING, AFTERNOON)
    await floor.tick(NINE)
    await floor.claim(BEN, first, at=NINE)
    await floor.store.write(
        lambda tx: tx.execute(
            episodes.update()
            .where(episodes.c.agency_id == tx.agency_id, episodes.c.id == first)
            .values(snoozed_until=START + 2 * DAY, snoozed_by=BEN, escalate_from_at=None)
        )
    )
    await floor.tick(ONE)
    await floor.tick(ONE + 2 * MS_PER_HOUR)
    (row,) = (await floor.desk.episodes()).values()
    assert (row["claimed_by"], row["owner_id"], row["escalate_from_at"]) == (None, BEN, None)


async def test_a_jump_over_the_end_and_the_lapse_posts_no_hand_over(floor: Floor) -> None:
    (first,) = await floor.open(1)
    await floor.plan(MORNING)
    await floor.tick(NINE)
    await floor.claim(BEN, first, at=NINE)
    done = await floor.tick(ONE + 5 * MS_PER_HOUR)
    assert (done["shifts_ended"], done["claims_lapsed"]) == (1, 1)
    assert await floor.desk.cards("h") == []
    assert await floor.claimers() == [None]
    # It ended with the plan, not when it was noticed.
    assert (await floor.sessions())[0]["ended_at"] == ONE


async def test_a_jump_into_the_next_days_shift_ends_yesterdays(floor: Floor) -> None:
    (first,) = await floor.open(1)
    await floor.plan(MORNING)
    await floor.tick(NINE)
    await floor.claim(BEN, first, at=NINE)
    done = await floor.tick(NINE + DAY + MS_PER_HOUR)
    assert (done["shifts_ended"], done["shifts_begun"]) == (1, 1)
    # He is back on before anybody noticed that he had gone: what he has is his.
    assert await floor.claimers() == [BEN]
    assert (await floor.on())[BEN].started_at == NINE + DAY


async def test_the_card_follows_its_claims_and_is_over_after_a_day(floor: Floor) -> None:
    first, second, _ = await floor.open()
    await floor.plan(MORNING)
    await floor.tick(NINE)
    await floor.claim(BEN, first, second, at=NINE)
    await floor.tick(ONE)

    async def wanted() -> int:
        (card,) = await floor.desk.cards("h")
        return int(card["wanted_version"])

    before = await wanted()
    # A lead releases one of them on its own card.
    await floor.store.write(lambda tx: claims.release(tx, first, LEA, ONE + MINUTE, may_release_others=True))
    assert await floor.tick(ONE + MINUTE) == {"handovers_shown": 1}
    assert await wanted() == before + 1
    assert [row.episode_id for row in (await floor.handover()).rows] == [second]
    await floor.tick(ONE + 2 * MS_PER_HOUR)
    assert (await floor.tick(ONE + DAY)).get("handovers_closed") == 1
    assert [row["closed_at"] for row in await floor.desk.rows(card_table) if row["kind"] == "h"] == [
        ONE + DAY
    ]
