"""Shifts on real storage: begun and ended by plan and by time, handed over, and lapsed where nobody takes over."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.models import MS_PER_HOUR, AccessTier, Viewer
from bot.domain.shifts import PlannedShift
from bot.domain.views import HandoverCard
from bot.jobs.shifts import ShiftsJob
from storage import card_views, claims, handovers, on_shift, roster, shifts
from storage.on_shift import OnShift
from storage.tables import cards as card_table
from storage.tables import (
    episode_events,
    episodes,
    fan_accounts,
    fan_holds,
    followups,
    mentions,
    shift_sessions,
)
from tests.bot.jobs.desk import NINE_DAYS, Desk, leaving
from tests.storage.conftest import DAY, NOW

ANA, LEA, BEN, CARA = 301, 302, 303, 304
ALL_DAYS = frozenset(range(1, 8))
MORNING = PlannedShift(BEN, ALL_DAYS, 9 * 60, 13 * 60, "UTC")
AFTERNOON = PlannedShift(CARA, ALL_DAYS, 13 * 60, 21 * 60, "UTC")
START = NINE_DAYS
"""08:00 UTC; the morning's shift begins an hour later."""
NINE, ONE = START + MS_PER_HOUR, START + 5 * MS_PER_HOUR
MINUTE = 60_000


class Floor:
    """A team at work for Ava; every tick is that of a process just started."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.store = desk.store
        self.ava = desk.agency.ava

    async def tick(self, now_ms: int) -> dict[str, int]:
        done = await ShiftsJob(self.store).run_due(now_ms)
        # Nothing is done twice.
        assert await ShiftsJob(self.store).run_due(now_ms) == {}
        return done

    async def plan(self, *planned: PlannedShift) -> None:
        for one in planned:
            await self.store.write(lambda tx, one=one: shifts.add_shift(tx, self.ava, one, NOW))

    async def on(self) -> dict[int, OnShift]:
        async with self.store.read() as tx:
            found = (await on_shift.list_on(tx)).get(self.ava, ())
        return {one.user_id: one for one in found}

    async def sessions(self) -> list[dict[str, Any]]:
        return await self.desk.rows(shift_sessions)

    async def open(self, count: int = 3) -> list[int]:
        """So many action items; their episode ids, oldest first."""
        await self.desk.start([leaving(n) for n in range(1, count + 1)])
        await self.desk.score(START)
        return [row["id"] for row in (await self.desk.episodes()).values()]

    async def claim(self, user_id: int, *episode_ids: int, at: int) -> None:
        async def write(tx: Any) -> None:
            for one in episode_ids:
                assert (await claims.claim(tx, one, user_id, at))[0] == "claimed"
            await on_shift.begin_by_claim(tx, self.ava, user_id, at)

        await self.store.write(write)

    async def claimers(self) -> list[int | None]:
        return [row["claimed_by"] for row in (await self.desk.episodes()).values()]

    async def handovers(self) -> list[HandoverCard]:
        found: list[HandoverCard] = []
        for card in await self.desk.cards("h"):
            async with self.store.read() as tx:
                view = await card_views.load_view(tx, card["id"])
            assert isinstance(view, HandoverCard)
            found.append(view)
        return found

    async def handover(self) -> HandoverCard:
        (found,) = await self.handovers()
        return found

    async def changes(self) -> list[tuple[str, int | None]]:
        return [
            (row["change"], row["actor_id"])
            for row in await self.desk.rows(episode_events)
            if row["change"] in ("claimed", "lapsed")
        ]


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
