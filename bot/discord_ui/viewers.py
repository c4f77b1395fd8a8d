"""Turns the person behind an interaction into a Viewer: roles and channel sight as Discord has them now."""

from __future__ import annotations

from typing import Protocol

import discord

from bot.discord_ui import words
from bot.domain.access import refusal
from bot.domain.models import AccessTier, Viewer
from bot.services.access import AccessRules

_KEY = "fanwatch_viewer"


class RulesSource(Protocol):
    """Where the rules come from; the access service."""

    async def load_rules(self) -> AccessRules: ...

    async def remember(self, viewer: Viewer) -> None:
        """Keep who works here. Discord lists members only to bots that may read them all, so we note whom we meet."""
        ...


async def viewer_of(interaction: discord.Interaction, source: RulesSource) -> Viewer:
    """Who asks; without a tier and creators where it is nobody of the server. Worked out once."""
    known = interaction.extras.get(_KEY)
    if isinstance(known, Viewer):
        return known
    member = interaction.user
    if not isinstance(member, discord.Member):
        return Viewer(member.id, AccessTier.NONE, frozenset())
    viewer = viewer_of_member(member, await source.load_rules())
    interaction.extras[_KEY] = viewer
    if viewer.tier is not AccessTier.NONE:
        await source.remember(viewer)
    return viewer


def viewer_of_member(member: discord.Member, rules: AccessRules) -> Viewer:
    """What somebody of the server may see, whether or not he is the one who asks."""
    channel_ids = {channel_id for channel_id in rules.channels.values() if channel_id is not None}
    return rules.viewer(
        member.id,
        [role.id for role in member.roles],
        _visible(member, channel_ids),
        owns_server=member.guild.owner_id == member.id,
    )


async def refusal_of(source: RulesSource, needed: AccessTier) -> str:
    """The sentence for somebody without any tier: until the set-up is done nobody can have one."""
    rules = await source.load_rules()
    return refusal(needed) if rules.set_up else words.NOT_SET_UP_YET


async def creators_here(interaction: discord.Interaction, source: RulesSource) -> frozenset[int]:
    """The creators whose channel, or a thread of it, this is: nobody else's fans are shown in public here."""
    channel = interaction.channel
    here = {interaction.channel_id}
    if isinstance(channel, discord.Thread):
        here.add(channel.parent_id)
    rules = await source.load_rules()
    return frozenset(creator_id for creator_id, channel_id in rules.channels.items() if channel_id in here)


def _visible(member: discord.Member, channel_ids: set[int]) -> set[int]:
    visible = set()
    for channel_id in channel_ids:
        channel = member.guild.get_channel(channel_id)
        if channel is not None and channel.permissions_for(member).view_channel:
            visible.add(channel_id)
    return visible
