"""Follow-ups: who is to do what for which fan by when. Every change and every look is in the audit log, never a text."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.domain.due import parse_due
from bot.domain.followups import NOTE_CHARS, WHAT_CHARS, Followup, FollowupState, next_day, tidy_what
from bot.domain.models import AccessTier, Viewer
from bot.domain.notes import tidy
from bot.domain.pages import fit
from bot.domain.views import FanChoice
from bot.services.records import append, keep
from storage import card_views, cards, contacts, desk_actions, fan_search, fans, followups, zones
from storage.desk_actions import DeskAction
from storage.engine import AgencyStore, Tx
from storage.followups import NewFollowup

OFFERED = 25
"""As many as Discord shows while somebody types."""
_UNDOABLE = frozenset({"state", "assignee_id", "due_at", "reminded_at", "done_by", "done_at", "done_note"})


@dataclass(frozen=True, slots=True)
class FollowupResult:
    """`followup`: as it is afterwards; None with `empty`, `too_long`, `not_found`. `action_id`: what /undo takes back."""

    status: Literal[
        "added",
        "done",
        "withdrawn",
        "taken",
        "put_off",
        "already",
        "empty",
        "too_long",
        "no_access",
        "not_yours",
        "not_found",
    ]
    followup: Followup | None = None
    action_id: int | None = None


@dataclass(frozen=True, slots=True)
class FollowupPage:
    """One page of what is open, overdue first; the counts are of all pages."""

    rows: tuple[Followup, ...]
    page: int
    pages: int
    total: int
    now_ms: int


_NOT_FOUND = FollowupResult("not_found")


class FollowupService:
    """Answers for one viewer at a time; a follow-up on a foreign fan and a missing one give the same answer."""

    def __init__(
        self, store: AgencyStore, clock: Clock, *, wake_delivery: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        self._store = store
        self._clock = clock
        self._wake_delivery = wake_delivery

    async def read_due(self, text: str, fan_account_id: int) -> int:
        """The instant meant, by the clock of the fan's creator. Raises DueError."""
        async with self._store.read() as tx:
            creator_id = await fans.creator_of_fan(tx, fan_account_id)
            zone = ZoneInfo(await zones.read_zone_name(tx, creator_id))
        # The parser builds its tables at the first call: not on the event loop.
        return await asyncio.to_thread(parse_due, text, self._clock.now_ms(), zone)

    async def fan_of_episode(self, viewer: Viewer, episode_id: int) -> FanChoice | None:
        """The fan an alert is about; None where there is none for this viewer."""
        async with self._store.read() as tx:
            fan_id = await card_views.fan_of_episode(tx, episode_id)
            return None if fan_id is None else await fan_search.find_choice(tx, viewer.creator_ids, fan_id)

    async def add(
        self,
        viewer: Viewer,
        fan_account_id: int,
        what: str,
        due_at: int,
        assignee: Viewer,
        request: str,
        *,
        promise: bool,
    ) -> FollowupResult:
        """Keep a follow-up. The same command, or the same form arriving twice, makes one."""
        kept = tidy_what(what)
        if not kept:
            return FollowupResult("empty")
        if len(kept) > WHAT_CHARS:
            return FollowupResult("too_long")
        now = self._clock.now_ms()

        async def write(tx: Tx) -> FollowupResult:
            creator_id = await fans.creator_of_fan(tx, fan_account_id)
            if creator_id is None or creator_id not in viewer.creator_ids:
                return _NOT_FOUND
            if assignee.tier < AccessTier.CHATTER or creator_id not in assignee.creator_ids:
                return FollowupResult("no_access")
            there = await followups.find_by_request(tx, request)
            if there is not None:
                return FollowupResult("already", there) if there.creator_id == creator_id else _NOT_FOUND
            new = NewFollowup(
                creator_id,
                fan_account_id,
                kept,
                due_at,
                assignee.user_id,
                promise,
                viewer.user_id,
                request,
            )
            followup_id = await followups.add(tx, new, now)
            found = await followups.find(tx, followup_id)
            if found is None:
                return _NOT_FOUND
            # Whoever has taken it or put it off since keeps it.
            became = {"state": "open", "assignee_id": found.assignee_id, "due_at": found.due_at}
            action_id = await self._record(
                tx, viewer, "add_followup", found, {"state": "withdrawn"}, became, now
            )
            return FollowupResult("added", found, action_id)

        return await self._finish(write)

    async def list_page(
        self, viewer: Viewer, creator_id: int | None, user_id: int | None, page: int, page_size: int
    ) -> FollowupPage:
        """The page (from 0, brought into range) of what is open; `user_id` None: everybody's. The look is on record."""
        now = self._clock.now_ms()
        ids = viewer.creator_ids if creator_id is None else viewer.creator_ids & {creator_id}
        async with self._store.read() as tx:
            _, total = await followups.list_page(tx, ids, user_id, offset=0, limit=0)
            page, pages = fit(page, total, page_size)
            rows, _ = await followups.list_page(tx, ids, user_id, offset=page * page_size, limit=page_size)
        seen = creator_id if creator_id in viewer.creator_ids else None
        await self._store.write(lambda tx: append(tx, viewer, "view_followups", "creator", seen, seen, now))
        return FollowupPage(tuple(rows), page, pages, total, now)

    async def find(self, viewer: Viewer, followup_id: int) -> Followup | None:
        """None: there is none, or it is not for this viewer."""
        async with self._store.read() as tx:
            found = await followups.find(tx, followup_id)
        return found if found is not None and found.creator_id in viewer.creator_ids else None

    async def offer(self, viewer: Viewer, typed: str) -> list[Followup]:
        """At most 25 of the viewer's own open ones that hold what is typed, what is due first at the top."""
        if not viewer.creator_ids:
            return []
        async with self._store.read() as tx:
            mine = await followups.list_open_of_user(tx, viewer.user_id, viewer.creator_ids)
        key = typed.strip().casefold()
        return [one for one in mine if key in f"{one.fan.username} {one.what}".casefold()][:OFFERED]

    async def done(self, viewer: Viewer, followup_id: int, note: str | None = None) -> FollowupResult:
        """It has been done: by whoever has it, or a lead. Counts as a contact with the fan. Safe to repeat."""
        now = self._clock.now_ms()

        async def write(tx: Tx) -> FollowupResult:
            found = await self._open(tx, viewer, followup_id)
            if not isinstance(found, Followup):
                return found
            if not may_close(viewer, found):
                return FollowupResult("not_yours", found)
            became = {"state": "done", "done_by": viewer.user_id, "done_at": now}
            action_id = tx.ids.next()
            kept = None if note is None else tidy(note)[:NOTE_CHARS] or None
            await followups.change(tx, followup_id, done_note=kept, **became)
            await contacts.add(
                tx, found.creator_id, found.fan_account_id, viewer.user_id, "followup", now, action_id
            )
            was = {"state": "open", "done_by": None, "done_at": None, "done_note": None}
            await self._record(tx, viewer, "done_followup", found, was, became, now, action_id=action_id)
            return FollowupResult("done", await followups.find(tx, followup_id), action_id)

        return await self._finish(write)

    async def withdraw(self, viewer: Viewer, followup_id: int) -> FollowupResult:
        """Nobody is to do it any more: by whoever made it or has it, or a lead. Safe to repeat."""
        now = self._clock.now_ms()

        async def write(tx: Tx) -> FollowupResult:
            found = await self._open(tx, viewer, followup_id)
            if not isinstance(found, Followup):
                return found
            if not may_close(viewer, found) and found.created_by != viewer.user_id:
                return FollowupResult("not_yours", found)
            await followups.change(tx, followup_id, state="withdrawn")
            action_id = await self._record(
                tx, viewer, "withdraw_followup", found, {"state": "open"}, {"state": "withdrawn"}, now
            )
            return FollowupResult("withdrawn", await followups.find(tx, followup_id), action_id)

        return await self._finish(write)

    async def take(self, viewer: Viewer, followup_id: int) -> FollowupResult:
        """The viewer does it from now on. Safe to repeat."""
        now = self._clock.now_ms()

        async def write(tx: Tx) -> FollowupResult:
            found = await self._open(tx, viewer, followup_id)
            if not isinstance(found, Followup) or found.assignee_id == viewer.user_id:
                return FollowupResult("already", found) if isinstance(found, Followup) else found
            became = {"assignee_id": viewer.user_id}
            await followups.change(tx, followup_id, **became)
            was = {"assignee_id": found.assignee_id}
            action_id = await self._record(tx, viewer, "take_followup", found, was, became, now)
            return FollowupResult("taken", await followups.find(tx, followup_id), action_id)

        return await self._finish(write)

    async def put_off(self, viewer: Viewer, followup_id: int, due_s: int) -> FollowupResult:
        """Due tomorrow instead, at the same time of day; `due_s`: the due time as shown, in UTC seconds.

        Safe to repeat: what has another due time meanwhile is `already`.
        """
        now = self._clock.now_ms()

        async def write(tx: Tx) -> FollowupResult:
            found = await self._open(tx, viewer, followup_id)
            if not isinstance(found, Followup):
                return found
            if found.due_at // 1_000 != due_s:
                return FollowupResult("already", found)
            zone = ZoneInfo(await zones.read_zone_name(tx, found.creator_id))
            became = {"due_at": next_day(found.due_at, now, zone), "reminded_at": None}
            await followups.change(tx, followup_id, **became)
            was = {"due_at": found.due_at, "reminded_at": found.reminded_at}
            action_id = await self._record(tx, viewer, "put_off_followup", found, was, became, now)
            return FollowupResult("put_off", await followups.find(tx, followup_id), action_id)

        return await self._finish(write)

    async def undo(self, tx: Tx, viewer: Viewer, action: DeskAction, now_ms: int) -> bool:
        """Put a follow-up back as it was before an action. False: it has changed since, and is left as it is.

        For /undo, which has checked who may, and marks the action undone.
        """
        found = None if action.target_id is None else await followups.find(tx, action.target_id)
        if found is None or found.creator_id not in viewer.creator_ids:
            return False
        kept = (await desk_actions.read_before(tx, action.id)).get(found.id, {})
        was, became = kept.get("was"), kept.get("is")
        if not isinstance(was, dict) or not isinstance(became, dict) or not {*was, *became} <= _UNDOABLE:
            return False
        if await followups.read_columns(tx, found.id, became) != became:
            return False
        await followups.change(tx, found.id, **was)
        await append(tx, viewer, f"undo_{action.action}", "followup", found.id, found.creator_id, now_ms)
        await self._show(tx, found)
        return True

    async def _open(self, tx: Tx, viewer: Viewer, followup_id: int) -> Followup | FollowupResult:
        """The open follow-up; or the answer, where it is not for this viewer, or closed."""
        found = await followups.find(tx, followup_id)
        if found is None or found.creator_id not in viewer.creator_ids:
            return _NOT_FOUND
        return found if found.state is FollowupState.OPEN else FollowupResult("already", found)

    async def _record(
        self,
        tx: Tx,
        viewer: Viewer,
        action: str,
        found: Followup,
        was: Mapping[str, Any],
        became: Mapping[str, Any],
        now: int,
        *,
        action_id: int | None = None,
    ) -> int:
        """Put a change on record and have what shows the follow-up shown again; the action's id."""
        kept = {found.id: {"was": dict(was), "is": dict(became)}}
        given = await keep(
            tx,
            viewer,
            action,
            "followup",
            found.id,
            found.creator_id,
            now,
            before=kept,
            action_id=action_id,
        )
        await self._show(tx, found)
        return given

    async def _show(self, tx: Tx, found: Followup) -> None:
        """The fan's card and the reminder's are to be rendered again."""
        shown = (await card_views.card_of_fan(tx, found.fan_account_id), found.card_id)
        await cards.bump(tx, [card_id for card_id in shown if card_id is not None])

    async def _finish(self, write: Callable[[Tx], Coroutine[Any, Any, FollowupResult]]) -> FollowupResult:
        result = await self._store.write(write)
        if result.action_id is not None:
            await self._wake_delivery()
        return result


def may_close(viewer: Viewer, found: Followup) -> bool:
    """Whoever has it (nobody: anybody), or a lead and higher; that they see the fan is checked before."""
    return found.assignee_id in (viewer.user_id, None) or viewer.tier >= AccessTier.LEAD
