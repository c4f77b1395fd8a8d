"""Playbooks: what to do for each reason, who may write it, and what of it has been done for an alert."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal

from bot.clock import Clock
from bot.domain.desk import PlaybookView
from bot.domain.models import MS_PER_HOUR, Viewer
from bot.domain.playbooks import Playbook, StepsError, read_steps
from bot.domain.views import FanChoice
from bot.services.records import append
from storage import cards, desk_actions, fan_search, playbooks, tick_contacts
from storage.desk_actions import DeskAction
from storage.engine import AgencyStore, Tx
from storage.ids import machine_ms
from storage.playbooks import EpisodeWork

ONE_CONTACT_MS = 12 * MS_PER_HOUR
"""However many steps somebody ticks for a fan meanwhile, it counts as one contact."""


@dataclass(frozen=True, slots=True)
class EditResult:
    """`playbook`: as it is afterwards. With `unfit` the error says why the text is no playbook."""

    status: Literal["saved", "unchanged", "stale", "unfit", "not_found"]
    playbook: Playbook | None = None
    error: StepsError | None = None
    action_id: int | None = None


@dataclass(frozen=True, slots=True)
class EpisodePlaybook:
    """An episode's playbook and whose alert it is."""

    episode_id: int
    fan: FanChoice
    view: PlaybookView
    is_open: bool


@dataclass(frozen=True, slots=True)
class TickResult:
    """`shown`: as it is afterwards, None with `not_found`. `unchanged`: the step was so already."""

    status: Literal["ticked", "unticked", "unchanged", "stale", "closed", "not_found"]
    shown: EpisodePlaybook | None = None


class PlaybookService:
    """Answers for one viewer at a time; an alert of a foreign fan and a missing one give the same answer."""

    def __init__(
        self, store: AgencyStore, clock: Clock, *, wake_delivery: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        self._store = store
        self._clock = clock
        self._wake_delivery = wake_delivery

    async def load(self, reason: str) -> Playbook | None:
        """The steps that hold now; None: there is no playbook for such a reason."""
        async with self._store.read() as tx:
            return await playbooks.read(tx, reason)

    async def edit(self, viewer: Viewer, reason: str, version: int, text: str) -> EditResult:
        """Write the next version; `version` is the one the person was shown, and any other is `stale`."""
        try:
            steps = read_steps(text)
        except StepsError as error:
            return EditResult("unfit", await self.load(reason), error)
        now = self._clock.now_ms()

        async def write(tx: Tx) -> EditResult:
            current = await playbooks.read(tx, reason)
            if current is None:
                return EditResult("not_found")
            if current.steps == steps:
                return EditResult("unchanged", current)
            if current.version != version:
                return EditResult("stale", current)
            await playbooks.add_version(tx, reason, version + 1, steps, viewer.user_id, now)
            action_id = await desk_actions.record(
                tx,
                viewer.user_id,
                "edit_playbook",
                "playbook",
                None,
                None,
                now,
                machine_ms(),
                before={0: {"reason": reason, "version": version}},
            )
            await append(tx, viewer, "edit_playbook", "playbook", version + 1, None, now)
            return EditResult("saved", await playbooks.read(tx, reason), None, action_id)

        return await self._store.write(write)

    async def load_for_episode(self, viewer: Viewer, episode_id: int) -> EpisodePlaybook | None:
        """The playbook of an alert; the look is on record. None: there is no such alert for this viewer."""
        now = self._clock.now_ms()

        async def look(tx: Tx) -> EpisodePlaybook | None:
            found = await self._find(tx, viewer, episode_id)
            if found is None:
                return None
            await append(tx, viewer, "view_playbook", "episode", episode_id, found[0].creator_id, now)
            return found[1]

        return await self._store.write(look)

    async def tick(
        self, viewer: Viewer, episode_id: int, reason: str, version: int, step: int, *, wanted: bool
    ) -> TickResult:
        """Tick a step (from 0), or take its tick back. `reason`, `version`: of the playbook as shown. Safe to repeat."""
        now = self._clock.now_ms()

        async def write(tx: Tx) -> TickResult:
            found = await self._find(tx, viewer, episode_id)
            if found is None:
                return TickResult("not_found")
            work, shown = found
            if not shown.is_open:
                return TickResult("closed", shown)
            as_shown = (shown.view.reason, shown.view.version) == (reason, version)
            if not as_shown or not 0 <= step < len(shown.view.steps):
                return TickResult("stale", shown)
            if (shown.view.steps[step].ticked_by is not None) == wanted:
                return TickResult("unchanged", shown)
            if wanted:
                await self._add(tx, viewer, work, episode_id, shown.view, step, now)
            else:
                await self._take_back(tx, viewer, work, episode_id, shown.view, step, now)
            if work.card_id is not None:
                await cards.bump(tx, [work.card_id])
            after = await self._find(tx, viewer, episode_id)
            return TickResult("ticked" if wanted else "unticked", None if after is None else after[1])

        result = await self._store.write(write)
        if result.status in ("ticked", "unticked"):
            await self._wake_delivery()
        return result

    async def undo(self, tx: Tx, viewer: Viewer, action: DeskAction, now_ms: int) -> bool:
        """Take back an edit ('playbook') or a tick ('tick'). False: it has changed since, and is left as it is.

        For /undo, which has checked who may, and marks the action undone.
        """
        if action.target_kind == "playbook":
            return await self._undo_edit(tx, viewer, action, now_ms)
        tick = None if action.target_id is None else await playbooks.find_tick(tx, action.target_id)
        if tick is None or tick.creator_id not in viewer.creator_ids:
            return False
        work = await playbooks.find_work(tx, tick.episode_id)
        if work is None:
            return False
        if action.action == "tick":
            if tick.undone_at is not None:
                return False
            await playbooks.set_undone(tx, tick.id, now_ms)
            await tick_contacts.take_back(tx, work, tick, ONE_CONTACT_MS, now_ms)
        else:
            again = await playbooks.find_live_tick(tx, tick.episode_id, tick.reason, tick.version, tick.step)
            if tick.undone_at is None or again is not None:
                return False
            await playbooks.set_undone(tx, tick.id, None)
            await tick_contacts.count(tx, work, tick, ONE_CONTACT_MS)
        await append(tx, viewer, f"undo_{action.action}", "episode", tick.episode_id, work.creator_id, now_ms)
        if work.card_id is not None:
            await cards.bump(tx, [work.card_id])
        return True

    async def _undo_edit(self, tx: Tx, viewer: Viewer, action: DeskAction, now_ms: int) -> bool:
        kept = (await desk_actions.read_before(tx, action.id)).get(0, {})
        reason, version = kept.get("reason"), kept.get("version")
        if not isinstance(reason, str) or not isinstance(version, int):
            return False
        current, old = await playbooks.read(tx, reason), await playbooks.read(tx, reason, version)
        if current is None or old is None or current.version != version + 1:
            return False
        # History only grows: what was before becomes the newest version.
        await playbooks.add_version(tx, reason, version + 2, old.steps, viewer.user_id, now_ms)
        await append(tx, viewer, "undo_edit_playbook", "playbook", version + 2, None, now_ms)
        return True

    async def _find(
        self, tx: Tx, viewer: Viewer, episode_id: int
    ) -> tuple[EpisodeWork, EpisodePlaybook] | None:
        work = await playbooks.find_work(tx, episode_id)
        if work is None or work.creator_id not in viewer.creator_ids:
            return None
        fan = await fan_search.find_choice(tx, viewer.creator_ids, work.fan_account_id)
        view = await playbooks.load_view(tx, episode_id)
        if fan is None or view is None:
            return None
        return work, EpisodePlaybook(episode_id, fan, view, work.is_open)

    async def _add(
        self,
        tx: Tx,
        viewer: Viewer,
        work: EpisodeWork,
        episode_id: int,
        shown: PlaybookView,
        step: int,
        now: int,
    ) -> None:
        action_id = tx.ids.next()
        tick_id = await playbooks.add_tick(tx, work, episode_id, shown, step, viewer.user_id, now, action_id)
        tick = await playbooks.find_tick(tx, tick_id)
        if tick is not None:
            await tick_contacts.count(tx, work, tick, ONE_CONTACT_MS)
        await self._record(tx, viewer, "tick", tick_id, work, episode_id, now, action_id)

    async def _take_back(
        self,
        tx: Tx,
        viewer: Viewer,
        work: EpisodeWork,
        episode_id: int,
        shown: PlaybookView,
        step: int,
        now: int,
    ) -> None:
        tick_id = await playbooks.find_live_tick(tx, episode_id, shown.reason, shown.version, step)
        tick = None if tick_id is None else await playbooks.find_tick(tx, tick_id)
        if tick is None:
            return
        await playbooks.set_undone(tx, tick.id, now)
        await tick_contacts.take_back(tx, work, tick, ONE_CONTACT_MS, now)
        await self._record(tx, viewer, "untick", tick.id, work, episode_id, now, None)

    async def _record(
        self,
        tx: Tx,
        viewer: Viewer,
        action: str,
        tick_id: int,
        work: EpisodeWork,
        episode_id: int,
        now: int,
        action_id: int | None,
    ) -> None:
        await desk_actions.record(
            tx,
            viewer.user_id,
            action,
            "tick",
            tick_id,
            work.creator_id,
            now,
            machine_ms(),
            action_id=action_id,
        )
        await append(tx, viewer, action, "episode", episode_id, work.creator_id, now)
