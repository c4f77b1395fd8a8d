"""What the bot and people may do in a channel, as Discord has it now."""

from __future__ import annotations

from collections.abc import Mapping

import discord

from bot.discord_ui.safe import clean_name
from bot.domain.access import may, tier_of
from bot.domain.models import AccessTier

NOTICE_PERMISSIONS: Mapping[str, str] = {
    "view_channel": "View Channel",
    "send_messages": "Send Messages",
    "embed_links": "Embed Links",
    "read_message_history": "Read Message History",
}
"""What cards need, by discord.py's names; the values are as people find them in Discord's own settings."""
CREATOR_PERMISSIONS: Mapping[str, str] = {
    **NOTICE_PERMISSIONS,
    "create_public_threads": "Create Public Threads",
    "send_messages_in_threads": "Send Messages in Threads",
}
"""What a creator's channel needs: cards, and a thread for a fan."""

_FOLLOWS: Mapping[str, frozenset[str]] = {
    "view_channel": frozenset(CREATOR_PERMISSIONS) - {"view_channel"},
    "send_messages": frozenset({"embed_links"}),
}
"""Without the one Discord gives none of the others, whatever is set."""
_NAME_CHARS = 90


def missing_permissions(channel: discord.TextChannel, needed: Mapping[str, str]) -> list[str]:
    """The names of what the bot may not do there; what only follows from another of them is left out."""
    return [needed[flag] for flag in lacking_flags(channel, needed)]


def lacking_flags(channel: discord.TextChannel, needed: Mapping[str, str]) -> list[str]:
    """Like `missing_permissions`, by discord.py's names."""
    granted = channel.permissions_for(channel.guild.me)
    lacking = [flag for flag in needed if not getattr(granted, flag)]
    for cause, follows in _FOLLOWS.items():
        if cause in lacking:
            lacking = [flag for flag in lacking if flag not in follows]
    return lacking


def text_channel(guild: discord.Guild, channel_id: int) -> discord.TextChannel | None:
    """The channel; None where there is none, the bot does not know of it, or it is of another kind."""
    channel = guild.get_channel(channel_id)
    return channel if isinstance(channel, discord.TextChannel) else None


async def may_work(
    guild: discord.Guild,
    user_id: int,
    channel_id: int,
    role_tiers: Mapping[int, AccessTier],
    needed: AccessTier,
) -> bool:
    """Whether a person has the tier, and sees the channel or need not. False for somebody who is not in the guild."""
    try:
        member = await guild.fetch_member(user_id)
    except discord.NotFound:
        return False
    if member.bot:
        return False
    owns = guild.owner_id == user_id
    tier = AccessTier.OWNER if owns else tier_of([role.id for role in member.roles], role_tiers)
    if not may(tier, needed):
        return False
    channel = guild.get_channel(channel_id)
    sees = channel is not None and channel.permissions_for(member).view_channel
    return sees or may(tier, AccessTier.MANAGER) or needed is AccessTier.LEAD


def channel_name(name: str) -> str:
    """A creator's name as Discord takes it for a text channel."""
    kept = "".join(char if char.isalnum() else "-" for char in clean_name(name, _NAME_CHARS).lower())
    return "-".join(part for part in kept.split("-") if part)[:_NAME_CHARS] or "creator"


async def make_channel(
    guild: discord.Guild, name: str, role_ids: set[int], *, mark: str
) -> discord.TextChannel:
    """A text channel that these roles and the bot see and nobody else. Raises discord.HTTPException.

    `mark` goes into the topic: one that was made before and not used, as by a crash, is found by it and taken.
    """
    for known in guild.text_channels:
        if known.topic is not None and mark in known.topic:
            return known
    me = guild.me
    # Discord refuses to give what the bot does not have itself.
    wanted = {flag: True for flag in CREATOR_PERMISSIONS if getattr(me.guild_permissions, flag)}
    hidden = discord.PermissionOverwrite(view_channel=False)
    overwrites: dict[discord.Role | discord.Member | discord.Object, discord.PermissionOverwrite] = {
        guild.default_role: hidden,
        me: discord.PermissionOverwrite(**wanted),
    }
    for role_id in role_ids:
        role = guild.get_role(role_id)
        if role is not None and not role.is_default():
            overwrites[role] = discord.PermissionOverwrite(view_channel=True)
    return await guild.create_text_channel(
        channel_name(name), overwrites=overwrites, topic=f"Fanwatch ({mark})", reason="Set up in Fanwatch"
    )
