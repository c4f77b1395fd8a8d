"""What people do about shifts, on a real database: come on, go off, plan, take over, take back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from bot.domain.desk import DeskRules
from bot.domain.models import MS_PER_HOUR, AccessTier, Viewer
from bot.domain.shifts import PlannedShift
from bot.domain.views import HandoverCard, Owner
from bot.jobs.shifts import ShiftsJob
from bot.services.shifts import ShiftService, TakeResult
from storage import claims, desk_actions, handovers, holds, on_shift, routing, shifts
from storage.engine import Tx
from storage.tables import audit_log, shift_sessions
from tests.bot.jobs.desk import NINE_DAYS, Desk, leaving, open_desk
from tests.storage.conftest import Agency, agency, database_url, postgres_server, postgres_url, storage
from tests.storage.undone import restore

__all__ = ["agency", "database_url", "postgres_server", "postgres_url", "storage"]

ANA_ID, LEA_ID, BEN_ID = 301, 302, 303
WEEK = frozenset(range(1, 8))
NOON_TO_SIX = PlannedShift(ANA_ID, WEEK, 12 * 60, 18 * 60, "UTC")
START = NINE_DAYS
"""08:00 UTC."""
SIX = START + 10 * MS_PER_HOUR


@dataclass
class Team:
    """Ana and Ben chat for Ava, Ben for Bea as well, Lea leads both; `now` can be set."""

    desk: Desk
    now: int = START

    def __post_init__(self) -> None:
        one = self.desk.agency
        self.store, self.ava, self.bea = self.desk.store, one.ava, one.bea
        self.shifts = ShiftService(self.store, self, DeskRules())
        both = frozenset({one.ava, one.bea})
        self.ana = Viewer(ANA_ID, AccessTier.CHATTER, frozenset({one.ava}))
        self.ben = Viewer(BEN_ID, AccessTier.CHATTER, both)
        self.lea = Viewer(LEA_ID, AccessTier.LEAD, both)
        self.stranger = Viewer(999, AccessTier.CHATTER, frozenset({one.bea}))

    def now_ms(self) -> int:
        return self.now

    async def open(self, count: int = 3) -> list[int]:
        await self.desk.start([leaving(n) for n in range(1, count + 1)])
        await self.desk.score(START)
        return [row["id"] for row in (await self.desk.episodes()).values()]

    async def claim(self, user_id: int, *episode_ids: int) -> None:
        async def write(tx: Tx) -> None:
            for one in episode_ids:
                assert (await claims.claim(tx, one, user_id, self.now))[0] == "claimed"
            await on_shift.begin_by_claim(tx, self.ava, user_id, self.now)

        await self.store.write(write)

    async def claimers(self) -> list[int | None]:
        return [row["claimed_by"] for row in (await self.desk.episodes()).values()]

    async def on(self, creator_id: int) -> list[int]:
        async with self.store.read() as tx:
            return [one.user_id for one in (await on_shift.list_on(tx)).get(creator_id, ())]

    async def owner(self) -> Owner | None:
        creator = await self.desk.creator()
        async with self.store.read() as tx:
            return (await routing.choose_owners(tx, creator, [1]))[1]

    async def card(self) -> int:
        (found,) = await self.desk.cards("h")
        return int(found["id"])

    async def view(self, viewer: Viewer) -> HandoverCard:
        found = await self.shifts.load_handover(viewer, await self.card())
        assert found is not None
        return found

    async def audited(self) -> list[tuple[str, int]]:
        return [(row["action"], row["actor_id"]) for row in await self.desk.rows(audit_log)]

    async def undo(self, user_id: int) -> bool:
        """The last thing somebody did to a shift."""
        async with self.store.read() as tx:
            action = (await desk_actions.list_recent(tx, user_id, 0, 1))[0]
        viewer = {ANA_ID: self.ana, BEN_ID: self.ben}.get(user_id, self.lea)
        return await self.store.write(lambda tx: self.shifts.undo(tx, viewer, action)) is not None


@pytest_asyncio.fixture
async def team(agency: Agency) -> AsyncIterator[Team]:
    yield Team(await open_desk(agency))


async def test_a_shift_begins_for_ones_own_creators_and_once(team: Team) -> None:
    (done,) = await team.shifts.start(team.ana, {team.ava, team.bea})
    assert (done.creator_name, done.until_at, done.already) == ("Ava", START + 10 * MS_PER_HOUR, False)
    (again,) = await team.shifts.start(team.ana, {team.ava})
    assert (again.already, again.until_at) == (True, done.until_at)
    assert (await team.on(team.ava), await team.on(team.bea)) == ([ANA_ID], [])
    assert await team.audited() == [("shift_start", ANA_ID)]
    assert await team.shifts.start(team.stranger, {team.ava}) == []


async def test_within_a_planned_shift_it_lasts_as_planned(team: Team) -> None:
    await team.store.write(lambda tx: shifts.add_shift(tx, team.ava, NOON_TO_SIX, 0))
    team.now = SIX - MS_PER_HOUR
    (done,) = await team.shifts.start(team.ana, {team.ava})
    assert done.until_at == SIX


async def test_the_end_is_for_all_creators_and_says_what_was_left(team: Team) -> None:
    first, second, _ = await team.open()
    await team.shifts.start(team.ben, {team.ava, team.bea})
    await team.claim(BEN_ID, first, second)
    team.now += MS_PER_HOUR
    ava, bea = await team.shifts.end(team.ben)
    assert (ava.creator_name, ava.claims, ava.posted) == ("Ava", 2, True)
    assert (bea.creator_name, bea.claims, bea.posted) == ("Bea", 0, False)
    assert await team.shifts.end(team.ben) == []
    assert len(await team.desk.cards("h")) == 1
    assert [row["ended_how"] for row in await team.desk.rows(shift_sessions)] == ["end", "end"]


async def test_all_is_taken_by_the_first_who_presses(team: Team) -> None:
    first, second, _ = await team.open()
    await team.claim(BEN_ID, first, second)
    await team.shifts.end(team.ben)
    card = await team.card()
    results = await asyncio.gather(
        team.shifts.take(team.ana, card, None), team.shifts.take(team.lea, card, None)
    )
    assert sorted(one.status for one in results) == ["nothing", "taken"]
    winner = ANA_ID if results[0].status == "taken" else LEA_ID
    assert await team.claimers() == [winner, winner, None]
    assert await team.on(team.ava) == [winner]
    view = await team.view(team.ana)
    assert (view.is_done, view.taken) == (True, ((winner, 2),))
    assert await team.shifts.take(team.ana, card, None) == TakeResult("nothing")
    # Nothing lapses of what has been taken.
    await ShiftsJob(team.store).run_due(team.now + 2 * MS_PER_HOUR)
    assert await team.claimers() == [winner, winner, None]


async def test_one_may_be_taken_and_the_rest_stays(team: Team) -> None:
    first, second, third = await team.open()
    await team.claim(BEN_ID, first, second)
    await team.shifts.end(team.ben)
    card = await team.card()
    taken = await team.shifts.take(team.ana, card, first)
    assert (taken.status, taken.count) == ("taken", 1)
    assert await team.shifts.take(team.lea, card, first) == TakeResult("nothing")
    # What is not on the card is not to be had by it.
    assert await team.shifts.take(team.ana, card, third) == TakeResult("not_found")
    assert [row.episode_id for row in (await team.view(team.ana)).rows] == [second]


async def test_whom_nobody_is_to_contact_stays_when_the_rest_is_taken(team: Team) -> None:
    first, second, _ = await team.open()
    await team.claim(BEN_ID, first, second)
    await team.shifts.end(team.ben)
    fan_id = next(
        row["fan_account_id"] for row in (await team.desk.episodes()).values() if row["id"] == first
    )
    await team.store.write(lambda tx: holds.set_hold(tx, team.ava, fan_id, None, "ill", LEA_ID, team.now))
    card = await team.card()
    assert await team.shifts.take(team.ana, card, first) == TakeResult("on_hold")
    taken = await team.shifts.take(team.ana, card, None)
    assert (taken.status, taken.count, taken.held) == ("taken", 1, 1)
    assert await team.claimers() == [BEN_ID, ANA_ID, None]
    # It is about one alert, whose menu can take it back.
    async with team.store.read() as tx:
        (action,) = await desk_actions.list_since(tx, "episode", [second])
    assert (action.id, action.action, action.target_id) == (taken.action_id, "take_all", second)


async def test_a_foreign_hand_over_is_answered_like_a_missing_one(team: Team) -> None:
    (first,) = await team.open(1)
    await team.claim(BEN_ID, first)
    await team.shifts.end(team.ben)
    card = await team.card()
    missing = await team.shifts.take(team.stranger, 12, None)
    assert await team.shifts.take(team.stranger, card, None) == missing == TakeResult("not_found")
    assert await team.shifts.load_handover(team.stranger, card) is None
    assert await team.claimers() == [BEN_ID]


@pytest.mark.parametrize("how", ["take", "take_all"])
async def test_whose_it_was_takes_them_all_back_by_coming_on_again(team: Team, how: str) -> None:
    first, second = await team.open(2)
    await team.claim(BEN_ID, first, second)
    await team.shifts.end(team.ben)
    one = first if how == "take" else None
    assert await team.shifts.take(team.ben, await team.card(), one) == TakeResult("kept", 2)
    assert await team.on(team.ava) == [BEN_ID]
    await ShiftsJob(team.store).run_due(team.now + 3 * MS_PER_HOUR)
    assert await team.claimers() == [BEN_ID, BEN_ID]


async def test_what_was_taken_is_undone_as_it_was(team: Team) -> None:
    first, second, _ = await team.open()
    await team.claim(BEN_ID, first, second)
    before = await team.desk.episodes()
    await team.shifts.end(team.ben)
    await team.shifts.take(team.ana, await team.card(), None)
    async with team.store.read() as tx:
        (action,) = await desk_actions.list_recent(tx, ANA_ID, 0, 1)
    assert (action.action, action.count) == ("take_all", 2)
    restored, left = await team.store.write(lambda tx: restore(tx, action.id))
    assert (sorted(restored), left) == (sorted([first, second]), [])
    assert await team.desk.episodes() == before
    assert len((await team.view(team.ana)).rows) == 2
    # They still lapse when their time has come.
    await ShiftsJob(team.store).run_due(team.now + 2 * MS_PER_HOUR)
    assert await team.claimers() == [None, None, None]


async def test_an_undone_take_leaves_an_earlier_hand_over_of_the_same_shift_closed(team: Team) -> None:
    (first,) = await team.open(1)
    await team.shifts.start(team.ben, {team.ava})
    await team.claim(BEN_ID, first)
    await team.shifts.end(team.ben)
    # Ended by mistake, taken back, and ended once more: the first hand-over is over.
    assert await team.undo(BEN_ID)
    await team.shifts.end(team.ben)
    _, second = await team.desk.cards("h")
    assert (await team.shifts.take(team.ana, second["id"], None)).status == "taken"
    async with team.store.read() as tx:
        (action,) = await desk_actions.list_recent(tx, ANA_ID, 0, 1)
    await team.store.write(lambda tx: restore(tx, action.id))
    assert await team.claimers() == [BEN_ID]
    async with team.store.read() as tx:
        assert len(await handovers.list_open(tx, team.ava, BEN_ID)) == 1


async def test_starts_ends_and_plans_can_be_taken_back(team: Team) -> None:
    (first,) = await team.open(1)
    await team.shifts.start(team.ben, {team.ava})
    assert await team.undo(BEN_ID)
    assert await team.on(team.ava) == []
    assert not await team.undo(BEN_ID)

    await team.claim(BEN_ID, first)
    await team.shifts.end(team.ben)
    assert await team.undo(BEN_ID)
    assert await team.on(team.ava) == [BEN_ID]
    assert (await team.view(team.ben)).is_over
    await ShiftsJob(team.store).run_due(team.now + 3 * MS_PER_HOUR)
    assert await team.claimers() == [BEN_ID]

    planned = await team.shifts.plan(team.lea, team.ava, NOON_TO_SIX)
    assert planned.planned is not None
    assert await team.undo(LEA_ID)
    assert (await _plan(team)) == []
    await team.shifts.plan(team.lea, team.ava, NOON_TO_SIX)
    (row,) = await _plan(team)
    await team.shifts.remove(team.lea, row)
    assert await team.undo(LEA_ID)
    assert await _plan(team) == [row]


async def _plan(team: Team) -> list[int]:
    page = await team.shifts.load_plan(team.lea, team.ava, 0, 10)
    assert page is not None
    return [row.id for row in page.rows]


async def test_a_plan_is_added_once_and_says_what_it_leaves_open(team: Team) -> None:
    result = await team.shifts.plan(team.lea, team.ava, NOON_TO_SIX)
    assert (result.status, len(result.gaps)) == ("planned", 8)
    assert (await team.shifts.plan(team.lea, team.ava, NOON_TO_SIX)).status == "already"
    rest = PlannedShift(BEN_ID, WEEK, 18 * 60, 12 * 60, "UTC")
    assert (await team.shifts.plan(team.lea, team.ava, rest)).gaps == ()
    first, second = await _plan(team)
    removed = await team.shifts.remove(team.lea, second)
    assert (removed.status, len(removed.gaps)) == ("planned", 8)
    assert (await team.shifts.remove(team.lea, second)).status == "already"
    assert await _plan(team) == [first]


async def test_foreign_plans_are_answered_like_missing_ones(team: Team) -> None:
    planned = (await team.shifts.plan(team.lea, team.ava, NOON_TO_SIX)).planned
    assert planned is not None
    lead_of_bea = Viewer(999, AccessTier.LEAD, frozenset({team.bea}))
    missing = await team.shifts.remove(lead_of_bea, 12)
    assert await team.shifts.remove(lead_of_bea, planned.id) == missing
    assert await team.shifts.load_plan(lead_of_bea, team.ava, 0, 10) is None
    assert (await team.shifts.plan(lead_of_bea, team.ava, NOON_TO_SIX)).status == "not_found"
    assert await _plan(team) == [planned.id]


async def test_it_is_told_who_is_on_who_comes_next_and_what_is_open(team: Team) -> None:
    await team.shifts.plan(team.lea, team.ava, NOON_TO_SIX)
    await team.shifts.start(team.ben, {team.ava})
    page = await team.shifts.who(team.ben, None, 0, 10)
    ava, bea = page.rows
    assert [(one.user_id, one.seen, one.since_at) for one in ava.on] == [(BEN_ID, True, START)]
    assert ava.coming is not None
    assert (ava.coming.user_id, ava.coming.starts_at) == (ANA_ID, START + 4 * MS_PER_HOUR)
    assert (ava.planned, bea.planned, bea.on, bea.coming) == (True, False, (), None)
    assert [one.creator_name for one in (await team.shifts.who(team.ana, None, 0, 10)).rows] == ["Ava"]
    assert (await team.shifts.who(team.ana, team.bea, 0, 10)).rows == ()


async def test_who_is_on_by_plan_is_seen_by_whatever_they_do(team: Team) -> None:
    await team.shifts.plan(team.lea, team.ava, NOON_TO_SIX)
    await ShiftsJob(team.store).run_due(START + 4 * MS_PER_HOUR)
    team.now = START + 5 * MS_PER_HOUR
    await team.shifts.note_seen(BEN_ID)
    assert not (await team.shifts.who(team.ana, None, 0, 10)).rows[0].on[0].seen
    await team.shifts.note_seen(ANA_ID)
    assert (await team.shifts.who(team.ana, None, 0, 10)).rows[0].on[0].seen


# Who gets what


async def test_chatters_on_shift_come_before_leads_on_shift(team: Team) -> None:
    await team.shifts.start(team.lea, {team.ava})
    assert await team.owner() == Owner("user", LEA_ID)
    await team.shifts.start(team.ben, {team.ava})
    assert await team.owner() == Owner("user", BEN_ID)
    await team.shifts.end(team.ben)
    await team.shifts.end(team.lea)
    # With nobody on it is her default chatter's.
    assert await team.owner() == Owner("user", ANA_ID)


async def test_the_least_loaded_gets_the_next_and_who_worked_the_fan_goes_first(team: Team) -> None:
    first, _second, _ = await team.open()
    await team.shifts.start(team.ana, {team.ava})
    await team.shifts.start(team.ben, {team.ava})
    # All three are Ana's as the default chatter.
    assert await team.owner() == Owner("user", BEN_ID)
    await team.claim(ANA_ID, first)
    fan = next(row["fan_account_id"] for row in (await team.desk.episodes()).values() if row["id"] == first)
    creator = await team.desk.creator()
    async with team.store.read() as tx:
        owners = await routing.choose_owners(tx, creator, [fan, 1, 2])
    assert owners == {fan: Owner("user", ANA_ID), 1: Owner("user", BEN_ID), 2: Owner("user", BEN_ID)}


@pytest.mark.parametrize(
    ("values", "owner"),
    [
        ({"default_chatter_id": ANA_ID}, Owner("user", ANA_ID)),
        ({"default_chatter_id": None}, Owner("user", LEA_ID)),
    ],
)
async def test_on_day_one_without_any_shift_every_action_item_has_an_owner(
    team: Team, values: dict[str, Any], owner: Owner
) -> None:
    await team.desk.set_creator(team.ava, **values)
    await team.open()
    for row in (await team.desk.episodes()).values():
        assert (row["owner_kind"], row["owner_id"]) == (owner.kind, owner.discord_id)


async def test_where_nobody_is_named_the_role_gets_it(team: Team) -> None:
    creator = await team.desk.creator(team.bea)
    async with team.store.read() as tx:
        found = await routing.choose_owners(tx, creator, [1])
    assert found == {1: Owner("role", 201)}
    assert await team.on(team.bea) == []


async def test_an_item_that_comes_while_somebody_is_on_is_theirs(team: Team) -> None:
    await team.desk.start([leaving(1)])
    await team.shifts.start(team.ben, {team.ava})
    await team.desk.score(START + MS_PER_HOUR)
    (row,) = (await team.desk.episodes()).values()
    assert (row["owner_kind"], row["owner_id"]) == ("user", BEN_ID)
