"""Snooze and wake as services: who may, what is kept, and that the same press twice is one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.domain.due import DueError
from bot.domain.models import MS_PER_HOUR
from bot.domain.shifts import PlannedShift
from bot.domain.snoozing import SnoozeFor
from storage import card_views, roster, shifts
from storage.engine import Storage
from storage.tables import audit_log, episodes
from storage.tables import desk_actions as action_table
from tests.bot.jobs.desk import Desk
from tests.bot.jobs.watch import ANA, Watch, open_watch
from tests.storage.conftest import NOW, ROSTER, Agency
from tests.storage.undone import restore

HOUR, DAYS, SHIFT, CUSTOM = SnoozeFor.HOUR, SnoozeFor.DAYS, SnoozeFor.SHIFT, SnoozeFor.CUSTOM


@pytest_asyncio.fixture
async def watch(tmp_path: Path) -> AsyncIterator[Watch]:
    async with await Storage.open(f"sqlite:///{tmp_path}/fanwatch.db") as storage:
        store = storage.agency(await roster.apply_roster(storage, ROSTER, NOW))
        async with store.read() as tx:
            ids = {creator.name: creator.id for creator in await roster.list_creators(tx)}
        opened = await open_watch(Desk(Agency(storage, store, ids["Ava"], ids["Bea"]), store))
        yield opened
        await opened.stop()


async def kept(watch: Watch) -> tuple[list[str], list[str]]:
    """What the audit log and the list of what can be undone say was done."""
    audit = [row["action"] for row in await watch.desk.rows(audit_log)]
    return audit, [row["action"] for row in await watch.desk.rows(action_table)]


async def test_what_nobody_has_claimed_is_anybodys_who_sees_it(watch: Watch) -> None:
    episode_id = await watch.id_of()
    for foreign_or_missing in (episode_id, 4_242):
        assert (await watch.snoozing.snooze(watch.stranger, foreign_or_missing, HOUR)).status == "not_found"
        assert (await watch.snoozing.wake(watch.stranger, foreign_or_missing)).status == "not_found"
        assert (await watch.snoozing.look(watch.stranger, foreign_or_missing)).sleeper is None
    assert (await watch.snoozing.look(watch.ben, episode_id)).status == "may"
    assert (await watch.snoozing.snooze(watch.ben, episode_id, HOUR)).status == "snoozed"
    assert (await watch.snoozing.wake(watch.ana, episode_id)).status == "woken"
    assert await kept(watch) == (["snooze", "wake"], ["snooze", "wake"])


async def test_what_is_claimed_is_its_claimers_and_a_leads(watch: Watch) -> None:
    episode_id = await watch.id_of()
    await watch.cards.claim(watch.ana, episode_id)
    refused = await watch.snoozing.snooze(watch.ben, episode_id, HOUR)
    assert (refused.status, refused.sleeper and refused.sleeper.claimed_by) == ("not_yours", ANA)
    assert (await watch.episode())["snoozed_until"] is None
    assert (await watch.snoozing.snooze(watch.ana, episode_id, HOUR)).status == "snoozed"
    assert (await watch.snoozing.wake(watch.ben, episode_id)).status == "not_yours"
    assert (await watch.snoozing.wake(watch.lea, episode_id)).status == "woken"


async def test_the_same_twice_is_one_and_something_else_replaces_it(watch: Watch) -> None:
    episode_id = await watch.id_of()
    for status in ("snoozed", "already"):
        assert (await watch.snoozing.snooze(watch.ana, episode_id, HOUR)).status == status
    assert (await watch.snoozing.snooze(watch.ana, episode_id, DAYS)).status == "snoozed"
    assert (await watch.episode())["snoozed_until"] == watch.now + 72 * MS_PER_HOUR
    assert await watch.desk.events("1") == ["opened", "snoozed", "snoozed"]
    for status in ("woken", "not_snoozed"):
        assert (await watch.snoozing.wake(watch.ana, episode_id)).status == status
    assert (await kept(watch))[1] == ["snooze", "snooze", "wake"]


async def test_a_closed_one_is_left_alone(watch: Watch) -> None:
    episode_id = await watch.id_of()
    await watch.desk.change(
        lambda tx: tx.execute(
            episodes.update()
            .where(episodes.c.agency_id == tx.agency_id)
            .values(closed_at=watch.now, tier=None)
        )
    )
    for result in (
        await watch.snoozing.look(watch.ana, episode_id),
        await watch.snoozing.snooze(watch.ana, episode_id, HOUR),
        await watch.snoozing.wake(watch.ana, episode_id),
    ):
        assert result.status == "closed"
    assert await kept(watch) == ([], [])


async def test_until_my_next_shift_is_planned_over_all_creators(watch: Watch) -> None:
    shift = PlannedShift(ANA, frozenset(range(1, 8)), 20 * 60, 23 * 60, "UTC")
    await watch.desk.change(lambda tx: shifts.add_shift(tx, watch.desk.agency.bea, shift, watch.now))
    result = await watch.snoozing.snooze(watch.ana, await watch.id_of(), SHIFT)
    assert result.sleeper is not None
    assert result.sleeper.snooze is not None
    # It is 09:00 in Paris and 08:00 in UTC.
    assert result.sleeper.snooze.until_at == watch.now + 12 * MS_PER_HOUR
    assert result.sleeper.snooze.until_shift


async def test_a_time_in_words_is_by_the_creators_clock(watch: Watch) -> None:
    episode_id = await watch.id_of()
    await watch.desk.set_creator(watch.desk.agency.ava, timezone="Asia/Manila")
    # 16:00 there.
    assert await watch.snoozing.read_until(episode_id, "18:00") == watch.now + 2 * MS_PER_HOUR
    for text in ("banana", "", "yesterday", "in 900 days"):
        with pytest.raises(DueError):
            await watch.snoozing.read_until(episode_id, text)


async def test_a_reason_is_as_hidden_as_the_name(watch: Watch) -> None:
    episode_id = await watch.id_of()
    at = watch.now + MS_PER_HOUR
    await watch.snoozing.snooze(watch.ana, episode_id, CUSTOM, until_at=at, reason="Max from Ulm is away")
    await watch.desk.set_creator(watch.desk.agency.ava, name_mode="hidden")

    async def reason() -> str | None:
        async with watch.desk.store.read() as tx:
            (row,) = await card_views.load_top_rows(tx, watch.desk.agency.ava, 8)
        assert row.snooze is not None
        return row.snooze.reason

    assert await reason() is None
    await watch.cards.claim(watch.ana, episode_id)
    assert await reason() == "Max from Ulm is away"


async def test_a_snooze_can_be_undone_with_its_timers(watch: Watch) -> None:
    episode_id = await watch.id_of()
    before = await watch.episode()
    await watch.snoozing.snooze(watch.ana, episode_id, HOUR)
    (action,) = await watch.desk.rows(action_table)
    restored, left = await watch.desk.change(lambda tx: restore(tx, action["id"]))
    assert (restored, left) == ([episode_id], [])
    after = await watch.episode()
    assert after == before
