"""How Fanwatch is doing, for whoever has to keep it going."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from bot.clock import Clock
from bot.domain.access import may
from bot.domain.credits import CREDITS_PER_DAY
from bot.domain.models import AccessTier, Viewer
from bot.domain.zones import local_day
from bot.services.creator_profiles import CreatorProfile, load_profiles
from storage import creator_settings, roster, settings, status, usage
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
    """What counts against her day's budget: without walks, backfills and webhooks."""
    nobody: bool = False
    """Nobody is named who would get her action items while nobody is on shift: no chatter, no lead, no role."""


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
    credits_today: int = 0
    """Of all these creators, whatever for; for managers also what is of no creator."""
    webhooks: bool = False
    """Whether webhooks are received at all."""


class StatusService:
    """Leads see their own creators, managers all and the agency's own affairs."""

    def __init__(
        self,
        store: AgencyStore,
        clock: Clock,
        *,
        database_bytes: Callable[[], int | None],
        credits_per_day: int = CREDITS_PER_DAY,
        webhooks: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._clock = clock
        self._database_bytes = database_bytes
        self._credits_per_day = credits_per_day
        self._webhooks = webhooks
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
            today = local_day(now, agency.timezone or "")
            spent = {
                creator_id: await usage.credits_of_day(tx, today, creator_id, outside=usage.UNLIMITED)
                for creator_id in ids
            }
            everybody = [*ids, usage.OF_NO_CREATOR] if whole else ids
            whatever = [await usage.credits_of_day(tx, today, creator_id) for creator_id in everybody]
            waiting = await status.waiting_cards(tx)
            troubles = await creator_settings.open_troubles(tx)
            has_roles = bool(await roster.list_role_tiers(tx))
        creators = []
        for one in profiles:
            found = last.get(one.creator_id)
            creators.append(
                CreatorStatus(
                    one,
                    found.kind if found is not None else None,
                    found.finished_at if found is not None else None,
                    errors.get(one.creator_id) if one.failed_polls else None,
                    math.ceil(spent[one.creator_id]),
                    nobody=not has_roles and one.default_chatter_id is None and not one.lead_ids,
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
            credits_today=math.ceil(sum(whatever)),
            webhooks=self._webhooks,
        )
