"""Undoing what was done to winbacks, spreads and notes, beside their own buttons."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest_asyncio
from sqlalchemy import select

from bot.domain.desk import Outcome
from bot.domain.models import AccessTier
from bot.domain.notes import NoteOrigin
from bot.domain.winbacks import WinbackState
from bot.services.calm import CalmService
from bot.services.followups import FollowupService
from bot.services.playbooks import PlaybookService
from bot.services.undo import UndoService
from bot.services.undo_handlers import undo_handlers
from bot.services.winback_spreads import SpreadOrder
from bot.services.winbacks import CandidateFilter
from storage import fans, winbacks
from storage.ids import machine_ms
from storage.tables import episodes
from tests.bot.services.undo_desk import ANA, HOUR, Office, keep_gone, open_office

ORIGIN = NoteOrigin("command")


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(f"sqlite:///{tmp_path}/fanwatch.db") as opened:
        yield opened


async def fan_of(office: Office, platform_fan_id: str) -> int:
    async with office.store.read() as tx:
        return (await fans.ids_by_platform(tx, office.ava, [platform_fan_id]))[platform_fan_id]


class TestSpreads:
    async def test_a_spread_of_twenty(self, office: Office) -> None:
        await keep_gone(office, range(100, 130))
        asked = CandidateFilter(creator_id=office.ava)
        made = await office.spreads.spread(
            office.lea, SpreadOrder(asked, 20, 20, None, "r"), [office.ana, office.eve]
        )
        (line,) = (await office.undoing.list_recent(office.lea, 10)).lines
        assert (line.action, line.count, line.creator_name) == ("winback_spread", 20, "Ava")
        async with office.store.read() as tx:
            row = (await winbacks.list_open_of_spread(tx, made.spread_id))[0]
        await office.winbacks.close(office.ana, row.id, Outcome.LOST, None, office.viewer)
        lowered = replace(office.lea, tier=AccessTier.CHATTER)
        assert (await office.undo(lowered, line.action_id)).status == "not_yours"
        result = await office.undo(office.lea, line.action_id)
        assert (result.status, result.restored, result.kept) == ("undone", 19, 1)
        async with office.store.read() as tx:
            assert await winbacks.list_open_of_spread(tx, made.spread_id) == []
        # The button of the spread itself knows of it.
        assert (await office.spreads.undo(office.lea, made.spread_id)).status == "already"

    async def test_what_its_own_button_took_back_is_not_listed_any_more(self, office: Office) -> None:
        await keep_gone(office, range(100, 103))
        asked = CandidateFilter(creator_id=office.ava)
        made = await office.spreads.spread(office.lea, SpreadOrder(asked, 3, 1, None, "r"), [office.ana])
        await office.spreads.stop(office.lea, made.spread_id)
        stopped, spread = (await office.undoing.list_recent(office.lea, 10)).lines
        assert (await office.undo(office.lea, stopped.action_id)).status == "undone"
        assert (await office.spreads.stop(office.lea, made.spread_id)).status == "ended"
        assert (await office.spreads.undo(office.lea, made.spread_id)).taken_back == 1
        left = (await office.undoing.list_recent(office.lea, 10)).lines
        assert spread.action_id not in [line.action_id for line in left]


class TestLast:
    async def test_it_is_the_newest_of_all_that_was_done_about_the_alert(self, office: Office) -> None:
        steps = PlaybookService(office.store, office, wake_delivery=office.wake)
        reminders = FollowupService(office.store, office, wake_delivery=office.wake)
        calm = CalmService(office.store, office, wake_delivery=office.wake)
        handlers = undo_handlers(
            office,
            creator_admin=cast("Any", office.notes),
            followups=reminders,
            notes=office.notes,
            playbooks=steps,
            shifts=cast("Any", office.notes),
            spreads=office.spreads,
            winbacks=office.winbacks,
        )
        lea, office.wall = office.lea, machine_ms()
        undoing = UndoService(office.store, office, handlers, wake_delivery=office.wake)
        fan_id, other = await fan_of(office, "1"), await fan_of(office, "2")
        async with office.store.read() as tx:
            query = select(episodes.c.id).where(
                episodes.c.agency_id == tx.agency_id, episodes.c.fan_account_id == fan_id
            )
            alert = int(await tx.scalar(query) or 0)

        async def tick() -> None:
            shown = await steps.load_for_episode(lea, alert)
            assert shown is not None
            view = shown.view
            await steps.tick(lea, alert, view.reason, view.version, 0, wanted=True)

        async def remind() -> None:
            due = office.now + HOUR
            await reminders.add(lea, fan_id, "write", due, lea, "r", promise=False)

        await office.act("claim", lea.user_id, [alert])
        for name, act in {
            "tick": tick,
            "add_note": lambda: office.notes.add(lea, fan_id, "Likes trains", ORIGIN),
            "add_followup": remind,
            "hold": lambda: calm.hold(lea, fan_id, None, "ill"),
        }.items():
            await act()
            await office.notes.add(lea, other, f"Another fan's, before {name}", NoteOrigin("command"))
            result = await undoing.undo_last(lea, alert)
            assert result.line is not None
            assert (result.status, result.line.action) == ("undone", name)
            # Pressed twice it does not go on to what was done before.
            assert (await undoing.undo_last(lea, alert)).status == "already"
        assert (await office.works())[alert]["claimed_by"] == lea.user_id


class TestOtherKinds:
    async def test_a_winback_asked_for_handed_over_and_closed(self, office: Office) -> None:
        await keep_gone(office, [100])
        fan_id = await fan_of(office, "100")
        eve = replace(office.eve, creator_ids=office.ana.creator_ids)
        await office.winbacks.assign(office.lea, fan_id, office.ana, office.now + HOUR, "Call him Sam")
        await office.winbacks.assign(office.lea, fan_id, eve, office.now + 2 * HOUR, "Ask Ana")
        row = await office.winbacks.find_latest_of_fan(office.lea, fan_id)
        assert row is not None
        await office.winbacks.close(eve, row.id, Outcome.KEPT, None, office.viewer)
        (closing,) = (await office.undoing.list_recent(eve, 10)).lines
        handing, asking = (await office.undoing.list_recent(office.lea, 10)).lines
        for line in (handing, asking):
            assert (await office.undo(office.lea, line.action_id)).status == "overtaken"
        assert (await office.undo(eve, closing.action_id)).status == "undone"
        assert (await office.winbacks.undo_close(eve, row.id)).status == "not_done"
        assert (await office.undo(office.lea, handing.action_id)).status == "undone"
        back = await office.winbacks.find(office.lea, row.id)
        assert back is not None
        assert (back.assignee_id, back.due_at, back.note) == (ANA, office.now + HOUR, "Call him Sam")
        assert (await office.undo(office.lea, asking.action_id)).status == "undone"
        gone = await office.winbacks.find(office.lea, row.id)
        assert gone is not None
        assert gone.state is WinbackState.WITHDRAWN

    async def test_a_note_added_changed_and_deleted(self, office: Office) -> None:
        fan_id = await fan_of(office, "1")
        note = (await office.notes.add(office.ana, fan_id, "Likes trains", ORIGIN)).note
        assert note is not None
        await office.notes.edit(office.ana, note.id, "Likes ships", 1)
        await office.notes.delete(office.ana, note.id)
        deleted, edited, added = (await office.undoing.list_recent(office.ana, 10)).lines
        assert added.fan is not None
        assert (await office.undo(office.ana, edited.action_id)).status == "overtaken"

        async def text() -> str | None:
            page = await office.notes.list_page(office.ana, fan_id, 0)
            assert page is not None
            return page.notes[0].text if page.notes else None

        texts = []
        for line in (deleted, edited, added):
            assert (await office.undo(office.ana, line.action_id)).status == "undone"
            texts.append(await text())
        assert texts == ["Likes ships", "Likes trains", None]
        assert (await office.undoing.list_recent(office.ana, 10)).lines == ()

    async def test_what_a_button_brought_back_is_not_to_be_undone_again(self, office: Office) -> None:
        note = (await office.notes.add(office.ana, await fan_of(office, "1"), "Likes trains", ORIGIN)).note
        assert note is not None
        await office.notes.delete(office.ana, note.id)
        await office.notes.restore(office.ana, note.id)
        lines = (await office.undoing.list_recent(office.ana, 10)).lines
        assert [line.action for line in lines] == ["add_note"]
