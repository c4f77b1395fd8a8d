"""Notes on fans: who may write, change and see them. Every change and every look is in the audit log, never a text."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal

from bot.clock import Clock
from bot.domain.access import may
from bot.domain.models import AccessTier, Viewer
from bot.domain.notes import NOTE_CHARS, Note, NoteOrigin, NoteVersion, tidy
from bot.domain.pages import ROWS_PER_PAGE, fit
from bot.domain.views import FanChoice
from bot.services.records import append, too_late
from bot.services.undo import Turned
from storage import card_views, desk_actions, fan_search, fans, notes
from storage.cards import bump
from storage.desk_actions import DeskAction
from storage.engine import AgencyStore, Tx
from storage.ids import machine_ms

ADDED, EDITED, DELETED = "add_note", "edit_note", "delete_note"


@dataclass(frozen=True, slots=True)
class NoteResult:
    """What became of a change. `note` and `fan`: as they stand afterwards, None with `not_found`, `empty`, `too_long`."""

    status: Literal[
        "saved",
        "noted_already",
        "unchanged",
        "deleted",
        "restored",
        "empty",
        "too_long",
        "stale",
        "not_yours",
        "too_late",
        "not_found",
    ]
    note: Note | None = None
    fan: FanChoice | None = None
    chars: int = 0
    """How long a text that is too long was."""


@dataclass(frozen=True, slots=True)
class NotePage:
    """Some of a fan's notes, newest first. `page` counts from 0 and is one that exists."""

    fan: FanChoice
    notes: tuple[Note, ...]
    page: int
    total: int


@dataclass(frozen=True, slots=True)
class NoteHistory:
    """Every text of a note, the present one first."""

    note: Note
    fan: FanChoice
    versions: tuple[NoteVersion, ...]


_NOT_FOUND = NoteResult("not_found")


class NoteService:
    """Answers for one viewer at a time; a note of a foreign fan and a missing one give the same answer."""

    def __init__(
        self,
        store: AgencyStore,
        clock: Clock,
        *,
        wake_delivery: Callable[[], Coroutine[Any, Any, None]],
        wall_ms: Callable[[], int] = machine_ms,
    ) -> None:
        self._store = store
        self._clock = clock
        self._wake_delivery = wake_delivery
        self._wall_ms = wall_ms

    async def add(self, viewer: Viewer, fan_account_id: int, text: str, origin: NoteOrigin) -> NoteResult:
        """Keep a note. The same message, or the same form arriving twice, makes one note."""
        kept = tidy(text)
        refused = _unfit(kept)
        if refused is not None:
            return refused
        now = self._clock.now_ms()

        async def write(tx: Tx) -> NoteResult:
            fan = await fan_search.find_choice(tx, viewer.creator_ids, fan_account_id)
            creator_id = await fans.creator_of_fan(tx, fan_account_id)
            if fan is None or creator_id is None:
                return _NOT_FOUND
            twin = await notes.find_by_origin(tx, fan_account_id, viewer.user_id, origin)
            if twin is not None:
                return NoteResult("noted_already", twin, fan)
            note = await notes.add(tx, creator_id, fan_account_id, viewer.user_id, kept, origin, now)
            await self._record_change(tx, viewer, ADDED, note)
            return NoteResult("saved", note, fan)

        return await self._write(write)

    async def edit(self, viewer: Viewer, note_id: int, text: str, version: int) -> NoteResult:
        """Give a note another text; `version` is the one the person was shown, and any other is `stale`."""
        kept = tidy(text)
        refused = _unfit(kept)
        if refused is not None:
            return refused
        now = self._clock.now_ms()

        async def write(tx: Tx) -> NoteResult:
            found = await self._find(tx, viewer, note_id)
            if found is None:
                return _NOT_FOUND
            note, fan = found
            if note.deleted_at is not None:
                return NoteResult("deleted", note, fan)
            if not may_change(viewer, note):
                return NoteResult("not_yours", note, fan)
            if note.text == kept:
                return NoteResult("unchanged", note, fan)
            if note.version != version:
                return NoteResult("stale", note, fan)
            await notes.edit(tx, note, kept, viewer.user_id, now)
            await self._record_change(tx, viewer, EDITED, note)
            return NoteResult("saved", await notes.find(tx, note_id), fan)

        return await self._write(write)

    async def delete(self, viewer: Viewer, note_id: int) -> NoteResult:
        """Take a note away; it can come back for ten minutes. Safe to repeat."""
        now = self._clock.now_ms()

        async def write(tx: Tx) -> NoteResult:
            found = await self._find(tx, viewer, note_id)
            if found is None:
                return _NOT_FOUND
            note, fan = found
            if not may_change(viewer, note):
                return NoteResult("not_yours", note, fan)
            if note.deleted_at is None:
                await notes.delete(tx, note_id, viewer.user_id, now)
                await self._record_change(tx, viewer, DELETED, note)
            return NoteResult("deleted", await notes.find(tx, note_id), fan)

        return await self._write(write)

    async def restore(self, viewer: Viewer, note_id: int) -> NoteResult:
        """Bring a deleted note back within ten minutes; later it is `too_late`. Safe to repeat."""

        async def write(tx: Tx) -> NoteResult:
            found = await self._find(tx, viewer, note_id)
            if found is None:
                return _NOT_FOUND
            note, fan = found
            if not may_change(viewer, note):
                return NoteResult("not_yours", note, fan)
            if note.deleted_at is None:
                return NoteResult("restored", note, fan)
            action = await desk_actions.find_latest(tx, "note", note_id, [DELETED])
            if action is None or too_late(action, self._wall_ms()):
                return NoteResult("too_late", note, fan)
            await notes.restore(tx, note_id)
            await desk_actions.mark_undone(tx, action.id, viewer.user_id, self._clock.now_ms())
            await self._record_turn(tx, viewer, "restore_note", note)
            return NoteResult("restored", await notes.find(tx, note_id), fan)

        return await self._write(write)

    async def take_back(self, tx: Tx, viewer: Viewer, action: DeskAction) -> Turned:
        """Take a note away that was added, give one back that was deleted, or give an edited one its former text."""
        found = await self._find(tx, viewer, action.target_id or 0)
        if found is None:
            return Turned("not_found")
        note, _ = found
        if not may_change(viewer, note):
            return Turned("not_yours")
        later = await desk_actions.list_since(tx, "note", [note.id], after_id=action.id)
        if later or (note.deleted_at is not None) != (action.action == DELETED):
            return Turned("overtaken")
        now = self._clock.now_ms()
        if action.action == DELETED:
            await notes.restore(tx, note.id)
            await self._record_turn(tx, viewer, "restore_note", note)
        elif action.action == ADDED:
            await notes.delete(tx, note.id, viewer.user_id, now)
            await self._record_turn(tx, viewer, DELETED, note)
        else:
            _, former, *_ = await notes.list_versions(tx, note)
            await notes.edit(tx, note, former.text, viewer.user_id, now)
            await self._record_turn(tx, viewer, EDITED, note)
        return Turned("undone", 1)

    async def list_page(self, viewer: Viewer, fan_account_id: int, page: int) -> NotePage | None:
        """Ten of the fan's notes; None where there is no such fan among the viewer's."""

        async def look(tx: Tx) -> NotePage | None:
            fan = await fan_search.find_choice(tx, viewer.creator_ids, fan_account_id)
            if fan is None:
                return None
            total = await notes.count(tx, fan_account_id)
            shown, _ = fit(page, total)
            found = await notes.load_page(tx, fan_account_id, shown * ROWS_PER_PAGE, ROWS_PER_PAGE)
            creator_id = await fans.creator_of_fan(tx, fan_account_id)
            now = self._clock.now_ms()
            await append(tx, viewer, "view_notes", "fan_account", fan_account_id, creator_id, now)
            return NotePage(fan, tuple(found), shown, total)

        return await self._store.write(look)

    async def load(self, viewer: Viewer, note_id: int) -> tuple[Note, FanChoice] | None:
        """One note that is about to be shown in full; None where it is gone or not for this viewer."""

        async def look(tx: Tx) -> tuple[Note, FanChoice] | None:
            found = await self._find(tx, viewer, note_id)
            if found is None or found[0].deleted_at is not None:
                return None
            await self._record(tx, viewer, "view_note", found[0])
            return found

        return await self._store.write(look)

    async def load_for_edit(self, viewer: Viewer, note_id: int) -> NoteResult:
        """The note for a form; `not_yours` and `deleted` where it may not be edited, `unchanged` where it may."""
        async with self._store.read() as tx:
            found = await self._find(tx, viewer, note_id)
        if found is None:
            return _NOT_FOUND
        note, fan = found
        if note.deleted_at is not None:
            return NoteResult("deleted", note, fan)
        return NoteResult("unchanged" if may_change(viewer, note) else "not_yours", note, fan)

    async def load_history(self, viewer: Viewer, note_id: int) -> NoteHistory | None:
        """Every version of a note; None where it is gone or not for this viewer."""

        async def look(tx: Tx) -> NoteHistory | None:
            found = await self._find(tx, viewer, note_id)
            if found is None or found[0].deleted_at is not None:
                return None
            await self._record(tx, viewer, "view_note_history", found[0])
            return NoteHistory(*found, tuple(await notes.list_versions(tx, found[0])))

        return await self._store.write(look)

    async def find_fan(self, viewer: Viewer, fan_account_id: int) -> FanChoice | None:
        """One fan by id, for a form; None where there is no such fan among the viewer's."""
        async with self._store.read() as tx:
            return await fan_search.find_choice(tx, viewer.creator_ids, fan_account_id)

    async def fan_of_episode(self, viewer: Viewer, episode_id: int) -> FanChoice | None:
        """The fan an episode is about; None where there is none or the fan is not for this viewer."""
        async with self._store.read() as tx:
            fan_id = await card_views.fan_of_episode(tx, episode_id)
            return None if fan_id is None else await fan_search.find_choice(tx, viewer.creator_ids, fan_id)

    async def fan_of_card(self, viewer: Viewer, card_id: int) -> FanChoice | None:
        """The fan of a card of one fan; None for every other card, and where the fan is not for this viewer."""
        async with self._store.read() as tx:
            fan_id = await card_views.fan_of_card(tx, card_id)
            return None if fan_id is None else await fan_search.find_choice(tx, viewer.creator_ids, fan_id)

    async def _find(self, tx: Tx, viewer: Viewer, note_id: int) -> tuple[Note, FanChoice] | None:
        note = await notes.find(tx, note_id)
        if note is None:
            return None
        fan = await fan_search.find_choice(tx, viewer.creator_ids, note.fan_account_id)
        return None if fan is None else (note, fan)

    async def _write(self, write: Callable[[Tx], Coroutine[Any, Any, NoteResult]]) -> NoteResult:
        result = await self._store.write(write)
        if result.status in ("saved", "deleted", "restored"):
            await self._wake_delivery()
        return result

    async def _record_change(self, tx: Tx, viewer: Viewer, action: str, note: Note) -> None:
        """Put a change on record, so that it can be taken back too."""
        await self._record_turn(tx, viewer, action, note)
        creator_id = await fans.creator_of_fan(tx, note.fan_account_id)
        now, wall = self._clock.now_ms(), self._wall_ms()
        await desk_actions.record(tx, viewer.user_id, action, "note", note.id, creator_id, now, wall)

    async def _record_turn(self, tx: Tx, viewer: Viewer, action: str, note: Note) -> None:
        """Put it in the audit log and have the card that shows the fan's newest note shown again."""
        await self._record(tx, viewer, action, note)
        card_id = await card_views.card_of_fan(tx, note.fan_account_id)
        if card_id is not None:
            await bump(tx, [card_id])

    async def _record(self, tx: Tx, viewer: Viewer, action: str, note: Note) -> None:
        creator_id = await fans.creator_of_fan(tx, note.fan_account_id)
        await append(tx, viewer, action, "note", note.id, creator_id, self._clock.now_ms())


def may_change(viewer: Viewer, note: Note) -> bool:
    """The author, or a lead and higher; that they see the fan is checked before."""
    return note.author_id == viewer.user_id or may(viewer.tier, AccessTier.LEAD)


def _unfit(text: str) -> NoteResult | None:
    if not text:
        return NoteResult("empty")
    return NoteResult("too_long", chars=len(text)) if len(text) > NOTE_CHARS else None
