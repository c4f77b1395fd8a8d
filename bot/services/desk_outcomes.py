"""What people make of an alert: they close it with an outcome, log a contact, or say that it was not useful."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal

from bot.clock import Clock
from bot.domain.desk import MS_PER_MINUTE, Done, Rest, rest_after
from bot.domain.models import AccessTier, Viewer
from bot.domain.more import EpisodeMenu, Why
from bot.domain.views import AlertRow
from bot.services.records import append, find_work, keep
from storage import claims, contacts, desk_actions, more, outcomes
from storage.claims import Work
from storage.engine import AgencyStore, Tx

NOTE_CHARS = 500
CONTACT_AGAIN_MS = 15 * MS_PER_MINUTE
"""How long after one a person's next contact with the same fan is taken for the same."""


@dataclass(frozen=True, slots=True)
class CloseResult:
    """What became of closing an episode; all but `status` and `by` only with `done`.

    `by`: who has it, with `not_yours`. `row`: the episode as it was before; `action_id`: what an undo takes back.
    """

    status: Literal["done", "open", "again", "unclaimed", "not_yours", "closed", "not_found"]
    by: int | None = None
    action_id: int = 0
    rest: Rest | None = None
    row: AlertRow | None = None
    now_ms: int = 0


@dataclass(frozen=True, slots=True)
class ContactResult:
    """`at`: when the contact was that counts, None with `not_found`."""

    status: Literal["logged", "already", "not_found"]
    at: int | None = None


class OutcomeService:
    """Answers for one viewer at a time; a foreign episode and a missing one give the same answer."""

    def __init__(
        self, store: AgencyStore, clock: Clock, *, wake_delivery: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        self._store = store
        self._clock = clock
        self._wake_delivery = wake_delivery

    async def menu(self, viewer: Viewer, episode_id: int) -> EpisodeMenu | None:
        """What the private menu about an episode shows; the look is on record. None: there is none for this viewer."""

        async def look(tx: Tx) -> EpisodeMenu | None:
            found = await more.load_menu(tx, viewer.creator_ids, episode_id, viewer.user_id)
            if found is not None:
                now = self._clock.now_ms()
                await append(tx, viewer, "view_alert", "episode", episode_id, found.creator_id, now)
            return found

        return await self._store.write(look)

    async def why(self, viewer: Viewer, episode_id: int) -> Why | None:
        """Every input of an episode's score; the look is on record. None: there is none for this viewer."""

        async def look(tx: Tx) -> Why | None:
            now = self._clock.now_ms()
            found = await more.load_why(tx, viewer.creator_ids, episode_id, now)
            if found is not None:
                creator_id = found.profile.creator_id
                await append(tx, viewer, "view_why", "episode", episode_id, creator_id, now)
            return found

        return await self._store.write(look)

    async def may_close(self, viewer: Viewer, episode_id: int) -> CloseResult:
        """Whether the viewer could close it now (`open`), and if not, why."""
        async with self._store.read() as tx:
            return _closable(viewer, await find_work(tx, viewer, episode_id))

    async def close(self, viewer: Viewer, episode_id: int, done: Done) -> CloseResult:
        """Close an episode with an outcome. The same form twice is `again`; what is closed already is `closed`."""
        now = self._clock.now_ms()

        async def write(tx: Tx) -> CloseResult:
            work = await find_work(tx, viewer, episode_id)
            if work is not None and done.form_id is not None:
                known = await outcomes.is_known_form(tx, work.fan_account_id, viewer.user_id, done.form_id)
                if known:
                    return CloseResult("again")
            refused = _closable(viewer, work)
            if work is None or refused.status != "open":
                return refused
            menu = await more.load_menu(tx, viewer.creator_ids, episode_id, viewer.user_id)
            before = await desk_actions.snapshot(tx, [episode_id])
            action_id = tx.ids.next()
            await outcomes.close(tx, work, done, viewer.user_id, now, action_id)
            await keep(
                tx,
                viewer,
                "done",
                "episode",
                episode_id,
                work.creator_id,
                now,
                before=before,
                action_id=action_id,
            )
            rest = rest_after(done.outcome, work.score, work.tier, now)
            row = None if menu is None else menu.row
            return CloseResult("done", None, action_id, rest, row, now)

        result = await self._store.write(write)
        if result.status == "done":
            await self._wake_delivery()
        return result

    async def log_contact(self, viewer: Viewer, episode_id: int) -> ContactResult:
        """Keep that the viewer was in touch with the fan just now. Safe to repeat for a quarter of an hour."""
        now = self._clock.now_ms()

        async def write(tx: Tx) -> ContactResult:
            work = await find_work(tx, viewer, episode_id)
            if work is None:
                return ContactResult("not_found")
            since = now - CONTACT_AGAIN_MS
            before = await outcomes.last_contact_at(tx, work.fan_account_id, viewer.user_id, since)
            if before is not None:
                return ContactResult("already", before)
            action_id = tx.ids.next()
            await contacts.add(
                tx, work.creator_id, work.fan_account_id, viewer.user_id, "logged", now, action_id
            )
            snapshot = await desk_actions.snapshot(tx, [episode_id])
            await keep(
                tx,
                viewer,
                "contact",
                "episode",
                episode_id,
                work.creator_id,
                now,
                before=snapshot,
                action_id=action_id,
            )
            await claims.show(tx, work)
            return ContactResult("logged", now)

        result = await self._store.write(write)
        if result.status == "logged":
            await self._wake_delivery()
        return result

    async def say_useless(self, viewer: Viewer, episode_id: int, *, useless: bool) -> bool:
        """Say that the alert was not useful, or take that back. Safe to repeat. False: there is none for this viewer."""
        now = self._clock.now_ms()

        async def write(tx: Tx) -> bool:
            menu = await more.load_menu(tx, viewer.creator_ids, episode_id, viewer.user_id)
            work = await find_work(tx, viewer, episode_id)
            if menu is None or work is None:
                return False
            if useless and not menu.useless:
                action_id = tx.ids.next()
                await outcomes.add_feedback(tx, work, viewer.user_id, now, action_id)
                before = await desk_actions.snapshot(tx, [episode_id])
                await keep(
                    tx,
                    viewer,
                    "feedback",
                    "episode",
                    episode_id,
                    work.creator_id,
                    now,
                    before=before,
                    action_id=action_id,
                )
            elif not useless and await outcomes.withdraw_feedback(tx, episode_id, viewer.user_id, now):
                await append(tx, viewer, "feedback_off", "episode", episode_id, work.creator_id, now)
            return True

        return await self._store.write(write)


def _closable(viewer: Viewer, work: Work | None) -> CloseResult:
    """Whether the viewer may close it: who has it, or a lead; nobody may close what nobody has."""
    if work is None:
        return CloseResult("not_found")
    if work.closed_at is not None:
        return CloseResult("closed")
    if work.claimed_by is None:
        return CloseResult("unclaimed")
    if work.claimed_by != viewer.user_id and viewer.tier < AccessTier.LEAD:
        return CloseResult("not_yours", work.claimed_by)
    return CloseResult("open", work.claimed_by)
