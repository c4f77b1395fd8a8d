"""The note service on a real database: who may do what, and what is put on record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select

from bot.domain.models import AccessTier, Viewer
from bot.domain.notes import NOTE_CHARS, Note, NoteOrigin
from bot.domain.pages import ROWS_PER_PAGE
from bot.services.notes import NoteResult, NoteService
from bot.services.records import UNDO_MS
from bot.services.threads import ThreadService
from storage import fan_search, fans, roster
from storage.engine import AgencyStore, Storage
from storage.tables import audit_log
from tests.storage.conftest import NOW, ROSTER
from tests.storage.records import fan

COMMAND = NoteOrigin("command")
MISSING = 123_456


@dataclass
class MovingClock:
    at: int = NOW

    def now_ms(self) -> int:
        return self.at


@dataclass
class Desk:
    """The service with a fan of Ava and one of Bea, and people who see one or both."""

    store: AgencyStore
    fan: int
    foreign: int
    ana: Viewer
    eve: Viewer
    lea: Viewer
    clock: MovingClock = field(default_factory=MovingClock)
    wall: int = NOW
    woken: int = 0

    def __post_init__(self) -> None:
        self.notes = NoteService(self.store, self.clock, wake_delivery=self._wake, wall_ms=lambda: self.wall)
        self.threads = ThreadService(self.store, self.clock)

    async def _wake(self) -> None:
        self.woken += 1

    async def write(self, text: str = "Likes trains", origin: NoteOrigin = COMMAND) -> Note:
        result = await self.notes.add(self.ana, self.fan, text, origin)
        assert result.status == "saved"
        assert result.note is not None
        return result.note

    async def texts(self) -> list[str]:
        shown = await self.notes.list_page(self.lea, self.fan, 0)
        assert shown is not None
        return [note.text for note in shown.notes]

    async def audit(self, action: str) -> list[tuple[int, str, int]]:
        a = audit_log.c
        async with self.store.read() as tx:
            rows = await tx.all(
                select(a.actor_id, a.target_kind, a.target_id)
                .where(a.agency_id == tx.agency_id, a.action == action)
                .order_by(a.id)
            )
        return [tuple(row) for row in rows]  # type: ignore[misc]


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with await Storage.open(f"sqlite:///{tmp_path}/fanwatch.db") as storage:
        store = storage.agency(await roster.apply_roster(storage, ROSTER, NOW))
        async with store.read() as tx:
            ids = {creator.name: creator.id for creator in await roster.list_creators(tx)}
        found: list[int] = []
        for creator_id, platform_id in ((ids["Ava"], "1"), (ids["Bea"], "2")):
            await store.write(
                lambda tx, c=creator_id, p=platform_id: fans.apply_fan_page(tx, c, [fan(p)], NOW, 1)
            )
            async with store.read() as tx:
                (choice,) = await fan_search.find_exact(tx, {creator_id}, platform_id)
            found.append(choice.fan_account_id)
        ava = frozenset({ids["Ava"]})
        yield Desk(
            store,
            *found,
            ana=Viewer(301, AccessTier.CHATTER, ava),
            eve=Viewer(303, AccessTier.CHATTER, ava),
            lea=Viewer(302, AccessTier.LEAD, frozenset(ids.values())),
        )


async def test_a_note_is_kept_tidy_and_on_record_without_its_text(desk: Desk) -> None:
    note = await desk.write("  Likes\r\ntrains\x00 ")
    assert await desk.texts() == ["Likes\ntrains"]
    assert await desk.audit("add_note") == [(301, "note", note.id)]
    assert await desk.audit("view_notes") == [(302, "fan_account", desk.fan)]
    assert desk.woken == 1
    async with desk.store.read() as tx:
        rows = await tx.all(select(audit_log).where(audit_log.c.agency_id == tx.agency_id))
    assert [row for row in rows if "trains" in str(row)] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", NoteResult("empty")),
        (" \n\u200b", NoteResult("empty")),
        ("x" * (NOTE_CHARS + 1), NoteResult("too_long", chars=NOTE_CHARS + 1)),
        ("x" * 4_000, NoteResult("too_long", chars=4_000)),
    ],
)
async def test_what_is_no_note_changes_nothing(desk: Desk, text: str, expected: NoteResult) -> None:
    assert await desk.notes.add(desk.ana, desk.fan, text, COMMAND) == expected
    note = await desk.write()
    assert await desk.notes.edit(desk.ana, note.id, text, 1) == expected
    assert await desk.texts() == ["Likes trains"]


async def test_the_longest_note_fits_in_any_script(desk: Desk) -> None:
    await desk.write("𒐫" * NOTE_CHARS)
    assert await desk.texts() == ["𒐫" * NOTE_CHARS]


async def test_a_form_or_a_message_makes_one_note(desk: Desk) -> None:
    for origin in (NoteOrigin("form", "abcdefgh"), NoteOrigin("message", "ijklmnop", 5, 6)):
        first = await desk.write("once", origin)
        again = await desk.notes.add(desk.ana, desk.fan, "once more", origin)
        assert (again.status, again.note) == ("noted_already", first)
    assert await desk.texts() == ["once", "once"]
    # What was deleted can be saved again.
    await desk.notes.delete(desk.ana, first.id)
    assert (await desk.notes.add(desk.eve, desk.fan, "anew", origin)).status == "saved"


async def test_a_foreign_fan_and_a_missing_one_are_the_same(desk: Desk) -> None:
    hers = await desk.notes.add(desk.lea, desk.foreign, "For Bea's team", COMMAND)
    assert hers.note is not None
    nothing = NoteResult("not_found")
    for note_id in (hers.note.id, MISSING):
        assert await desk.notes.edit(desk.ana, note_id, "Mine", 1) == nothing
        assert await desk.notes.delete(desk.ana, note_id) == nothing
        assert await desk.notes.restore(desk.ana, note_id) == nothing
        assert await desk.notes.load_for_edit(desk.ana, note_id) == nothing
        assert await desk.notes.load(desk.ana, note_id) is None
        assert await desk.notes.load_history(desk.ana, note_id) is None
    for fan_id in (desk.foreign, MISSING):
        assert await desk.notes.add(desk.ana, fan_id, "Mine", COMMAND) == nothing
        assert await desk.notes.list_page(desk.ana, fan_id, 0) is None
        assert await desk.notes.find_fan(desk.ana, fan_id) is None
        assert await desk.notes.fan_of_episode(desk.ana, fan_id) is None
        assert await desk.notes.fan_of_card(desk.ana, fan_id) is None
        assert await desk.threads.place_of(desk.ana, fan_id) is None
        assert await desk.threads.keep(desk.ana, fan_id, 401, 501, instead_of=None) is None
    assert [who for who, _, _ in await desk.audit("view_notes")] == []
    assert await desk.audit("open_thread") == []


async def test_only_the_author_and_leads_change_a_note(desk: Desk) -> None:
    note = await desk.write()
    for result in (
        await desk.notes.edit(desk.eve, note.id, "Hates trains", 1),
        await desk.notes.delete(desk.eve, note.id),
        await desk.notes.load_for_edit(desk.eve, note.id),
    ):
        assert (result.status, result.note) == ("not_yours", note)
    assert (await desk.notes.edit(desk.lea, note.id, "Loves trains", 1)).status == "saved"
    assert (await desk.notes.delete(desk.lea, note.id)).status == "deleted"
    assert (await desk.notes.restore(desk.eve, note.id)).status == "not_yours"
    assert (await desk.notes.restore(desk.ana, note.id)).status == "restored"


async def test_an_edit_of_an_older_version_is_refused(desk: Desk) -> None:
    note = await desk.write()
    assert (await desk.notes.edit(desk.lea, note.id, "Loves trains", 1)).status == "saved"
    assert (await desk.notes.edit(desk.ana, note.id, "Hates trains", 1)).status == "stale"
    # The same change once more is no conflict.
    assert (await desk.notes.edit(desk.lea, note.id, "Loves trains", 1)).status == "unchanged"
    assert (await desk.notes.edit(desk.ana, note.id, "Hates trains", 2)).status == "saved"
    history = await desk.notes.load_history(desk.ana, note.id)
    assert history is not None
    assert [(v.number, v.text, v.author_id) for v in history.versions] == [
        (3, "Hates trains", 301),
        (2, "Loves trains", 302),
        (1, "Likes trains", 301),
    ]
    assert [who for who, _, _ in await desk.audit("edit_note")] == [302, 301]


async def test_a_deleted_note_comes_back_within_ten_minutes(desk: Desk) -> None:
    note = await desk.write()
    for _ in range(2):
        assert (await desk.notes.delete(desk.ana, note.id)).status == "deleted"
    assert await desk.notes.load(desk.ana, note.id) is None
    assert (await desk.notes.edit(desk.ana, note.id, "x", 1)).status == "deleted"
    # However fast the agency's clock runs: the ten minutes are the machine's.
    desk.clock.at += 100 * UNDO_MS
    desk.wall += UNDO_MS
    for _ in range(2):
        assert (await desk.notes.restore(desk.ana, note.id)).status == "restored"
    assert len(await desk.audit("delete_note")) == len(await desk.audit("restore_note")) == 1
    await desk.notes.delete(desk.ana, note.id)
    # Once more does not begin the ten minutes anew.
    desk.wall += UNDO_MS
    await desk.notes.delete(desk.ana, note.id)
    desk.wall += 1
    assert (await desk.notes.restore(desk.lea, note.id)).status == "too_late"
    assert await desk.texts() == []


@pytest.mark.parametrize(("asked", "shown"), [(0, 0), (1, 1), (2, 1), (999_999, 1), (-1, 0)])
async def test_a_page_that_is_not_there_is_the_last_one(desk: Desk, asked: int, shown: int) -> None:
    for number in range(ROWS_PER_PAGE + 2):
        await desk.write(f"n{number}")
    page = await desk.notes.list_page(desk.ana, desk.fan, asked)
    assert page is not None
    assert (page.page, page.total, len(page.notes)) == (shown, 12, 2 if shown else 10)


async def test_a_thread_is_known_by_who_may_see_its_fan(desk: Desk) -> None:
    bea = Viewer(304, AccessTier.CHATTER, desk.lea.creator_ids - desk.ana.creator_ids)
    place = await desk.threads.place_of(desk.ana, desk.fan)
    assert place is not None
    assert (place.channel_id, place.thread_id) == (401, None)
    assert await desk.threads.keep(desk.ana, desk.fan, 401, 501, instead_of=None) == 501
    assert await desk.threads.keep(desk.lea, desk.fan, 401, 502, instead_of=None) == 501
    found: Any = await desk.threads.fan_of(desk.ana, 501)
    assert found.fan_account_id == desk.fan
    assert await desk.threads.fan_of(bea, 501) is None
    assert await desk.threads.fan_of(desk.ana, 502) is None
    place = await desk.threads.place_of(desk.ana, desk.fan)
    assert place is not None
    assert (place.thread_id, place.thread_channel_id) == (501, 401)
    assert await desk.audit("open_thread") == [(301, "fan_account", desk.fan)]
