"""The threads of fans: which fan a thread is about."""

from __future__ import annotations

from bot.domain.models import Viewer
from bot.domain.views import FanChoice
from storage import fan_search, fan_threads
from storage.engine import AgencyStore


class ThreadService:
    """Knows the fan of a thread, for people who may see the fan."""

    def __init__(self, store: AgencyStore) -> None:
        self._store = store

    async def fan_of(self, viewer: Viewer, thread_id: int) -> FanChoice | None:
        """The fan this thread is about; None where it is no fan's thread or the fan is not for this viewer."""
        async with self._store.read() as tx:
            thread = await fan_threads.find_by_thread(tx, thread_id)
            if thread is None:
                return None
            return await fan_search.find_choice(tx, viewer.creator_ids, thread.fan_account_id)
