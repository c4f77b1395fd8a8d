"""The queue of a viewer: what is open for their creators. Whoever looks at a page is on record."""

from __future__ import annotations

from bot.clock import Clock
from bot.domain.models import Viewer
from bot.domain.pages import ROWS_PER_PAGE, fit
from bot.domain.views import QueuePage, QueueSort
from bot.services.records import append
from storage import boards, queue, roster
from storage.engine import AgencyStore


class QueueService:
    """Reads one page at a time; a foreign creator and a missing one give the same answer."""

    def __init__(self, store: AgencyStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def look(
        self, viewer: Viewer, creator_id: int | None, sort: QueueSort, page: int = 0
    ) -> QueuePage | None:
        """A page, brought into range, of one creator or (None) of all the viewer's who are not retired.

        None: no creator of theirs.
        """
        if creator_id is not None and creator_id not in viewer.creator_ids:
            return None
        async with self._store.read() as tx:
            name, creator_ids = None, [creator_id] if creator_id is not None else []
            if creator_id is None:
                creator_ids = await roster.not_retired(tx, viewer.creator_ids)
            else:
                name = await queue.find_creator_name(tx, creator_id)
                if name is None:
                    return None
            totals = await boards.sum_open(tx, creator_ids)
            page, pages = fit(page, totals.episodes)
            rows = await queue.list_page(
                tx, creator_ids, sort, offset=page * ROWS_PER_PAGE, limit=ROWS_PER_PAGE
            )
            synced_at = await queue.oldest_data_at(tx, creator_ids)
        await self._record_view(viewer, creator_id)
        return QueuePage(creator_id, name, sort, page, pages, rows, totals, synced_at)

    async def _record_view(self, viewer: Viewer, creator_id: int | None) -> None:
        now = self._clock.now_ms()
        await self._store.write(
            lambda tx: append(tx, viewer, "view_list", "queue", creator_id, creator_id, now)
        )
