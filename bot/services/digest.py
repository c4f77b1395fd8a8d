"""What is behind the buttons of a digest: whose it is, and the episodes nobody was called for."""

from __future__ import annotations

from dataclasses import dataclass

from bot.clock import Clock
from bot.domain.models import Viewer
from bot.domain.views import QueueRow
from bot.services.records import append
from storage import digest_cards, queue
from storage.engine import AgencyStore


@dataclass(frozen=True, slots=True)
class DigestOf:
    """A digest the viewer may open. `creator_id` None: the agency's."""

    creator_id: int | None


@dataclass(frozen=True, slots=True)
class LeftOver:
    """Those of a digest's episodes that are open still and of the viewer's creators, most money first."""

    creator_id: int | None
    rows: tuple[QueueRow, ...]


class DigestService:
    """A foreign digest and a missing one give the same answer."""

    def __init__(self, store: AgencyStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def find(self, viewer: Viewer, card_id: int) -> DigestOf | None:
        """None: there is no such digest for this person. The agency's is for everybody, each sees their own in it."""
        async with self._store.read() as tx:
            found = await digest_cards.find_by_card(tx, card_id)
        if found is None or not _may_see(viewer, found.creator_id):
            return None
        return DigestOf(found.creator_id)

    async def left_over(self, viewer: Viewer, card_id: int) -> LeftOver | None:
        """None: there is no such digest for this person. That they looked is on record."""
        async with self._store.read() as tx:
            found = await digest_cards.find_by_card(tx, card_id)
            if found is None or not _may_see(viewer, found.creator_id):
                return None
            rows = await queue.list_these(tx, found.figures.unmentioned, viewer.creator_ids)
        now, creator_id = self._clock.now_ms(), found.creator_id
        await self._store.write(lambda tx: append(tx, viewer, "view_list", "card", card_id, creator_id, now))
        return LeftOver(creator_id, tuple(rows))


def _may_see(viewer: Viewer, creator_id: int | None) -> bool:
    return bool(viewer.creator_ids) if creator_id is None else creator_id in viewer.creator_ids
