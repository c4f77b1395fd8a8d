"""Winbacks: who could be won back, who is asked to, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.domain.desk import Outcome
from bot.domain.due import parse_due
from bot.domain.models import AccessTier, Viewer
from bot.domain.pages import fit
from bot.domain.winbacks import (
    Candidate,
    Hook,
    ListState,
    Winback,
    WinbackKind,
    WinbackState,
    most_of_the_money,
)
from bot.services import refills
from bot.services.records import append, may_undo, too_late
from bot.services.undo import Turned
from storage import contacts, desk_actions, fans, hooks, winback_candidates, winbacks, zones
from storage.desk_actions import DeskAction
from storage.engine import AgencyStore, Tx
from storage.ids import machine_ms
from storage.winback_candidates import Wanted
from storage.winbacks import NewWinback

NOTE_CHARS = 500
DONE = "winback_done"

FindViewer = Callable[[int], Awaitable[Viewer | None]]
"""What a person may see now, by Discord id; None: nobody of this server."""


@dataclass(frozen=True, slots=True)
class CandidateFilter:
    """What was asked for. `creator_id` None: all of the viewer's; `limit`: how many are listed at most."""

    creator_id: int | None = None
    kind: WinbackKind | None = None
    min_spent_cents: int | None = None
    limit: int | None = None

    def wanted(self, viewer: Viewer) -> Wanted:
        ids = viewer.creator_ids if self.creator_id is None else viewer.creator_ids & {self.creator_id}
        return Wanted(frozenset(ids), self.kind, self.min_spent_cents)


@dataclass(frozen=True, slots=True)
class CandidatePage:
    """One page of candidates. `total` of all that were ranked, `more`: there are further, smaller ones.

    `pace_cents`: what all ranked ones together spent a month; `unknown`: of how many that is not known. The `first` of
    them hold `share` of it.
    """

    rows: tuple[Candidate, ...]
    hooks: dict[int, Hook]
    page: int
    pages: int
    total: int
    more: bool
    pace_cents: int
    unknown: int
    first: int
    share: float


@dataclass(frozen=True, slots=True)
class WinbackPage:
    """One page of a list; `total` counts all of them."""

    rows: tuple[Winback, ...]
    hooks: dict[int, Hook]
    page: int
    pages: int
    total: int
    now_ms: int


@dataclass(frozen=True, slots=True)
class AssignResult:
    """`winback` as it is afterwards; `before`: who had it until now, with `handed_over`."""

    status: Literal["assigned", "handed_over", "already", "changed", "no_access", "not_found"]
    winback: Winback | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class DoneResult:
    """`winback` as it is afterwards; `refill`: what its end made room for."""

    status: Literal["done", "already", "not_yours", "not_found"]
    winback: Winback | None = None
    refill: Winback | None = None


@dataclass(frozen=True, slots=True)
class UndoResult:
    """`refill`: what had been handed out in its place; `taken_back`: whether that was still untouched."""

    status: Literal["reopened", "not_done", "too_late", "not_yours", "taken", "not_found"]
    winback: Winback | None = None
    refill: Winback | None = None
    taken_back: bool = False


class WinbackService:
    """Answers for one viewer at a time; a foreign fan or winback and a missing one give the same answer."""

    def __init__(self, store: AgencyStore, clock: Clock, *, wall_ms: Callable[[], int] = machine_ms) -> None:
        self._store = store
        self._clock = clock
        self._wall_ms = wall_ms

    def now_ms(self) -> int:
        return self._clock.now_ms()

    async def read_due(
        self, text: str, *, creator_id: int | None = None, fan_account_id: int | None = None
    ) -> int:
        """The instant meant, by the clock of the creator (or the fan's), else of the agency. Raises DueError."""
        async with self._store.read() as tx:
            if fan_account_id is not None:
                creator_id = await fans.creator_of_fan(tx, fan_account_id)
            zone = ZoneInfo(await zones.read_zone_name(tx, creator_id))
        # The parser builds its tables at the first call: not on the event loop.
        return await asyncio.to_thread(parse_due, text, self._clock.now_ms(), zone)

    async def candidates(
        self, viewer: Viewer, asked: CandidateFilter, page: int, page_size: int
    ) -> CandidatePage:
        """The page (from 0, brought into range) of fans to win back, most money first; the look is on record."""
        now = self._clock.now_ms()
        async with self._store.read() as tx:
            found = await winback_candidates.read_candidates(tx, asked.wanted(viewer), now)
            listed = found.ranked if asked.limit is None else found.ranked[: asked.limit]
            page, pages = fit(page, len(listed), page_size)
            shown = listed[page * page_size : (page + 1) * page_size]
            starts = await hooks.read_hooks(tx, [row.fan_account_id for row in shown])
        await self._record_look(viewer, asked.creator_id)
        paces = [row.pace_cents for row in found.ranked]
        first, share = most_of_the_money(paces)
        return CandidatePage(
            tuple(shown),
            starts,
            page,
            pages,
            len(found.ranked),
            found.more,
            sum(max(0, pace or 0) for pace in paces),
            paces.count(None),
            first,
            share,
        )

    async def assign(
        self, viewer: Viewer, fan_account_id: int, assignee: Viewer, due_at: int | None, note: str | None
    ) -> AssignResult:
        """Ask somebody to win the fan back; who has him already hands him over. Safe to repeat."""
        now = self._clock.now_ms()

        async def write(tx: Tx) -> AssignResult:
            creator_id = await fans.creator_of_fan(tx, fan_account_id)
            if creator_id is None or creator_id not in viewer.creator_ids:
                return AssignResult("not_found")
            if assignee.tier < AccessTier.CHATTER or creator_id not in assignee.creator_ids:
                return AssignResult("no_access")
            there = await winbacks.find_open_of_fan(tx, fan_account_id)
            if there is None:
                kind = await winback_candidates.find_kind(tx, fan_account_id, now)
                made = NewWinback(
                    creator_id, fan_account_id, kind, assignee.user_id, viewer.user_id, due_at, note
                )
                (winback_id,) = await winbacks.add(tx, [made], now)
                status: Literal["assigned", "handed_over", "changed"] = "assigned"
            elif there.assignee_id != assignee.user_id:
                winback_id, status = there.id, "handed_over"
                await winbacks.hand_over(
                    tx, there.id, assignee.user_id, viewer.user_id, now, due_at=due_at, note=note
                )
            elif (due_at or there.due_at, note or there.note) != (there.due_at, there.note):
                winback_id, status = there.id, "changed"
                await winbacks.set_terms(tx, there.id, due_at=due_at, note=note)
            else:
                return AssignResult("already", there)
            await self._append(tx, viewer, f"winback_{status}", "winback", winback_id, creator_id)
            made_of = await winbacks.find(tx, winback_id)
            await self._keep(tx, viewer, f"winback_{status}", made_of, there)
            before = there.assignee_id if there is not None and status == "handed_over" else None
            return AssignResult(status, made_of, before)

        return await self._store.write(write)

    async def list_page(
        self,
        viewer: Viewer,
        creator_id: int | None,
        user_id: int | None,
        state: ListState,
        page: int,
        page_size: int,
    ) -> WinbackPage:
        """The page (from 0, brought into range) of winbacks; `user_id` None: everybody's. The look is on record."""
        now = self._clock.now_ms()
        ids = viewer.creator_ids if creator_id is None else viewer.creator_ids & {creator_id}
        async with self._store.read() as tx:
            _, total = await winbacks.list_page(tx, ids, user_id, state, now, offset=0, limit=0)
            page, pages = fit(page, total, page_size)
            rows, _ = await winbacks.list_page(
                tx, ids, user_id, state, now, offset=page * page_size, limit=page_size
            )
            starts = await hooks.read_hooks(tx, [row.fan_account_id for row in rows])
        await self._record_look(viewer, creator_id)
        return WinbackPage(tuple(rows), starts, page, pages, total, now)

    async def find(self, viewer: Viewer, winback_id: int) -> Winback | None:
        """None: there is none, or it is not for this viewer."""
        async with self._store.read() as tx:
            found = await winbacks.find(tx, winback_id)
        return found if found is not None and found.creator_id in viewer.creator_ids else None

    async def find_latest_of_fan(self, viewer: Viewer, fan_account_id: int) -> Winback | None:
        """The fan's open winback, or else the one that was made last; None: there is none for this viewer."""
        async with self._store.read() as tx:
            found = await winbacks.find_latest_of_fan(tx, fan_account_id)
        return found if found is not None and found.creator_id in viewer.creator_ids else None

    async def close(
        self, viewer: Viewer, winback_id: int, outcome: Outcome, note: str | None, find_viewer: FindViewer
    ) -> DoneResult:
        """Done, with an outcome; what waits in the same spread refills. Safe to repeat."""
        now = self._clock.now_ms()
        async with self._store.read() as tx:
            before = await winbacks.find(tx, winback_id)
            worker_id = None if before is None else await refills.worker_of(tx, before)
        # The room is the worker's, who gets the next one only where he may see the fan as things are now.
        worker: Viewer | None = viewer
        if worker_id is not None and worker_id != viewer.user_id:
            worker = await find_viewer(worker_id)

        async def write(tx: Tx) -> DoneResult:
            found = await winbacks.find(tx, winback_id)
            if found is None or found.creator_id not in viewer.creator_ids:
                return DoneResult("not_found")
            if found.assignee_id != viewer.user_id and viewer.tier < AccessTier.LEAD:
                return DoneResult("not_yours", found)
            if found.state is WinbackState.WITHDRAWN:
                return DoneResult("not_found")
            if found.state is WinbackState.DONE:
                return DoneResult("already", found)
            await winbacks.close(tx, winback_id, outcome, note, viewer.user_id, now)
            await self._append(tx, viewer, DONE, "winback", winback_id, found.creator_id)
            action_id = await self._keep(tx, viewer, DONE, found)
            if outcome is not Outcome.FALSE_ALARM:
                await contacts.add(
                    tx, found.creator_id, found.fan_account_id, viewer.user_id, "winback", now, action_id
                )
            refill = None
            if worker is not None and found.spread_id is not None and worker.user_id == worker_id:
                refill = await refills.refill(tx, found.spread_id, worker, winback_id, now)
            if refill is not None:
                await self._append(tx, viewer, "winback_refill", "winback", refill.id, refill.creator_id)
            return DoneResult("done", await winbacks.find(tx, winback_id), refill)

        return await self._store.write(write)

    async def undo_close(self, viewer: Viewer, winback_id: int) -> UndoResult:
        """Open again, within ten minutes, by whoever closed it or somebody of a higher tier. Safe to repeat."""

        async def write(tx: Tx) -> UndoResult:
            action = await desk_actions.find_latest(tx, "winback", winback_id, [DONE])
            found = await winbacks.find(tx, winback_id)
            if found is None or found.creator_id not in viewer.creator_ids:
                return UndoResult("not_found")
            if found.state is WinbackState.WITHDRAWN:
                return UndoResult("not_found")
            if found.state is not WinbackState.DONE or found.done_by is None:
                return UndoResult("not_done", found)
            if not await may_undo(tx, viewer, found.done_by, AccessTier.CHATTER):
                return UndoResult("not_yours", found)
            if action is None or too_late(action, self._wall_ms()):
                return UndoResult("too_late", found)
            result = await self._reopen(tx, viewer, found)
            if result.status == "reopened":
                await desk_actions.mark_undone(tx, action.id, viewer.user_id, self._clock.now_ms())
            return result

        return await self._store.write(write)

    async def take_back(self, tx: Tx, viewer: Viewer, action: DeskAction) -> Turned:
        """Take back a closing, or what was asked of somebody as long as nothing else has become of it."""
        found = await winbacks.find(tx, action.target_id or 0)
        if found is None or found.creator_id not in viewer.creator_ids:
            return Turned("not_found")
        if action.action == DONE:
            if found.state is not WinbackState.DONE:
                return Turned("overtaken")
            reopened = (await self._reopen(tx, viewer, found)).status == "reopened"
            return Turned("undone", 1) if reopened else Turned("overtaken")
        if viewer.tier < AccessTier.LEAD:
            return Turned("not_yours")
        before, after = await desk_actions.load_change(tx, action.id)
        if found.state is not WinbackState.OPEN or _terms(found) != after.get(found.id):
            return Turned("overtaken")
        if found.id in before:
            await winbacks.put_back(tx, found.id, before[found.id])
        else:
            await winbacks.withdraw(tx, [found.id])
        await self._append(tx, viewer, "winback_unassigned", "winback", found.id, found.creator_id)
        return Turned("undone", 1)

    async def _reopen(self, tx: Tx, viewer: Viewer, found: Winback) -> UndoResult:
        """Open a closed winback again, in the place of the one that was handed out for it."""
        other = await winbacks.find_open_of_fan(tx, found.fan_account_id)
        if other is not None:
            return UndoResult("taken", other)
        refill = await winbacks.find_open_refill(tx, found.id)
        taken_back = refill is not None and refill.untouched
        if refill is not None and taken_back:
            await winbacks.withdraw(tx, [refill.id])
            await self._append(tx, viewer, "winback_withdrawn", "winback", refill.id, refill.creator_id)
        await winbacks.reopen(tx, found.id)
        await self._append(tx, viewer, "winback_reopened", "winback", found.id, found.creator_id)
        if found.spread_id is not None:
            await refills.revive(tx, found.spread_id)
        return UndoResult("reopened", await winbacks.find(tx, found.id), refill, taken_back)

    async def _keep(
        self, tx: Tx, viewer: Viewer, action: str, row: Winback | None, before: Winback | None = None
    ) -> int | None:
        """Put on record what can be taken back, with the terms as they were and as they became; the action's id."""
        if row is None:
            return None
        return await desk_actions.record(
            tx,
            viewer.user_id,
            action,
            "winback",
            row.id,
            row.creator_id,
            self._clock.now_ms(),
            self._wall_ms(),
            before={} if before is None else {row.id: _terms(before)},
            after={row.id: _terms(row)},
        )

    async def _record_look(self, viewer: Viewer, creator_id: int | None) -> None:
        seen = creator_id if creator_id in viewer.creator_ids else None
        await self._store.write(lambda tx: self._append(tx, viewer, "view_winbacks", "creator", seen, seen))

    async def _append(
        self, tx: Tx, viewer: Viewer, action: str, kind: str, target_id: int | None, creator_id: int | None
    ) -> None:
        await append(tx, viewer, action, kind, target_id, creator_id, self._clock.now_ms())


def _terms(row: Winback) -> dict[str, int | str | None]:
    """Who is asked by whom until when, and with which words."""
    return {
        "assignee_id": row.assignee_id,
        "assigned_by": row.assigned_by,
        "assigned_at": row.assigned_at,
        "due_at": row.due_at,
        "note": row.note,
    }
