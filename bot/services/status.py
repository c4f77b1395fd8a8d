"""How Fanwatch is doing, for whoever has to keep it going."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.clock import Clock
from bot.domain.access import may
from bot.domain.credits import CREDITS_PER_DAY
from bot.domain.models import AccessTier, Viewer
from bot.domain.zones import local_time
from bot.services.creator_profiles import CreatorProfile, load_profiles
from storage import creator_settings, settings, status
from storage.engine import AgencyStore
from storage.status import WaitingCards

__all__ = ["CreatorStatus", "StatusReport", "StatusService", "WaitingCards"]


@dataclass(frozen=True, slots=True)
class CreatorStatus:
    """`last_kind` and `last_at`: her latest good fetch, None: never. `error`: a code, None: nothing is wrong."""

    profile: CreatorProfile
    last_kind: str | None
    last_at: int | None
    error: str | None
    credits_today: int


@dataclass(frozen=True, slots=True)
class StatusReport:
    """What the viewer may know. Instants are agency time but for `uptime_s`, which is the machine's."""

    creators: tuple[CreatorStatus, ...]
    waiting: tuple[WaitingCards, ...]
    api_trouble: str | None
    """The code of the open notice about the whole data API."""
    set_up: bool
    notice_channel_id: int | None
    """None also for whom it does not concern."""
    database_bytes: int | None
    """None: unknown, as on PostgreSQL."""
    uptime_s: int

    @property
    def credits_today(self) -> int:
        return sum(one.credits_today for one in self.creators)


class StatusService:
    """Leads see their own creators, managers all and the agency's own affairs."""

    def __init__(
        self,
        store: AgencyStore,
        clock: Clock,
        *,
        database_bytes: Callable[[], int | None],
        credits_per_day: int = CREDITS_PER_DAY,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._clock = clock
        self._database_bytes = database_bytes
        self._credits_per_day = credits_per_day
        self._monotonic = monotonic
        self._started_s = monotonic()

    async def load(self, viewer: Viewer) -> StatusReport:
        now = self._clock.now_ms()
        whole = may(viewer.tier, AccessTier.MANAGER)
        async with self._store.read() as tx:
            agency = await settings.read_settings(tx)
            profiles = [
                one
                for one in await load_profiles(tx, self._credits_per_day)
                if one.creator_id in viewer.creator_ids
            ]
            ids = [one.creator_id for one in profiles]
            last = await status.last_syncs(tx, ids)
            errors = await status.last_errors(tx, ids)
            spent = await status.credits_since(tx, ids, day_start(agency.timezone, now))
            waiting = await status.waiting_cards(tx)
            troubles = await creator_settings.open_troubles(tx)
        creators = []
        for one in profiles:
            found = last.get(one.creator_id)
            creators.append(
                CreatorStatus(
                    one,
                    found.kind if found is not None else None,
                    found.finished_at if found is not None else None,
                    errors.get(one.creator_id) if one.failed_polls else None,
                    spent.get(one.creator_id, 0),
                )
            )
        return StatusReport(
            creators=tuple(creators),
            waiting=tuple(
                one
                for one in waiting
                if one.creator_id in viewer.creator_ids or (one.creator_id is None and whole)
            ),
            api_trouble=troubles.get(None),
            set_up=agency.set_up_at is not None,
            notice_channel_id=agency.notice_channel_id if whole else None,
            database_bytes=self._database_bytes() if whole else None,
            uptime_s=int(self._monotonic() - self._started_s),
        )


def day_start(zone: str | None, now_ms: int) -> int:
    """The last midnight in the zone (None: UTC), in UTC milliseconds."""
    local = local_time(zone, now_ms) if zone is not None else datetime.fromtimestamp(now_ms / 1_000, UTC)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    # Where the clocks skip midnight its UTC instant may be after now.
    if midnight.timestamp() * 1_000 > now_ms:
        midnight -= timedelta(days=1)
    return round(midnight.timestamp() * 1_000)
