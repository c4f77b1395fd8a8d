"""What is left of a shift when what began it, or the plan that did, is taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio

from bot.discord_ui.undo import outcome
from bot.discord_ui.words import shifts as say
from bot.domain.desk import MS_PER_MINUTE
from bot.domain.models import MS_PER_HOUR, Viewer
from bot.domain.snoozing import SnoozeFor
from bot.domain.undo import StillOn
from bot.jobs.answering import Answering
from bot.jobs.desk_timers import DeskTimers
from bot.jobs.shifts import ShiftsJob
from bot.services.desk import Desk as DeskService
from bot.services.snoozing import SnoozeService
from bot.services.undo import UndoResult, UndoService
from bot.services.undo_handlers import undo_handlers
from storage import desk_actions, escalations, shifts
from storage.tables import cards, mentions
from tests.bot.jobs.desk import open_desk
from tests.bot.services.test_shifts import ANA_ID, BEN_ID, LEA_ID, NOON_TO_SIX, SIX, START, Team
from tests.storage.conftest import Agency, agency, database_url, postgres_server, postgres_url, storage

__all__ = ["agency", "database_url", "postgres_server", "postgres_url", "storage"]


class Office(Team):
    """A team with its cards and its /undo."""

    def __post_init__(self) -> None:
        super().__post_init__()
        others: Any = SimpleNamespace(take_back=None)
        self.cards = DeskService(
            self.store,
            self,
            rules=self.desk.rules,
            wake_delivery=self._wake,
            is_in_flight=lambda _: False,
            answering=Answering().of,
        )
        handlers = undo_handlers(
            self,
            creator_admin=others,
            followups=others,
            notes=others,
            playbooks=others,
            shifts=self.shifts,
            spreads=others,
            winbacks=others,
        )
        self.snoozing = SnoozeService(self.store, self, self.desk.rules, wake_delivery=self._wake)
        self.undoing = UndoService(self.store, self, handlers, wake_delivery=self._wake)

    async def _wake(self) -> None:
        pass

    def viewer(self, user_id: int) -> Viewer:
        return {ANA_ID: self.ana, BEN_ID: self.ben, LEA_ID: self.lea}[user_id]

    async def take_back(self, user_id: int, number: int = 0) -> UndoResult:
        """Somebody takes back what they did last, or (`number`) so many before that."""
        async with self.store.read() as tx:
            done = await desk_actions.list_recent(tx, user_id, 0, 20)
        return await self.undoing.undo(self.viewer(user_id), done[number].id)

    async def take_back_of(self, user_id: int, creator_id: int, what: str = "shift_start") -> UndoResult:
        """Somebody takes back one kind of thing that they did for a creator."""
        async with self.store.read() as tx:
            done = await desk_actions.list_recent(tx, user_id, 0, 20)
        (one,) = [one.id for one in done if (one.creator_id, one.action) == (creator_id, what)]
        return await self.undoing.undo(self.viewer(user_id), one)

    async def worked_ms(self) -> int:
        """For how long anybody was on for Ava since the beginning."""
        async with self.store.read() as tx:
            spans = await escalations.list_spans(tx, {self.ava}, START, self.now)
        return sum(end - start for start, end in spans.get(self.ava, ()))

    async def sleeps(self, alert: int) -> dict[str, Any]:
        """Ben snoozes an alert of Ava's until his next shift; its work columns."""
        assert (await self.snoozing.snooze(self.ben, alert, SnoozeFor.SHIFT)).status == "snoozed"
        return await self.work(alert)

    async def work(self, alert: int) -> dict[str, Any]:
        async with self.store.read() as tx:
            return (await desk_actions.snapshot(tx, [alert]))[alert]

    async def done(self, user_id: int) -> list[desk_actions.DeskAction]:
        """What somebody did and has not undone, the latest first."""
        async with self.store.read() as tx:
            return await desk_actions.list_recent(tx, user_id, 0, 20)

    async def wakes(self) -> None:
        await DeskTimers(self.store, self.desk.rules).run_due(self.now)

    async def shown(self) -> None:
        """What was said up to now has been sent."""
        sent = cards.update().where(cards.c.agency_id == self.store.agency_id).values(ping_wanted=False)
        await self.store.write(lambda tx: tx.execute(sent))


@pytest_asyncio.fixture
async def office(agency: Agency) -> AsyncIterator[Office]:
    yield Office(await open_desk(agency))


# Plans


async def _plan_now(office: Office) -> int:
    """Ana is planned from noon to six, and on by it at one; the row's id."""
    planned = (await office.shifts.plan(office.lea, office.ava, NOON_TO_SIX)).planned
    assert planned is not None
    office.now = START + 5 * MS_PER_HOUR
    await ShiftsJob(office.store).run_due(office.now)
    assert await office.on(office.ava) == [ANA_ID]
    return planned.id


@pytest.mark.parametrize("by", ["remove", "undo"])
async def test_who_is_on_by_a_plan_taken_back_and_was_not_seen_is_off_at_once(
    office: Office, by: str
) -> None:
    row = await _plan_now(office)
    if by == "remove":
        removed = await office.shifts.remove(office.lea, row)
        assert (removed.status, removed.still_on) == ("planned", None)
    else:
        result = await office.take_back(LEA_ID)
        assert (result.status, result.still_on) == ("undone", None)
    assert await office.on(office.ava) == []
    assert await office.desk.cards("h") == []
    if by == "remove":
        # Put back, it goes on.
        assert (await office.take_back(LEA_ID)).status == "undone"
        await ShiftsJob(office.store).run_due(office.now)
        assert await office.on(office.ava) == [ANA_ID]


@pytest.mark.parametrize("by", ["remove", "undo"])
async def test_who_is_at_work_by_it_stays_on_and_the_answer_says_until_when(office: Office, by: str) -> None:
    row = await _plan_now(office)
    await office.shifts.note_seen(ANA_ID)
    if by == "remove":
        still_on = (await office.shifts.remove(office.lea, row)).still_on
    else:
        result = await office.take_back(LEA_ID)
        still_on = result.still_on
        assert outcome(result) == (
            f"Undone: Planned a shift (Ava). <@{ANA_ID}> stays on until <t:{SIX // 1000}:t>."
        )
    assert still_on == StillOn(ANA_ID, SIX)
    assert await office.on(office.ava) == [ANA_ID]
    told = say.removed("Ava", NOON_TO_SIX, (), still_on)
    assert told.endswith(
        f"(UTC). <@{ANA_ID}> stays on until <t:{SIX // 1000}:t>. The coming week is covered."
    )


async def test_who_is_planned_by_another_row_or_on_by_themselves_is_left_alone(office: Office) -> None:
    row = await _plan_now(office)
    await office.store.write(
        lambda tx: shifts.add_shift(tx, office.ava, replace(NOON_TO_SIX, ends_minute=20 * 60), START)
    )
    assert (await office.shifts.remove(office.lea, row)).still_on is None
    assert await office.on(office.ava) == [ANA_ID]


async def test_a_plan_that_was_added_again_is_not_put_back_beside_it(office: Office) -> None:
    row = (await office.shifts.plan(office.lea, office.ava, NOON_TO_SIX)).planned
    assert row is not None
    await office.shifts.remove(office.lea, row.id)
    await office.shifts.plan(office.lea, office.ava, NOON_TO_SIX)
    assert (await office.take_back(LEA_ID, 1)).status == "overtaken"
    page = await office.shifts.load_plan(office.lea, office.ava, 0, 10)
    assert page is not None
    assert page.total == 1


# Starts


@pytest.mark.parametrize("woken", [True, False])
async def test_a_start_that_is_undone_lets_what_it_woke_sleep_on_and_hands_nothing_over(
    office: Office, woken: bool
) -> None:
    alert, *_ = await office.open()
    asleep = await office.sleeps(alert)
    await office.shown()
    await office.shifts.start(office.ana, {office.ava})
    office.now += MS_PER_MINUTE
    await office.shifts.start(office.ben, {office.bea, office.ava})
    if woken:
        await office.wakes()
        assert (await office.work(alert))["snoozed_until"] is None
    result = await office.take_back_of(BEN_ID, office.ava)
    assert outcome(result) == "Undone: Started a shift (Ava)."
    assert await office.work(alert) == asleep
    assert await office.desk.cards("h") == []
    assert "handover" not in [row["reason"] for row in await office.desk.rows(mentions)]
    await office.wakes()
    assert await office.work(alert) == asleep


async def test_what_somebody_has_changed_since_stays_awake_and_is_named(office: Office) -> None:
    alert, *_ = await office.open()
    await office.sleeps(alert)
    await office.shown()
    await office.shifts.start(office.ben, {office.ava})
    await office.wakes()
    await office.cards.claim(office.ana, alert)
    told = outcome(await office.take_back(BEN_ID))
    assert told.startswith("Undone: Started a shift (Ava). 1 alert stays as it is.\n• ")
    assert told.endswith(f"changed since by <@{ANA_ID}>")
    assert (await office.work(alert))["claimed_by"] == ANA_ID


async def test_a_start_that_is_undone_hands_over_what_was_claimed_since(office: Office) -> None:
    (alert,) = await office.open(1)
    await office.shifts.start(office.ben, {office.ava})
    await office.cards.claim(office.ben, alert)
    assert (await office.take_back_of(BEN_ID, office.ava, "shift_start")).status == "undone"
    assert [row.episode_id for row in (await office.view(office.ana)).rows] == [alert]


# Ends


async def test_an_end_that_is_undone_says_how_many_claims_others_have_by_now(office: Office) -> None:
    first, second, third = await office.open()
    await office.shifts.start(office.ana, {office.ava})
    await office.claim(ANA_ID, first, second, third)
    await office.shifts.end(office.ana)
    await office.shifts.take(office.ben, await office.card(), first)
    await office.shifts.take(office.lea, await office.card(), second)
    told = outcome(await office.take_back_of(ANA_ID, office.ava, "shift_end"))
    assert told == "Undone: Ended a shift (Ava). 2 stay with whoever has worked on them."
    assert ANA_ID in await office.on(office.ava)
    assert await office.claimers() == [BEN_ID, LEA_ID, ANA_ID]


async def test_an_end_that_is_undone_before_anybody_took_a_claim_says_nothing_of_them(office: Office) -> None:
    first, second = await office.open(2)
    await office.shifts.start(office.ana, {office.ava})
    await office.claim(ANA_ID, first, second)
    await office.shifts.end(office.ana)
    # What is nobody's is not with anybody.
    await office.cards.release(office.lea, second)
    told = outcome(await office.take_back_of(ANA_ID, office.ava, "shift_end"))
    assert told == "Undone: Ended a shift (Ava)."
