"""Taking back what was done at the desk: for ten minutes, by who did it or somebody of a higher tier."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bot.clock import Clock
from bot.domain.models import AccessTier, Viewer
from bot.domain.undo import LeftLine, StillOn, UndoLine, UndoList
from bot.services.records import UNDO_MS, append, may_undo, too_late
from storage import desk_actions, undo_labels, undoing
from storage.desk_actions import DeskAction, TargetKind
from storage.engine import AgencyStore, Tx
from storage.ids import machine_ms
from storage.undoing import Left

MOST_READ = 100
"""How many of somebody's latest actions are looked through for a list."""


@dataclass(frozen=True, slots=True)
class Turned:
    """What became of one kind of thing. `kept`: how many stay as they are because somebody has worked on them since.

    `still_on`: who stays on shift although their plan has gone.
    """

    status: Literal["undone", "overtaken", "not_yours", "not_found"]
    restored: int = 0
    left: tuple[Left, ...] = ()
    kept: int = 0
    still_on: StillOn | None = None


Handler = Callable[[Tx, Viewer, DeskAction], Awaitable[Turned]]
"""Puts one kind of thing back, inside of the transaction that marks the action undone. Who sees what, and who may do it by
tier, it checks itself; that the action is not undone yet, in time and the viewer's to undo is checked before."""
Handlers = Mapping[TargetKind, Handler]


@dataclass(frozen=True, slots=True)
class UndoResult:
    """`line`: what it was about, None with `not_found`. `left`: what stays as it is; `kept`: how many more do.

    `still_on` is that of `Turned`.
    """

    status: Literal["undone", "overtaken", "too_late", "not_yours", "already", "not_found"]
    line: UndoLine | None = None
    restored: int = 0
    left: tuple[LeftLine, ...] = ()
    kept: int = 0
    still_on: StillOn | None = None


_NOT_FOUND = UndoResult("not_found")


class UndoService:
    """Answers for one viewer at a time; a foreign action and a missing one give the same answer."""

    def __init__(
        self,
        store: AgencyStore,
        clock: Clock,
        handlers: Handlers,
        *,
        wake_delivery: Callable[[], Coroutine[Any, Any, None]],
        wall_ms: Callable[[], int] = machine_ms,
    ) -> None:
        """`handlers`: of every kind of thing that can be taken back; episodes are this service's own."""
        self._store = store
        self._clock = clock
        self._handlers: dict[TargetKind, Handler] = {"episode": self._restore_episodes, **handlers}
        self._wake_delivery = wake_delivery
        self._wall_ms = wall_ms

    async def list_recent(self, viewer: Viewer, limit: int) -> UndoList:
        """What the viewer did in the last ten minutes and has not undone, as far as it can be."""
        wall = self._wall_ms()
        async with self._store.read() as tx:
            done = await desk_actions.list_recent(tx, viewer.user_id, wall - UNDO_MS, MOST_READ)
            mine = [one for one in done if self._sees(viewer, one)]
            lines = await _lines(tx, mine[:limit], viewer)
        return UndoList(tuple(lines), max(0, len(mine) - limit), wall)

    async def undo(self, viewer: Viewer, action_id: int) -> UndoResult:
        """Take one action back, bulk ones as a whole. Safe to repeat."""
        return await self._write(lambda tx: self._undo(tx, viewer, action_id))

    async def undo_last(self, viewer: Viewer, episode_id: int) -> UndoResult:
        """Take back the latest that was done about an episode and that the viewer may undo; `not_found`: nothing was.

        That is also a tick of its playbook, and a note, a follow-up or a hold of its fan.
        Safe to repeat: once that is undone, what was done before it is left to the list.
        """
        since = self._wall_ms() - UNDO_MS

        async def write(tx: Tx) -> UndoResult:
            for one in await desk_actions.list_about(tx, episode_id, since):
                if not self._sees(viewer, one) or not await _is_about(tx, one, episode_id):
                    continue
                if await may_undo(tx, viewer, one.actor_id, AccessTier.CHATTER):
                    return await self._undo(tx, viewer, one.id)
            return _NOT_FOUND

        return await self._write(write)

    def _sees(self, viewer: Viewer, action: DeskAction) -> bool:
        """Of what was done to several creators the handlers look at each; a chatter knows only of her own."""
        if action.target_kind not in self._handlers:
            return False
        if action.creator_id is None:
            return viewer.user_id == action.actor_id or viewer.tier >= AccessTier.LEAD
        return action.creator_id in viewer.creator_ids

    async def _undo(self, tx: Tx, viewer: Viewer, action_id: int) -> UndoResult:
        action = await desk_actions.find(tx, action_id)
        if action is None or not self._sees(viewer, action):
            return _NOT_FOUND
        (line,) = await _lines(tx, [action], viewer)
        if not await may_undo(tx, viewer, action.actor_id, AccessTier.CHATTER):
            return UndoResult("not_yours", line)
        if action.undone_at is not None:
            return UndoResult("already", line)
        if too_late(action, self._wall_ms()):
            return UndoResult("too_late", line)
        turned = await self._handlers[action.target_kind](tx, viewer, action)
        left = await _left_lines(tx, turned.left, viewer)
        if turned.status == "not_found":
            return _NOT_FOUND
        if turned.status == "undone":
            now = self._clock.now_ms()
            await desk_actions.mark_undone(tx, action.id, viewer.user_id, now)
            await append(tx, viewer, "undo", "desk_action", action.id, action.creator_id, now)
        return UndoResult(turned.status, line, turned.restored, left, turned.kept, turned.still_on)

    async def _restore_episodes(self, tx: Tx, viewer: Viewer, action: DeskAction) -> Turned:
        restored, left = await undoing.restore_episodes(
            tx, action, viewer.user_id, viewer.creator_ids, self._clock.now_ms()
        )
        if not restored and all(one.why == "hidden" for one in left):
            return Turned("not_found")
        # Where a run has moved an alert on, what was written of it by mistake is still taken back.
        by_people = any(one.why in ("changed", "hidden") for one in left)
        if restored or (not by_people and await desk_actions.has_rows(tx, action.id)):
            return Turned("undone", len(restored), tuple(left))
        return Turned("overtaken", 0, tuple(left))

    async def _write(self, write: Callable[[Tx], Awaitable[UndoResult]]) -> UndoResult:
        result = await self._store.write(write)
        if result.status == "undone":
            await self._wake_delivery()
        return result


async def _lines(tx: Tx, actions: list[DeskAction], viewer: Viewer) -> list[UndoLine]:
    about = await undo_labels.read_about(tx, actions, viewer.creator_ids)
    return [
        UndoLine(
            one.id,
            one.action,
            one.target_kind,
            one.count,
            one.wall_at,
            about[one.id].creator_name,
            about[one.id].fan,
        )
        for one in actions
    ]


async def _left_lines(tx: Tx, left: tuple[Left, ...], viewer: Viewer) -> tuple[LeftLine, ...]:
    fans = await undo_labels.read_fans(tx, [one.episode_id for one in left], viewer.creator_ids)
    return tuple(LeftLine(fans.get(one.episode_id), one.why, one.by, one.woken) for one in left)


async def _is_about(tx: Tx, action: DeskAction, episode_id: int) -> bool:
    if action.target_kind != "episode" or action.target_id == episode_id:
        return True
    before, _ = await desk_actions.load_change(tx, action.id)
    return episode_id in before and episode_id not in await undoing.list_woken(tx, action)
