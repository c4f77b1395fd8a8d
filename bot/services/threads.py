"""The threads of fans: which fan a thread is about, and which thread is a fan's."""

from __future__ import annotations

from dataclasses import dataclass

from bot.clock import Clock
from bot.domain.models import Viewer
from bot.domain.naming import hides_all, name_mode, public_label
from bot.domain.views import FanChoice, FanLabel
from bot.services.records import append
from storage import card_views, fan_search, fan_threads, fans, roster
from storage.engine import AgencyStore, Tx
from storage.fan_threads import FanThread


@dataclass(frozen=True, slots=True)
class FanPlace:
    """Where a fan's thread is or belongs. Ids of Discord; `channel_id` None: her creator has no channel."""

    fan: FanChoice
    channel_id: int | None
    thread_id: int | None
    thread_channel_id: int | None
    """The channel the thread is in, which was the creator's when it was made."""
    public: FanLabel | None = None
    """What the thread, which everybody in the channel reads, may call the fan; None: by all names."""
    hides_notes: bool = False


class ThreadService:
    """Knows threads for people who may see the fan; a foreign fan and a missing one give the same answer."""

    def __init__(self, store: AgencyStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def fan_of(self, viewer: Viewer, thread_id: int) -> FanChoice | None:
        """The fan this thread is about; None where it is no fan's thread or the fan is not for this viewer."""
        async with self._store.read() as tx:
            thread = await fan_threads.find_by_thread(tx, thread_id)
            if thread is None:
                return None
            return await fan_search.find_choice(tx, viewer.creator_ids, thread.fan_account_id)

    async def place_of(self, viewer: Viewer, fan_account_id: int) -> FanPlace | None:
        """None where there is no such fan among the viewer's."""
        async with self._store.read() as tx:
            fan = await fan_search.find_choice(tx, viewer.creator_ids, fan_account_id)
            creator_id = await fans.creator_of_fan(tx, fan_account_id)
            if fan is None or creator_id is None:
                return None
            creator = await roster.get_creator(tx, creator_id)
            thread = await fan_threads.find_by_fan(tx, fan_account_id)
            claimed = await card_views.is_claimed(tx, fan_account_id)
        mode = name_mode(None if creator is None else creator.name_mode)
        return FanPlace(
            fan,
            None if creator is None else creator.channel_id,
            None if thread is None else thread.thread_id,
            None if thread is None else thread.channel_id,
            public_label(fan.fan, mode, fan_account_id, claimed=claimed),
            hides_all(mode, claimed=claimed),
        )

    async def keep(
        self, viewer: Viewer, fan_account_id: int, channel_id: int, thread_id: int, *, instead_of: int | None
    ) -> int | None:
        """Make this the fan's thread unless she got another one meanwhile (than `instead_of`, which is gone).

        The id of the one that is hers now; None where the fan is no longer among the viewer's.
        """
        now = self._clock.now_ms()

        async def write(tx: Tx) -> int | None:
            creator_id = await fans.creator_of_fan(tx, fan_account_id)
            if creator_id is None or creator_id not in viewer.creator_ids:
                return None
            thread = FanThread(creator_id, fan_account_id, channel_id, thread_id)
            kept = await fan_threads.keep(tx, thread, now, instead_of=instead_of)
            if kept == thread_id:
                await append(tx, viewer, "open_thread", "fan_account", fan_account_id, creator_id, now)
            return kept

        return await self._store.write(write)
