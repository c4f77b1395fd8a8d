"""Playbooks on a real database: who may write them, and what becomes of ticks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.domain.desk import PlaybookView
from bot.domain.models import Viewer
from bot.domain.playbooks import BUILT_IN, DEFAULT, REASONS
from bot.services.playbooks import ONE_CONTACT_MS
from storage import contacts as ledger
from storage import playbooks
from storage.tables import contacts, episodes, playbook_ticks
from storage.tables import playbooks as written
from tests.bot.services.followup_desk import ANA, EVE, LEA, Desk, open_desk
from tests.storage.conftest import DAY, NOW

SILENT = "days_inactive"
MINUTE = 60_000


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened


async def tick(
    desk: Desk, who: Viewer, episode: int, step: int, *, wanted: bool = True, version: int = 0
) -> str:
    result = await desk.playbooks.tick(who, episode, SILENT, version, step, wanted=wanted)
    return result.status


async def shown(desk: Desk, episode: int) -> PlaybookView:
    found = await desk.playbooks.load_for_episode(desk.lea, episode)
    assert found is not None
    return found.view


def ticked(view: PlaybookView) -> list[int | None]:
    return [step.ticked_by for step in view.steps]


@pytest.mark.parametrize("reason", REASONS)
async def test_every_reason_comes_with_two_to_four_steps(desk: Desk, reason: str) -> None:
    found = await desk.playbooks.load(reason)
    assert found is not None
    assert 2 <= len(found.steps) <= 4
    assert (found.version, found.edited_by) == (0, None)


async def test_a_reason_that_is_none_has_no_playbook(desk: Desk) -> None:
    assert await desk.playbooks.load("weather") is None
    assert (await desk.playbooks.edit(desk.lea, "weather", 0, "Look up")).status == "not_found"


# Writing


async def test_an_edit_is_the_next_version_and_the_ones_before_are_kept(desk: Desk) -> None:
    first = await desk.playbooks.edit(desk.lea, SILENT, 0, " One \n\n Two\x00 ")
    assert first.status == "saved"
    assert first.playbook is not None
    assert (first.playbook.version, first.playbook.steps, first.playbook.edited_by) == (
        1,
        ("One", "Two"),
        LEA,
    )
    assert (await desk.playbooks.edit(desk.lea, SILENT, 1, "Three")).status == "saved"
    assert [(row["version"], row["steps"]) for row in await desk.rows(written)] == [
        (1, '["One","Two"]'),
        (2, '["Three"]'),
    ]
    async with desk.store.read() as tx:
        old = await playbooks.read(tx, SILENT, 1)
        built_in = await playbooks.read(tx, SILENT, 0)
    assert old is not None
    assert built_in is not None
    assert (old.steps, built_in.steps) == (("One", "Two"), BUILT_IN[SILENT])
    other = await desk.playbooks.load(DEFAULT)
    assert other is not None
    assert other.version == 0


async def test_an_edit_of_an_older_version_is_refused(desk: Desk) -> None:
    await desk.playbooks.edit(desk.lea, SILENT, 0, "Hers")
    late = await desk.playbooks.edit(desk.lea, SILENT, 0, "Mine")
    assert late.status == "stale"
    assert late.playbook is not None
    assert late.playbook.steps == ("Hers",)
    # The same form sent twice is no conflict.
    assert (await desk.playbooks.edit(desk.lea, SILENT, 0, "Hers")).status == "unchanged"
    assert len(await desk.rows(written)) == 1


@pytest.mark.parametrize(
    ("text", "problem", "number"),
    [
        ("", "empty", 0),
        (" \n\u200b\n", "empty", 0),
        ("\n".join("abcdefg"), "too_many", 7),
        ("fine\n" + "x" * 101, "too_long", 2),
    ],
)
async def test_what_is_no_playbook_is_refused(desk: Desk, text: str, problem: str, number: int) -> None:
    result = await desk.playbooks.edit(desk.lea, SILENT, 0, text)
    assert result.status == "unfit"
    assert result.error is not None
    assert (result.error.problem, result.error.number) == (problem, number)
    assert await desk.rows(written) == []


async def test_an_undone_edit_brings_the_old_steps_back_as_the_newest(desk: Desk) -> None:
    await desk.playbooks.edit(desk.lea, SILENT, 0, "One")
    assert await desk.undo(desk.lea)
    found = await desk.playbooks.load(SILENT)
    assert found is not None
    assert (found.version, found.steps) == (2, BUILT_IN[SILENT])


async def test_an_edit_that_was_edited_since_is_not_undone(desk: Desk) -> None:
    await desk.playbooks.edit(desk.lea, SILENT, 0, "One")
    boss = Viewer(999, desk.lea.tier, desk.lea.creator_ids)
    await desk.playbooks.edit(boss, SILENT, 1, "Two")
    assert not await desk.undo(desk.lea)
    found = await desk.playbooks.load(SILENT)
    assert found is not None
    assert found.steps == ("Two",)


# Ticking


async def test_ticks_are_kept_with_who_made_them_and_the_card_is_shown_again(desk: Desk) -> None:
    episode = await desk.episode()
    assert await tick(desk, desk.ana, episode, 0) == "ticked"
    assert await tick(desk, desk.eve, episode, 2) == "ticked"
    view = await shown(desk, episode)
    assert (view.reason, view.version, ticked(view)) == (SILENT, 0, [ANA, None, EVE])
    assert desk.woken == 2
    assert [line for line in await desk.audit() if line[1] == "tick"] == [(ANA, "tick"), (EVE, "tick")]


async def test_a_tick_made_twice_is_one_and_is_taken_back_once(desk: Desk) -> None:
    episode = await desk.episode()
    await tick(desk, desk.ana, episode, 0)
    assert await tick(desk, desk.eve, episode, 0) == "unchanged"
    assert ticked(await shown(desk, episode))[0] == ANA
    assert await tick(desk, desk.eve, episode, 0, wanted=False) == "unticked"
    assert await tick(desk, desk.eve, episode, 0, wanted=False) == "unchanged"
    assert ticked(await shown(desk, episode)) == [None, None, None]


async def test_two_who_tick_at_once_make_one_tick(desk: Desk) -> None:
    episode = await desk.episode()
    said = await asyncio.gather(*(tick(desk, who, episode, 1) for who in (desk.ana, desk.eve, desk.lea)))
    assert sorted(said) == ["ticked", "unchanged", "unchanged"]
    assert len(await desk.rows(playbook_ticks)) == 1


async def test_an_edit_does_not_lose_the_ticks_of_an_alert_that_was_begun(desk: Desk) -> None:
    begun = await desk.episode()
    await tick(desk, desk.ana, begun, 1)
    await desk.playbooks.edit(desk.lea, SILENT, 0, "New")
    view = await shown(desk, begun)
    assert (view.version, ticked(view)) == (0, [None, ANA, None])
    assert await tick(desk, desk.ana, begun, 0, version=1) == "stale"
    assert await tick(desk, desk.ana, begun, 2, version=0) == "ticked"
    fresh = await desk.episode(closed_at=NOW)
    assert [step.text for step in (await shown(desk, fresh)).steps] == ["New"]


async def test_another_top_reason_does_not_lose_the_ticks_either(desk: Desk) -> None:
    episode = await desk.episode()
    await tick(desk, desk.ana, episode, 0)
    await desk.store.write(
        lambda tx: tx.execute(
            episodes.update().where(episodes.c.agency_id == tx.agency_id).values(expired=True)
        )
    )
    view = await shown(desk, episode)
    assert (view.reason, ticked(view)[0]) == (SILENT, ANA)
    await tick(desk, desk.ana, episode, 0, wanted=False)
    assert (await shown(desk, episode)).reason == "expired"
    # A button of the old list does not tick a step of the new one.
    assert await tick(desk, desk.ana, episode, 0) == "stale"


@pytest.mark.parametrize("step", [3, 9])
async def test_a_step_that_there_is_not_changes_nothing(desk: Desk, step: int) -> None:
    episode = await desk.episode()
    assert await tick(desk, desk.ana, episode, step) == "stale"
    assert await desk.rows(playbook_ticks) == []


async def test_a_closed_alert_keeps_its_ticks_as_they_are(desk: Desk) -> None:
    episode = await desk.episode(closed_at=NOW)
    assert await tick(desk, desk.ana, episode, 0) == "closed"
    assert ticked(await shown(desk, episode)) == [None, None, None]


async def reopen(desk: Desk) -> None:
    """The alert was closed, and a run opens it again, as runs do: in its old row."""
    desk.now += DAY
    await desk.store.write(
        lambda tx: tx.execute(
            episodes.update()
            .where(episodes.c.agency_id == tx.agency_id)
            .values(opened_at=desk.now, closed_at=None)
        )
    )


async def test_an_alert_that_was_opened_again_begins_anew_and_leaves_the_first_time_on_record(
    desk: Desk,
) -> None:
    episode = await desk.episode()
    for step in range(3):
        await tick(desk, desk.ana, episode, step)
    await desk.playbooks.edit(desk.lea, SILENT, 0, "One\nTwo")
    await reopen(desk)
    view = await shown(desk, episode)
    assert (view.version, ticked(view)) == (1, [None, None])
    # A list from the first time is none of this one.
    assert await tick(desk, desk.eve, episode, 0, wanted=False) == "stale"
    assert await tick(desk, desk.eve, episode, 0, version=1) == "ticked"
    assert await tick(desk, desk.eve, episode, 0, version=1, wanted=False) == "unticked"
    assert ticked(await shown(desk, episode)) == [None, None]
    first_time = [row for row in await desk.rows(playbook_ticks) if row["ticked_by"] == ANA]
    assert [row["undone_at"] for row in first_time] == [None, None, None]


async def test_a_step_ticked_before_and_after_an_alert_was_opened_again_is_taken_back_as_of_now(
    desk: Desk,
) -> None:
    episode = await desk.episode()
    await tick(desk, desk.ana, episode, 0)
    await reopen(desk)
    assert await tick(desk, desk.eve, episode, 0) == "ticked"
    assert await tick(desk, desk.eve, episode, 0, wanted=False) == "unticked"
    assert ticked(await shown(desk, episode)) == [None, None, None]
    rows = await desk.rows(playbook_ticks)
    assert [(row["ticked_by"], row["undone_at"]) for row in rows] == [(ANA, None), (EVE, desk.now)]


async def test_a_foreign_alert_is_answered_like_a_missing_one(desk: Desk) -> None:
    episode = await desk.episode()
    for one in (episode, 4_242):
        assert await desk.playbooks.load_for_episode(desk.ben, one) is None
        assert await desk.playbooks.tick(
            desk.ben, one, SILENT, 0, 0, wanted=True
        ) == await desk.playbooks.tick(desk.ben, 4_242, SILENT, 0, 0, wanted=True)
    assert await desk.rows(playbook_ticks) == []


async def test_ticks_of_twelve_hours_count_as_one_contact_each_person(desk: Desk) -> None:
    episode = await desk.episode()
    await tick(desk, desk.ana, episode, 0)
    await tick(desk, desk.ana, episode, 1)
    await tick(desk, desk.eve, episode, 2)
    logged = [(row["user_id"], row["source"]) for row in await desk.rows(contacts)]
    assert logged == [(ANA, "playbook"), (EVE, "playbook")]
    await tick(desk, desk.ana, episode, 1, wanted=False)
    desk.now += ONE_CONTACT_MS + 1
    await tick(desk, desk.ana, episode, 1)
    assert len(await desk.rows(contacts)) == 3


async def counted(desk: Desk) -> list[tuple[int, int]]:
    """(who, when) of the contacts that count."""
    logged = await desk.rows(contacts)
    return sorted((row["user_id"], row["at"]) for row in logged if row["undone_at"] is None)


async def test_a_tick_taken_back_is_no_contact_until_that_is_undone(desk: Desk) -> None:
    episode = await desk.episode()
    await tick(desk, desk.ana, episode, 0)
    desk.now += MINUTE
    await tick(desk, desk.eve, episode, 0, wanted=False)
    assert await counted(desk) == []
    async with desk.store.read() as tx:
        assert (await ledger.load_ledger(tx, desk.fan, desk.now)).nudges == 0
    assert await desk.undo(desk.eve)
    assert await counted(desk) == [(ANA, NOW)]


@pytest.mark.parametrize("way", ["take_back", "undo"])
async def test_the_contact_stays_while_another_tick_tells_of_it(desk: Desk, way: str) -> None:
    episode = await desk.episode()
    await tick(desk, desk.ana, episode, 0)
    first = await desk.last_action(ANA)
    desk.now += MINUTE
    await tick(desk, desk.eve, episode, 2)
    await tick(desk, desk.ana, episode, 1)
    if way == "undo":
        assert await desk.undo(desk.ana, first)
    else:
        await tick(desk, desk.lea, episode, 0, wanted=False)
    assert await counted(desk) == [(ANA, NOW + MINUTE), (EVE, NOW + MINUTE)]
    if way == "take_back":
        assert await desk.undo(desk.lea)
        assert await counted(desk) == [(ANA, NOW), (EVE, NOW + MINUTE)]
        await tick(desk, desk.lea, episode, 0, wanted=False)
    # The last one takes it along.
    await tick(desk, desk.lea, episode, 1, wanted=False)
    assert await counted(desk) == [(EVE, NOW + MINUTE)]


async def test_a_tick_brought_back_after_another_one_is_still_one_contact(desk: Desk) -> None:
    episode = await desk.episode()
    await tick(desk, desk.ana, episode, 0)
    await tick(desk, desk.eve, episode, 0, wanted=False)
    desk.now += MINUTE
    await tick(desk, desk.ana, episode, 1)
    assert await counted(desk) == [(ANA, NOW + MINUTE)]
    assert await desk.undo(desk.eve)
    assert await counted(desk) == [(ANA, NOW)]


async def test_undo_takes_a_tick_back_with_its_contact(desk: Desk) -> None:
    episode = await desk.episode()
    await tick(desk, desk.ana, episode, 0)
    assert await desk.undo(desk.ana)
    assert ticked(await shown(desk, episode)) == [None, None, None]
    assert [row["undone_at"] for row in await desk.rows(contacts)] == [NOW]


async def test_undo_brings_a_tick_back_unless_somebody_ticked_it_again(desk: Desk) -> None:
    episode = await desk.episode()
    await tick(desk, desk.ana, episode, 0)
    await tick(desk, desk.eve, episode, 0, wanted=False)
    assert await desk.undo(desk.eve)
    assert ticked(await shown(desk, episode))[0] == ANA
    await tick(desk, desk.eve, episode, 0, wanted=False)
    await tick(desk, desk.ana, episode, 0)
    assert not await desk.undo(desk.eve)
    assert len([row for row in await desk.rows(playbook_ticks) if row["undone_at"] is None]) == 1
