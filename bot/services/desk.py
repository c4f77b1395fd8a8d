"""The work on cards: who has an episode, and what a card shows now."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from bot.clock import Clock
from bot.domain.models import AccessTier, Viewer
from bot.domain.views import AlertRow, BaselineCard, CardView
from bot.services.ports import ClaimResult, ReleaseResult
from bot.services.records import append
from storage import card_delivery, card_views, claims, desk_actions
from storage.desk_actions import Work
from storage.engine import AgencyStore, Tx
from storage.ids import machine_ms


class Desk:
    """Implements `bot.services.ports.Desk` on the agency's tables; every change is in the audit log."""

    def __init__(
        self,
        store: AgencyStore,
        clock: Clock,
        *,
        wake_delivery: Callable[[], Coroutine[Any, Any, None]],
        is_in_flight: Callable[[int], bool],
    ) -> None:
        self._store = store
        self._clock = clock
        self._wake_delivery = wake_delivery
        self._is_in_flight = is_in_flight

    async def claim(self, viewer: Viewer, episode_id: int) -> ClaimResult:
        now = self._clock.now_ms()

        async def write(tx: Tx) -> ClaimResult:
            if not await self._may_see(tx, viewer, episode_id):
                return ClaimResult("not_found", None)
            before = await desk_actions.snapshot(tx, [episode_id])
            status, by = await claims.claim(tx, episode_id, viewer.user_id, now)
            if status == "claimed":
                await self._audit(tx, viewer, "claim", episode_id)
                await self._keep(tx, viewer, "claim", episode_id, before)
            return ClaimResult(status, by)

        return await self._store.write(write)

    async def release(self, viewer: Viewer, episode_id: int) -> ReleaseResult:
        now = self._clock.now_ms()

        async def write(tx: Tx) -> ReleaseResult:
            if not await self._may_see(tx, viewer, episode_id):
                return ReleaseResult("not_found", None)
            before = await desk_actions.snapshot(tx, [episode_id])
            status, by = await claims.release(
                tx, episode_id, viewer.user_id, now, may_release_others=viewer.tier >= AccessTier.LEAD
            )
            if status == "released":
                await self._audit(tx, viewer, "release", episode_id)
                await self._keep(tx, viewer, "release", episode_id, before)
            return ReleaseResult(status, by)

        return await self._store.write(write)

    async def load_card(self, card_id: int) -> CardView | None:
        async with self._store.read() as tx:
            return await card_views.load_view(tx, card_id)

    async def card_creator_id(self, card_id: int) -> int | None:
        async with self._store.read() as tx:
            return await card_views.creator_of_card(tx, card_id)

    async def page_rows(self, card_id: int) -> tuple[AlertRow, ...]:
        """The rows behind a list card, most money first: a grouped card's own, a baseline's open episodes."""
        async with self._store.read() as tx:
            view = await card_views.load_view(tx, card_id)
            creator_id = await card_views.creator_of_card(tx, card_id)
            if isinstance(view, BaselineCard) and creator_id is not None:
                return tuple(await card_views.load_baseline_rows(tx, creator_id))
            return tuple(await card_views.load_rows(tx, card_id))

    async def is_message_of(self, card_id: int, message_id: int) -> bool:
        async with self._store.read() as tx:
            return await card_delivery.is_message_of(tx, card_id, message_id)

    async def record_view(self, viewer: Viewer, card_id: int) -> None:
        async def write(tx: Tx) -> None:
            creator_id = await card_views.creator_of_card(tx, card_id)
            await append(tx, viewer, "view_list", "card", card_id, creator_id, self._clock.now_ms())

        await self._store.write(write)

    async def note_shown(self, card_id: int, fingerprint: str) -> None:
        """A press was answered with the card as it is now, so delivery need not edit it once more.

        Left to delivery while it has a request about the card under way: that one may arrive later and be older.
        """
        if not self._is_in_flight(card_id):
            await self._store.write(lambda tx: card_delivery.note_shown(tx, card_id, fingerprint))
        await self._wake_delivery()

    async def show_changes(self) -> None:
        """Wake delivery, so that the cards of what was changed in private show it at once."""
        await self._wake_delivery()

    async def _may_see(self, tx: Tx, viewer: Viewer, episode_id: int) -> bool:
        found = await card_views.creator_of_episode(tx, episode_id)
        return found is not None and found[0] in viewer.creator_ids

    async def _keep(
        self, tx: Tx, viewer: Viewer, action: str, episode_id: int, before: Mapping[int, Work]
    ) -> None:
        """Put on record how it was before, so that it can be undone."""
        found = await card_views.creator_of_episode(tx, episode_id)
        creator_id, now = found[0] if found else None, self._clock.now_ms()
        who, wall = viewer.user_id, machine_ms()
        await desk_actions.record(
            tx, who, action, "episode", episode_id, creator_id, now, wall, before=before
        )

    async def _audit(self, tx: Tx, viewer: Viewer, action: str, episode_id: int) -> None:
        found = await card_views.creator_of_episode(tx, episode_id)
        creator_id, now = found[0] if found else None, self._clock.now_ms()
        await append(tx, viewer, action, "episode", episode_id, creator_id, now)
