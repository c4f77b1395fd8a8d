"""The work on cards: who has an episode, and what a card shows now. Every change of hands can be undone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any

from bot.clock import Clock
from bot.domain.desk import DeskRules
from bot.domain.models import AccessTier, Viewer
from bot.domain.views import AlertRow, BaselineCard, CardView, Owner
from bot.services import claiming
from bot.services.ports import AssignResult, ClaimResult, ReleaseResult
from bot.services.records import append, find_work, keep
from storage import calling, card_delivery, card_views, claims, desk_actions, holds, roster
from storage.claims import Work
from storage.engine import AgencyStore, Tx


class Desk:
    """Implements `bot.services.ports.Desk` on the agency's tables; every change is in the audit log.

    Whoever takes work on is at work: a claim begins a shift.
    """

    def __init__(
        self,
        store: AgencyStore,
        clock: Clock,
        *,
        rules: DeskRules,
        wake_delivery: Callable[[], Coroutine[Any, Any, None]],
        is_in_flight: Callable[[int], bool],
        answering: Callable[[int], AbstractContextManager[None]],
    ) -> None:
        self._store = store
        self._clock = clock
        self._rules = rules
        self._wake_delivery = wake_delivery
        self._is_in_flight = is_in_flight
        self._answering = answering

    async def claim(self, viewer: Viewer, episode_id: int) -> ClaimResult:
        now = self._clock.now_ms()

        async def write(tx: Tx) -> ClaimResult:
            work = await find_work(tx, viewer, episode_id)
            if work is None:
                return ClaimResult("not_found", None)
            if await holds.find_on(tx, work.fan_account_id) is not None:
                return ClaimResult("on_hold")
            before = await claiming.look(tx, viewer, [episode_id])
            status, by = await claims.claim(
                tx, episode_id, viewer.user_id, now, remind_at=self._remind_at(now)
            )
            if status == "claimed":
                await self._keep_claim(tx, viewer, "claim", work, before, now)
            return ClaimResult(status, by)

        return await self._store.write(write)

    async def take_over(self, viewer: Viewer, episode_id: int, holder_id: int | None) -> ClaimResult:
        now = self._clock.now_ms()

        async def write(tx: Tx) -> ClaimResult:
            work = await find_work(tx, viewer, episode_id)
            if work is None:
                return ClaimResult("not_found", None)
            if work.closed_at is not None:
                return ClaimResult("closed", None)
            if work.claimed_by == viewer.user_id:
                return ClaimResult("already_yours", viewer.user_id)
            if await holds.find_on(tx, work.fan_account_id) is not None:
                return ClaimResult("on_hold")
            if work.claimed_by is not None and work.claimed_by != holder_id:
                # The person agreed to take it from somebody else.
                return ClaimResult("taken", work.claimed_by)
            before = await claiming.look(tx, viewer, [episode_id])
            remind_at = self._remind_at(now)
            await claims.assign(tx, episode_id, viewer.user_id, viewer.user_id, now, remind_at=remind_at)
            await self._keep_claim(tx, viewer, "take_over", work, before, now)
            return ClaimResult("claimed", viewer.user_id)

        return await self._store.write(write)

    async def assign(self, viewer: Viewer, episode_id: int, assignee: Viewer) -> AssignResult:
        now = self._clock.now_ms()

        async def write(tx: Tx) -> AssignResult:
            work = await find_work(tx, viewer, episode_id)
            if work is None:
                return AssignResult("not_found")
            if work.closed_at is not None:
                return AssignResult("closed")
            if assignee.tier < AccessTier.CHATTER or work.creator_id not in assignee.creator_ids:
                creator = await roster.get_creator(tx, work.creator_id)
                return AssignResult("no_access", creator.name if creator is not None else "")
            if (
                work.claimed_by != assignee.user_id
                and await holds.find_on(tx, work.fan_account_id) is not None
            ):
                return AssignResult("on_hold")
            is_own = assignee.user_id == viewer.user_id
            before = await claiming.look(tx, viewer, [episode_id])
            status = await claims.assign(
                tx, episode_id, assignee.user_id, viewer.user_id, now, remind_at=self._remind_at(now)
            )
            not_called = None
            if status == "assigned" and is_own:
                await self._keep_claim(tx, viewer, "assign", work, before, now)
            elif status == "assigned":
                who = Owner("user", assignee.user_id)
                not_called = (await calling.call_to(tx, self._rules, work, who, now)).why
                of_it = {episode_id: before[episode_id]}
                await keep(tx, viewer, "assign", "episode", episode_id, work.creator_id, now, before=of_it)
            return AssignResult(status, not_called=not_called)

        return await self._store.write(write)

    async def release(self, viewer: Viewer, episode_id: int) -> ReleaseResult:
        now = self._clock.now_ms()

        async def write(tx: Tx) -> ReleaseResult:
            work = await find_work(tx, viewer, episode_id)
            if work is None:
                return ReleaseResult("not_found", None)
            before = await desk_actions.snapshot(tx, [episode_id])
            status, by = await claims.release(
                tx,
                episode_id,
                viewer.user_id,
                now,
                may_release_others=viewer.tier >= AccessTier.LEAD,
                call_again_at=now + self._rules.escalate_lead_ms,
            )
            if status == "released":
                await keep(tx, viewer, "release", "episode", episode_id, work.creator_id, now, before=before)
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

    @asynccontextmanager
    async def answering(self, card_id: int) -> AsyncIterator[None]:
        """While entered, delivery leaves the message of the card alone: a press is about to change it."""
        try:
            with self._answering(card_id):
                yield
        finally:
            await self._wake_delivery()

    async def note_shown(self, card_id: int, fingerprint: str) -> None:
        """A press was answered with the card as it is now, so delivery need not edit it once more.

        While delivery has a request about the card under way nobody knows which of the two arrives last: it edits again.
        """
        known = "" if self._is_in_flight(card_id) else fingerprint
        await self._store.write(lambda tx: card_delivery.note_shown(tx, card_id, known))
        await self._wake_delivery()

    async def show_changes(self) -> None:
        """Wake delivery, so that the cards of what was changed in private show it at once."""
        await self._wake_delivery()

    async def _keep_claim(
        self,
        tx: Tx,
        viewer: Viewer,
        action: str,
        work: Work,
        before: Mapping[int, desk_actions.Work],
        now_ms: int,
    ) -> None:
        """The viewer has it now, and is on shift from then on."""
        action_id, changed = await claiming.begin_shift(
            tx, viewer, work.creator_id, [work.id], before, self._rules.remind_claim_ms, now_ms
        )
        await keep(
            tx,
            viewer,
            action,
            "episode",
            work.id,
            work.creator_id,
            now_ms,
            before=changed,
            count=1,
            action_id=action_id,
        )

    def _remind_at(self, now_ms: int) -> int | None:
        return now_ms + self._rules.remind_claim_ms if self._rules.remind_claim_ms else None
