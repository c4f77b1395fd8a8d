"""The simulated guild: its people, roles, channels and threads, and the events their changes make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from bot.sandbox.spec import GuildSpec

from . import permissions
from .errors import MISSING_ACCESS, MISSING_PERMISSIONS, UNKNOWN_CHANNEL, api_error
from .model import (
    GUILD_TEXT,
    PRIVATE_THREAD,
    THREADS,
    Channel,
    Member,
    Overwrite,
    Role,
    ThreadState,
    User,
    thread_member_json,
)
from .permissions import Permission
from .snowflake import Snowflakes, created_at, stamp

INTENT_GUILDS: Final = 1 << 0
INTENT_MEMBERS: Final = 1 << 1
INTENT_MESSAGES: Final = 1 << 9
NO_INTENT: Final = 0
"""An event that every session gets."""

BOT_NAME: Final = "Fanwatch"

Listener = Callable[[str, dict[str, Any], int], None]
"""Told of each gateway event: name, data, the intent it needs."""


class World:
    """One guild, one bot. Every change raises `version` and is told to the listener as a gateway event."""

    def __init__(self, spec: GuildSpec, *, now: Callable[[], float]) -> None:
        self.now = now
        self.ids = Snowflakes(now)
        self.version = 1
        self.name = spec.name
        self.listener: Listener | None = None
        self.guild_id = self.ids.make()
        self.roles: dict[int, Role] = {
            self.guild_id: Role(self.guild_id, "@everyone", permissions.EVERYONE, position=0)
        }
        self.members: dict[int, Member] = {}
        self.channels: dict[int, Channel] = {}
        self._forbidden: dict[int, int] = {}
        by_name = self._add_roles(spec)
        self.bot = User(self.ids.make(), BOT_NAME, bot=True)
        self._add_members(spec, by_name)
        self.owner_id = self.member_named(spec.owner).user.id
        for channel in spec.channels:
            self._add_channel(channel.name, channel.visible_to_roles, by_name)

    @property
    def application_id(self) -> int:
        """The application has its bot user's id, as all newer ones do."""
        return self.bot.id

    def _add_roles(self, spec: GuildSpec) -> dict[str, Role]:
        by_name: dict[str, Role] = {}
        for position, role in enumerate(spec.roles, start=1):
            bits = permissions.EVERYONE if role.permissions is None else role.permissions
            made = Role(self.ids.make(), role.name, bits, position, role.tier, mentionable=True)
            self.roles[made.id] = by_name[role.name] = made
        return by_name

    def _add_members(self, spec: GuildSpec, by_name: dict[str, Role]) -> None:
        own = Role(self.ids.make(), BOT_NAME, permissions.BOT, len(self.roles), bot_id=self.bot.id)
        self.roles[own.id] = own
        self.members[self.bot.id] = Member(self.bot, [own.id])
        for member in spec.members:
            user = User(self.ids.make(), member.name)
            self.members[user.id] = Member(user, [by_name[name].id for name in member.roles], member.tier)

    def _add_channel(self, name: str, visible_to: tuple[str, ...] | None, by_name: dict[str, Role]) -> None:
        channel = Channel(self.ids.make(), self.guild_id, GUILD_TEXT, name, position=len(self.channels))
        if visible_to is not None:
            view = int(Permission.VIEW_CHANNEL)
            channel.overwrites = [
                Overwrite(self.guild_id, 0, 0, view),
                *(Overwrite(by_name[role].id, 0, view, 0) for role in visible_to),
                Overwrite(self.bot.id, 1, view, 0),
            ]
        self.channels[channel.id] = channel

    # Finding

    def member_named(self, name: str) -> Member:
        """By id or exact name. Raises KeyError for neither, and for the bot by name."""
        if name.isdecimal() and int(name) in self.members:
            return self.members[int(name)]
        for member in self.members.values():
            if member.user.name == name and not member.user.bot:
                return member
        raise KeyError(name)

    def channel_named(self, name: str) -> Channel:
        """A channel or thread by id or exact name (a leading # is allowed). Raises KeyError."""
        if name.isdecimal() and int(name) in self.channels:
            return self.channels[int(name)]
        bare = name.removeprefix("#")
        for channel in self.channels.values():
            if channel.name == bare:
                return channel
        raise KeyError(name)

    def channel(self, channel_id: int) -> Channel:
        """Raises Discord's 10003."""
        found = self.channels.get(channel_id)
        if found is None:
            raise api_error(UNKNOWN_CHANNEL)
        return found

    def threads(self) -> list[Channel]:
        return [channel for channel in self.channels.values() if channel.thread is not None]

    def guild_channels(self) -> list[Channel]:
        return [channel for channel in self.channels.values() if channel.thread is None]

    # Permissions

    def guild_permissions(self, member: Member) -> int:
        return permissions.in_guild(member, self.roles, self.guild_id, self.owner_id)

    def overwrites(self, channel: Channel) -> list[Overwrite]:
        """A channel's overwrites, a thread's parent's, with what a fault forbids the bot there."""
        place = self.channels.get(channel.parent_id or 0) if channel.thread else channel
        if place is None:
            return []
        denied = self._forbidden.get(place.id, 0)
        if not denied:
            return place.overwrites
        rest = [one for one in place.overwrites if one.id != self.bot.id]
        own = next(
            (one for one in place.overwrites if one.id == self.bot.id), Overwrite(self.bot.id, 1, 0, 0)
        )
        return [*rest, Overwrite(self.bot.id, 1, own.allow & ~denied, own.deny | denied)]

    def permissions_in(self, member: Member, channel: Channel) -> int:
        bits = permissions.in_channel(
            self.guild_permissions(member), member, self.overwrites(channel), self.guild_id
        )
        if channel.type == PRIVATE_THREAD and channel.thread is not None:
            inside = member.user.id in channel.thread.members
            if not inside and not bits & Permission.MANAGE_THREADS:
                return 0
        if channel.thread is not None and member.user.id == self.bot.id:
            bits &= ~self._forbidden.get(channel.id, 0)
            return bits if bits & Permission.VIEW_CHANNEL else 0
        return bits

    def sees(self, member: Member, channel: Channel) -> bool:
        return bool(self.permissions_in(member, channel) & Permission.VIEW_CHANNEL)

    def require(self, channel: Channel, *needed: Permission) -> None:
        """That the bot sees the channel (else 50001) and has these permissions there (else 50013)."""
        bits = self.permissions_in(self.members[self.bot.id], channel)
        if not bits & Permission.VIEW_CHANNEL:
            raise api_error(MISSING_ACCESS)
        if any(not bits & one for one in needed):
            raise api_error(MISSING_PERMISSIONS)

    def forbid(self, channel: Channel, bits: int) -> None:
        """Takes these permissions from the bot in a channel, and only these: 0 gives all back."""
        self._forbidden[channel.id] = bits
        self.channel_changed(channel)

    def forbidden(self, channel_id: int) -> int:
        return self._forbidden.get(channel_id, 0)

    # Changes

    def emit(self, event: str, data: dict[str, Any], intent: int = NO_INTENT) -> None:
        self.version += 1
        if self.listener is not None:
            self.listener(event, data, intent)

    def channel_json(self, channel: Channel) -> dict[str, Any]:
        wire = channel.to_json(viewer_id=self.bot.id)
        if channel.thread is None:
            wire["permission_overwrites"] = [one.to_json() for one in self.overwrites(channel)]
        return wire

    def add_channel(self, channel: Channel) -> None:
        self.channels[channel.id] = channel
        if channel.thread is None:
            self.emit("CHANNEL_CREATE", self.channel_json(channel), INTENT_GUILDS)
        else:
            self.emit("THREAD_CREATE", self.channel_json(channel) | {"newly_created": True}, INTENT_GUILDS)

    def channel_changed(self, channel: Channel) -> None:
        event = "CHANNEL_UPDATE" if channel.thread is None else "THREAD_UPDATE"
        self.emit(event, self.channel_json(channel), INTENT_GUILDS)

    def delete_channel(self, channel: Channel) -> None:
        for thread in [one for one in self.threads() if one.parent_id == channel.id]:
            self.delete_channel(thread)
        del self.channels[channel.id]
        if channel.thread is None:
            self.emit("CHANNEL_DELETE", self.channel_json(channel), INTENT_GUILDS)
            return
        data = {
            "id": str(channel.id),
            "guild_id": str(self.guild_id),
            "parent_id": str(channel.parent_id),
            "type": channel.type,
        }
        self.emit("THREAD_DELETE", data, INTENT_GUILDS)

    def join_thread(self, channel: Channel, thread: ThreadState, user_id: int) -> None:
        if user_id in thread.members:
            return
        thread.members[user_id] = self.now()
        added = thread_member_json(channel.id, user_id, thread.members[user_id])
        self._members_changed(
            channel, thread, {"added_members": [added | {"member": self._member_json(user_id)}]}
        )

    def leave_thread(self, channel: Channel, thread: ThreadState, user_id: int) -> None:
        if thread.members.pop(user_id, None) is not None:
            self._members_changed(channel, thread, {"removed_member_ids": [str(user_id)]})

    def _members_changed(self, channel: Channel, thread: ThreadState, change: dict[str, Any]) -> None:
        data = {"id": str(channel.id), "guild_id": str(self.guild_id), "member_count": len(thread.members)}
        self.emit("THREAD_MEMBERS_UPDATE", data | change, INTENT_GUILDS)

    def _member_json(self, user_id: int) -> dict[str, Any] | None:
        member = self.members.get(user_id)
        return member.to_json() if member else None

    def delete_role(self, role_id: int) -> None:
        del self.roles[role_id]
        self.emit(
            "GUILD_ROLE_DELETE", {"guild_id": str(self.guild_id), "role_id": str(role_id)}, INTENT_GUILDS
        )
        for member in self.members.values():
            if role_id in member.role_ids:
                self.set_roles(member, [one for one in member.role_ids if one != role_id])
        for channel in self.guild_channels():
            if any(one.id == role_id for one in channel.overwrites):
                channel.overwrites = [one for one in channel.overwrites if one.id != role_id]
                self.channel_changed(channel)

    def set_roles(self, member: Member, role_ids: list[int]) -> None:
        """Gives a member exactly these roles; the tier follows the highest role that has one."""
        member.role_ids = role_ids
        tiered = [role for role_id in role_ids if (role := self.roles[role_id]).tier is not None]
        member.tier = max(tiered, key=lambda role: role.position).tier if tiered else None
        intent = NO_INTENT if member.user.id == self.bot.id else INTENT_MEMBERS
        self.emit("GUILD_MEMBER_UPDATE", member.to_json() | {"guild_id": str(self.guild_id)}, intent)

    # JSON

    def guild_json(self) -> dict[str, Any]:
        """The guild as REST gives it."""
        return {
            "id": str(self.guild_id),
            "name": self.name,
            "owner_id": str(self.owner_id),
            "icon": None,
            "splash": None,
            "banner": None,
            "description": None,
            "discovery_splash": None,
            "features": [],
            "emojis": [],
            "stickers": [],
            "roles": [role.to_json() for role in self.roles.values()],
            "afk_channel_id": None,
            "afk_timeout": 300,
            "system_channel_id": None,
            "system_channel_flags": 0,
            "rules_channel_id": None,
            "public_updates_channel_id": None,
            "safety_alerts_channel_id": None,
            "preferred_locale": "en-US",
            "verification_level": 0,
            "default_message_notifications": 1,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "nsfw_level": 0,
            "premium_tier": 0,
            "premium_subscription_count": 0,
            "premium_progress_bar_enabled": False,
            "vanity_url_code": None,
            "max_members": 500_000,
            "max_video_channel_users": 25,
        }

    def guild_create_json(self) -> dict[str, Any]:
        """The guild as GUILD_CREATE has it: channels, active threads, and the members that a bot without the
        members intent is given."""
        shown = (self.bot.id, self.owner_id)
        return self.guild_json() | {
            "joined_at": stamp(created_at(self.guild_id)),
            "large": False,
            "unavailable": False,
            "member_count": len(self.members),
            "members": [self.members[user_id].to_json() for user_id in shown],
            "channels": [self.channel_json(channel) for channel in self.guild_channels()],
            "threads": [
                self.channel_json(thread)
                for thread in self.threads()
                if thread.thread is not None
                and not thread.thread.archived
                and self.sees(self.members[self.bot.id], thread)
            ],
            "presences": [],
            "voice_states": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }


def is_thread(channel: Channel) -> bool:
    return channel.type in THREADS
