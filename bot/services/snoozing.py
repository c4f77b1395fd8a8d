"""Snooze and wake: an alert that somebody will see to later, and says when."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.domain.desk import MS_PER_MINUTE, DeskRules, Snooze
from bot.domain.due import parse_due
from bot.domain.models import AccessTier, Viewer
from bot.domain.snoozing import Sleeper, SnoozeFor, until
from bot.services.records import keep
from storage import desk_actions, shifts, snoozes, zones
from storage.engine import AgencyStore, Tx

REASON_CHARS = 200

Refusal = Literal["not_found", "closed", "not_yours"]


@dataclass(frozen=True, slots=True)
class SnoozeResult:
    """`sleeper` as it is afterwards, None where it is `not_found`. `at`: when that was, in agency time."""

    status: Literal["may", "snoozed", "already", "woken", "not_snoozed"] | Refusal
    sleeper: Sleeper | None
    at: int
    action_id: int | None = None
    """What can be undone; None: nothing was changed."""


class SnoozeService:
    """Answers for one viewer at a time; a foreign episode and a missing one give the same answer.

    What nobody has claimed may be snoozed and woken by everybody who sees the creator; what somebody has claimed by them
    and by a lead or higher.
    """

    def __init__(
        self,
        store: AgencyStore,
        clock: Clock,
        rules: DeskRules,
        *,
        wake_delivery: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        self._store = store
        self._clock = clock
        self._rules = rules
        self._wake_delivery = wake_delivery

    async def look(self, viewer: Viewer, episode_id: int) -> SnoozeResult:
        """Whether the viewer may snooze it now (`may`)."""
        async with self._store.read() as tx:
            found, refused = await _find(tx, viewer, episode_id)
        return SnoozeResult(refused or "may", found, self._clock.now_ms())

    async def read_until(self, episode_id: int, text: str) -> int:
        """The instant meant, by the clock of the episode's creator. Raises DueError."""
        async with self._store.read() as tx:
            found = await snoozes.find(tx, episode_id)
            zone = ZoneInfo(await zones.read_zone_name(tx, found.creator_id if found is not None else None))
        # The parser builds its tables at the first call: not on the event loop.
        return await asyncio.to_thread(parse_due, text, self._clock.now_ms(), zone)

    async def snooze(
        self,
        viewer: Viewer,
        episode_id: int,
        choice: SnoozeFor,
        *,
        until_at: int | None = None,
        reason: str | None = None,
    ) -> SnoozeResult:
        """Let it sleep; `until_at` with `CUSTOM` only. Anew where it sleeps already; safe to repeat."""
        now = self._clock.now_ms()

        async def write(tx: Tx) -> SnoozeResult:
            found, refused = await _find(tx, viewer, episode_id)
            if refused is not None or found is None:
                return SnoozeResult(refused or "not_found", found, now)
            at = until_at
            if at is None:
                planned = [shift for team in (await shifts.list_planned(tx)).values() for shift in team]
                at = until(choice, viewer.user_id, planned, now)
            wanted = Snooze(at, viewer.user_id, choice is SnoozeFor.SHIFT, reason)
            if found.snooze is not None and _same(found.snooze, wanted):
                return SnoozeResult("already", found, now)
            before = await desk_actions.snapshot(tx, [episode_id])
            await snoozes.put_to_sleep(tx, found, wanted, choice.value, now)
            action_id = await self._keep(tx, viewer, "snooze", found, now, before)
            return SnoozeResult("snoozed", await snoozes.find(tx, episode_id), now, action_id)

        return await self._changed(await self._store.write(write))

    async def wake(self, viewer: Viewer, episode_id: int) -> SnoozeResult:
        """End a snooze; nobody is called, the person who does it is there. Safe to repeat."""
        now = self._clock.now_ms()

        async def write(tx: Tx) -> SnoozeResult:
            found, refused = await _find(tx, viewer, episode_id)
            if refused is not None or found is None:
                return SnoozeResult(refused or "not_found", found, now)
            if found.snooze is None:
                return SnoozeResult("not_snoozed", found, now)
            before = await desk_actions.snapshot(tx, [episode_id])
            remind = self._rules.remind_claim_ms
            await snoozes.wake(tx, found, "by_hand", now, remind, actor_id=viewer.user_id)
            action_id = await self._keep(tx, viewer, "wake", found, now, before)
            return SnoozeResult("woken", await snoozes.find(tx, episode_id), now, action_id)

        return await self._changed(await self._store.write(write))

    async def _keep(
        self,
        tx: Tx,
        viewer: Viewer,
        action: str,
        of: Sleeper,
        now: int,
        before: dict[int, desk_actions.Work],
    ) -> int:
        """On record, and to be undone for ten minutes; the action's id."""
        return await keep(tx, viewer, action, "episode", of.episode_id, of.creator_id, now, before=before)

    async def _changed(self, result: SnoozeResult) -> SnoozeResult:
        if result.status in ("snoozed", "woken"):
            await self._wake_delivery()
        return result


async def _find(tx: Tx, viewer: Viewer, episode_id: int) -> tuple[Sleeper | None, Refusal | None]:
    """The episode, and why the viewer may not move it; None: they may."""
    found = await snoozes.find(tx, episode_id)
    if found is None or found.creator_id not in viewer.creator_ids:
        return None, "not_found"
    if found.tier is None:
        return found, "closed"
    if found.claimed_by not in (None, viewer.user_id) and viewer.tier < AccessTier.LEAD:
        return found, "not_yours"
    return found, None


def _same(there: Snooze, wanted: Snooze) -> bool:
    """Whether a second press has said the same as the first, a moment later."""
    near = abs(there.until_at - wanted.until_at) < MS_PER_MINUTE
    return near and (there.by, there.until_shift, there.reason) == (
        wanted.by,
        wanted.until_shift,
        wanted.reason,
    )
