"""Who may see whose fans: a mapped role and sight of the creator's channel, or as her lead, or as manager."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass

from bot.domain.access import may, tier_of
from bot.domain.models import AccessTier, Viewer
from storage import roster, settings
from storage.engine import AgencyStore


@dataclass(frozen=True, slots=True)
class AccessRules:
    """What decides over access, as it stands in the database at one moment."""

    role_tiers: Mapping[int, AccessTier]
    channels: Mapping[int, int | None]
    """Creator id -> her channel."""
    leads: Mapping[int, frozenset[int]]
    """Creator id -> the users who lead her team."""
    retired: frozenset[int] = frozenset()
    """The creators who are no longer worked for: for managers to look back at."""
    set_up: bool = True
    """Whether the agency's set-up was ever finished."""

    def viewer(
        self,
        user_id: int,
        role_ids: Collection[int],
        visible_channel_ids: Collection[int],
        *,
        owns_server: bool = False,
    ) -> Viewer:
        """`visible_channel_ids`: those of `channels` that the person can see in Discord now.

        Whoever owns the server is an owner without any role: somebody has to be able to map the roles.
        """
        tier = AccessTier.OWNER if owns_server else tier_of(role_ids, self.role_tiers)
        if not may(tier, AccessTier.CHATTER):
            return Viewer(user_id, AccessTier.NONE, frozenset())
        if may(tier, AccessTier.MANAGER):
            return Viewer(user_id, tier, frozenset(self.channels))
        # Who leads no team any more sees only the channels that are left.
        leads = may(tier, AccessTier.LEAD)
        seen = frozenset(
            creator_id
            for creator_id, channel_id in self.channels.items()
            if creator_id not in self.retired
            and (
                (channel_id is not None and channel_id in visible_channel_ids)
                or (leads and user_id in self.leads.get(creator_id, ()))
            )
        )
        return Viewer(user_id, tier, seen)


class AccessService:
    """Reads the rules anew for every question: a role taken away counts at once."""

    def __init__(
        self, store: AgencyStore, *, note_seen: Callable[[int], Awaitable[None]] | None = None
    ) -> None:
        """`note_seen` hears the id of everybody who does something."""
        self._store = store
        self._met: dict[int, Viewer] = {}
        self._note_seen = note_seen

    async def remember(self, viewer: Viewer) -> None:
        """Keep who the person is, for when somebody else asks; written only where it has changed."""
        if self._note_seen is not None:
            await self._note_seen(viewer.user_id)
        if self._met.get(viewer.user_id) == viewer:
            return
        await self._store.write(lambda tx: roster.put_member(tx, viewer))
        self._met[viewer.user_id] = viewer

    async def load_rules(self) -> AccessRules:
        async with self._store.read() as tx:
            creators = await roster.list_creators(tx)
            role_tiers = await roster.list_role_tiers(tx)
            leads = await roster.list_leads(tx)
            agency = await settings.read_settings(tx)
        return AccessRules(
            role_tiers=role_tiers,
            channels={creator.id: creator.channel_id for creator in creators},
            leads=leads,
            retired=frozenset(creator.id for creator in creators if creator.retired_at is not None),
            set_up=agency.set_up_at is not None,
        )
