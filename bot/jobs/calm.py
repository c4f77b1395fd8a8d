"""Ends what was to be quiet until now, and moves the counts of contacts on with the time.

A card shows a hold while its row is open, and contacts as of the last fetch: so a card comes out the same however often it
is rendered, and what the time alone changes is done here.
"""

from __future__ import annotations

import structlog

from bot.domain.desk import NUDGE_WINDOW_MS
from bot.domain.models import MS_PER_DAY
from storage import contacts, holds, mentions, mutes, roster
from storage.engine import AgencyStore, Tx

log = structlog.get_logger(__name__)


class CalmJob:
    """Of one agency. Whatever keeps mentions or news back counts its time by itself: this is for what people see."""

    def __init__(self, store: AgencyStore) -> None:
        self._store = store
        self._counted_at: dict[int, int] = {}

    async def run_due(self, now_ms: int) -> dict[str, int]:
        """End the holds and mutes whose time is over; show anew the cards on which contacts are no longer recent."""
        async with self._store.read() as tx:
            over = len(await holds.list_over(tx, now_ms)) + len(await mutes.list_over(tx, now_ms))
            fetched = await roster.list_fetched(tx)
            aged = [
                (creator_id, fan_account_id)
                for creator_id, at in fetched.items()
                for fan_account_id in await self._aged(tx, creator_id, at)
            ]
        if over or aged:
            await self._store.write(lambda tx: _work(tx, aged, now_ms))
            log.info("quiet_ended", count=over, contacts=len(aged))
        self._counted_at = fetched
        return {"calm": over + len(aged)} if over or aged else {}

    async def _aged(self, tx: Tx, creator_id: int, at: int) -> list[int]:
        """The fan accounts of a creator on whose cards a contact is no longer recent since the last look."""
        # After a start nobody knows up to where it had come: a day's worth is looked at again.
        before = self._counted_at.get(creator_id, at - MS_PER_DAY)
        if before >= at:
            return []
        return await contacts.list_of_between(tx, creator_id, before - NUDGE_WINDOW_MS, at - NUDGE_WINDOW_MS)


async def _work(tx: Tx, aged: list[tuple[int, int]], now_ms: int) -> None:
    for hold in await holds.list_over(tx, now_ms):
        await holds.end(tx, hold, None, hold.hold.until_at or now_ms)
        await mentions.release_held(tx, now_ms, fan_account_id=hold.fan_account_id)
    for mute in await mutes.list_over(tx, now_ms):
        await mutes.end(tx, mute.id, None, mute.until_at or now_ms)
        await mentions.release_held(
            tx, now_ms, creator_id=mute.creator_id, fan_account_id=mute.fan_account_id
        )
    for creator_id, fan_account_id in aged:
        await holds.show(tx, creator_id, fan_account_id)
