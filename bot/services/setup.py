"""The agency's set-up: what is chosen, what is missing, and one step at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from bot.clock import Clock
from bot.domain.models import AccessTier, Viewer
from bot.domain.zones import close_zones, find_zone
from bot.services.records import append
from storage import card_homes, roster, settings
from storage.engine import AgencyStore, Tx
from storage.roster import Creator

Step = Literal["roles", "zone", "notices", "creators"]
TIERS = (AccessTier.CHATTER, AccessTier.LEAD, AccessTier.MANAGER, AccessTier.OWNER)


@dataclass(frozen=True, slots=True)
class SetupCreator:
    """A creator who is mapped. Ids are Discord's but for `creator_id`."""

    creator_id: int
    name: str
    channel_id: int
    default_chatter_id: int | None
    lead_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SetupState:
    """What is chosen. `timezone` and `notice_channel_id` None: not yet. `done`: the set-up was finished once."""

    timezone: str | None
    notice_channel_id: int | None
    roles: Mapping[AccessTier, tuple[int, ...]]
    creators: tuple[SetupCreator, ...]
    """Those who are not retired, by name."""
    done: bool

    @property
    def missing(self) -> tuple[Step, ...]:
        """The steps that still have to be gone through, in their order."""
        chosen: dict[Step, object] = {
            "roles": any(self.roles.values()),
            "zone": self.timezone,
            "notices": self.notice_channel_id,
            "creators": self.creators,
        }
        return tuple(step for step, value in chosen.items() if not value)

    def creator(self, creator_id: int) -> SetupCreator | None:
        return next((one for one in self.creators if one.creator_id == creator_id), None)


@dataclass(frozen=True, slots=True)
class RolesResult:
    """`clash`: (role, the tier that has it already); then nothing was changed."""

    clash: tuple[int, AccessTier] | None = None


@dataclass(frozen=True, slots=True)
class ZoneResult:
    """`zone` None: there is no such one, and nothing was changed; `close` are like what was typed."""

    zone: str | None
    close: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FinishResult:
    """`missing`: then nothing was changed. `begun`: the creators whose watch begins with this."""

    missing: tuple[Step, ...]
    begun: tuple[SetupCreator, ...] = ()


class SetupService:
    """Every step is saved by itself and may be repeated. Who may take them is checked by whoever calls."""

    def __init__(self, store: AgencyStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def load(self) -> SetupState:
        async with self._store.read() as tx:
            return await _load(tx)

    def now_ms(self) -> int:
        """Agency time."""
        return self._clock.now_ms()

    async def set_roles(self, viewer: Viewer, tier: AccessTier, role_ids: Collection[int]) -> RolesResult:
        """Exactly these roles have the tier from now on."""

        async def write(tx: Tx) -> RolesResult:
            held = await roster.list_role_tiers(tx)
            for role_id in sorted(role_ids):
                if held.get(role_id, tier) is not tier:
                    return RolesResult((role_id, held[role_id]))
            if {role for role, of in held.items() if of is tier} != set(role_ids):
                await settings.set_tier_roles(tx, tier, role_ids)
                await self._audit(tx, viewer, "setup_roles")
            return RolesResult()

        return await self._store.write(write)

    async def set_zone(self, viewer: Viewer, typed: str) -> ZoneResult:
        zone = find_zone(typed)
        if zone is None:
            return ZoneResult(None, tuple(close_zones(typed)))
        chosen = zone

        async def write(tx: Tx) -> None:
            if (await settings.read_settings(tx)).timezone != chosen:
                await settings.set_timezone(tx, chosen)
                await self._audit(tx, viewer, "setup_zone")

        await self._store.write(write)
        return ZoneResult(zone)

    async def set_notice_channel(self, viewer: Viewer, channel_id: int) -> None:
        """From now on; what never got into the one before goes there too."""
        now = self._clock.now_ms()

        async def write(tx: Tx) -> None:
            before = (await settings.read_settings(tx)).notice_channel_id
            if before != channel_id:
                await settings.set_notice_channel(tx, channel_id)
                if before is not None:
                    await card_homes.rehome(tx, before, now, unseen_only=True)
                await self._audit(tx, viewer, "setup_notices")

        await self._store.write(write)

    async def finish(self, viewer: Viewer) -> FinishResult:
        """Begin to work, where nothing is missing; again is nothing but for creators added since."""
        now = self._clock.now_ms()

        async def write(tx: Tx) -> FinishResult:
            state = await _load(tx)
            if state.missing:
                return FinishResult(state.missing)
            begun = set(await settings.start_waiting(tx, now))
            if not state.done:
                await settings.mark_set_up(tx, now)
            if begun or not state.done:
                await self._audit(tx, viewer, "setup_finish")
            return FinishResult((), tuple(one for one in state.creators if one.creator_id in begun))

        return await self._store.write(write)

    async def _audit(self, tx: Tx, viewer: Viewer, action: str) -> None:
        await append(tx, viewer, action, "agency", tx.agency_id, None, self._clock.now_ms())


async def _load(tx: Tx) -> SetupState:
    agency = await settings.read_settings(tx)
    tiers = await roster.list_role_tiers(tx)
    creators = [one for one in await roster.list_creators(tx) if one.retired_at is None]
    return SetupState(
        timezone=agency.timezone,
        notice_channel_id=agency.notice_channel_id,
        roles={tier: tuple(sorted(role for role, of in tiers.items() if of is tier)) for tier in TIERS},
        creators=tuple(_to_creator(one) for one in creators),
        done=agency.set_up_at is not None,
    )


def _to_creator(creator: Creator) -> SetupCreator:
    return SetupCreator(
        creator.id, creator.name, creator.channel_id, creator.default_chatter_id, creator.lead_ids
    )
