"""The things a guild is made of, and how Discord writes them in JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Any, Final

from .snowflake import created_at, stamp

GUILD_TEXT: Final = 0
GUILD_CATEGORY: Final = 4
PUBLIC_THREAD: Final = 11
PRIVATE_THREAD: Final = 12
THREADS: Final = frozenset({PUBLIC_THREAD, PRIVATE_THREAD})


class MessageType(IntEnum):
    DEFAULT = 0
    THREAD_CREATED = 18
    REPLY = 19
    CHAT_INPUT_COMMAND = 20
    CONTEXT_MENU_COMMAND = 23


class MessageFlag(IntFlag):
    SUPPRESS_EMBEDS = 1 << 2
    HAS_THREAD = 1 << 5
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    IS_COMPONENTS_V2 = 1 << 15


@dataclass(slots=True)
class User:
    id: int
    name: str
    bot: bool = False

    def to_json(self) -> dict[str, Any]:
        wire: dict[str, Any] = {
            "id": str(self.id),
            "username": self.name,
            "discriminator": "0000" if self.bot else "0",
            "global_name": None if self.bot else self.name,
            "avatar": None,
            "avatar_decoration_data": None,
            "collectibles": None,
            "primary_guild": None,
            "public_flags": 0,
            "flags": 0,
        }
        if self.bot:
            wire["bot"] = True
        return wire


@dataclass(slots=True)
class Role:
    id: int
    name: str
    permissions: int
    position: int
    tier: str | None = None
    bot_id: int | None = None
    mentionable: bool = False

    def to_json(self) -> dict[str, Any]:
        wire: dict[str, Any] = {
            "id": str(self.id),
            "name": self.name,
            "description": None,
            "permissions": str(self.permissions),
            "position": self.position,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "managed": self.bot_id is not None,
            "mentionable": self.mentionable,
            "icon": None,
            "unicode_emoji": None,
            "flags": 0,
        }
        if self.bot_id is not None:
            wire["tags"] = {"bot_id": str(self.bot_id)}
        return wire


@dataclass(slots=True)
class Member:
    user: User
    role_ids: list[int]
    tier: str | None = None

    def to_json(self, *, with_user: bool = True) -> dict[str, Any]:
        wire: dict[str, Any] = {
            "roles": [str(role_id) for role_id in self.role_ids],
            "nick": None,
            "avatar": None,
            "banner": None,
            "premium_since": None,
            "communication_disabled_until": None,
            "joined_at": stamp(created_at(self.user.id)),
            "deaf": False,
            "mute": False,
            "pending": False,
            "flags": 0,
        }
        if with_user:
            wire["user"] = self.user.to_json()
        return wire


@dataclass(slots=True)
class Overwrite:
    """A channel's exception for a role (type 0) or a member (type 1)."""

    id: int
    type: int
    allow: int
    deny: int

    def to_json(self) -> dict[str, Any]:
        return {"id": str(self.id), "type": self.type, "allow": str(self.allow), "deny": str(self.deny)}


@dataclass(slots=True)
class ThreadState:
    """What a thread has besides. `archived_at`: machine time in seconds, of the last change of archiving."""

    owner_id: int
    archived_at: float
    auto_archive_minutes: int = 4320
    archived: bool = False
    locked: bool = False
    invitable: bool = True
    members: dict[int, float] = field(default_factory=dict)
    message_count: int = 0


@dataclass(slots=True)
class Channel:
    """A text channel, a category or a thread (`thread` is set). A thread has its parent's overwrites."""

    id: int
    guild_id: int
    type: int
    name: str
    parent_id: int | None = None
    position: int = 0
    topic: str | None = None
    overwrites: list[Overwrite] = field(default_factory=list)
    last_message_id: int | None = None
    slowmode_s: int = 0
    thread: ThreadState | None = None

    def to_json(self, *, viewer_id: int | None = None) -> dict[str, Any]:
        """`viewer_id` adds that member's `member` to a thread he is in, as Discord does for the bot."""
        wire: dict[str, Any] = {
            "id": str(self.id),
            "type": self.type,
            "guild_id": str(self.guild_id),
            "name": self.name,
            "parent_id": str(self.parent_id) if self.parent_id else None,
            "last_message_id": str(self.last_message_id) if self.last_message_id else None,
            "rate_limit_per_user": self.slowmode_s,
            "flags": 0,
        }
        if self.thread is None:
            wire |= {
                "position": self.position,
                "topic": self.topic,
                "nsfw": False,
                "permission_overwrites": [overwrite.to_json() for overwrite in self.overwrites],
            }
            return wire
        thread = self.thread
        wire |= {
            "owner_id": str(thread.owner_id),
            "message_count": thread.message_count,
            "total_message_sent": thread.message_count,
            "member_count": len(thread.members),
            "thread_metadata": {
                "archived": thread.archived,
                "locked": thread.locked,
                "auto_archive_duration": thread.auto_archive_minutes,
                "archive_timestamp": stamp(thread.archived_at),
                "create_timestamp": stamp(created_at(self.id)),
            },
        }
        if self.type == PRIVATE_THREAD:
            wire["thread_metadata"]["invitable"] = thread.invitable
        if viewer_id in thread.members:
            wire["member"] = thread_member_json(self.id, viewer_id, thread.members[viewer_id])
        return wire


def thread_member_json(thread_id: int, user_id: int, joined_at: float) -> dict[str, Any]:
    return {"id": str(thread_id), "user_id": str(user_id), "join_timestamp": stamp(joined_at), "flags": 1}


@dataclass(slots=True)
class Attachment:
    id: int
    filename: str
    content_type: str
    data: bytes
    url: str
    description: str | None = None

    def to_json(self) -> dict[str, Any]:
        wire: dict[str, Any] = {
            "id": str(self.id),
            "filename": self.filename,
            "size": len(self.data),
            "url": self.url,
            "proxy_url": self.url,
            "content_type": self.content_type,
        }
        if self.description is not None:
            wire["description"] = self.description
        return wire


@dataclass(slots=True)
class Message:
    """A message. `embeds` and `components` are in Discord's wire form; times are machine time in seconds.

    Attributes:
        edits: how often it was edited after it was first seen complete.
        ephemeral_for: the one user who sees it; None = everyone in the channel.
        pinged: `user:ID`, `role:ID` or `everyone`: who was notified when it was created.
        reference: the message it answers, or (THREAD_CREATED) the thread it announces.
    """

    id: int
    channel_id: int
    guild_id: int
    author: User
    type: MessageType = MessageType.DEFAULT
    content: str = ""
    embeds: list[dict[str, Any]] = field(default_factory=list)
    components: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    flags: int = 0
    nonce: str | None = None
    reference: dict[str, Any] | None = None
    mentions: list[User] = field(default_factory=list)
    mention_role_ids: list[int] = field(default_factory=list)
    mention_everyone: bool = False
    pinged: list[str] = field(default_factory=list)
    edited_at: float | None = None
    edits: int = 0
    deleted: bool = False
    ephemeral_for: int | None = None
    interaction: dict[str, Any] | None = None
    application_id: int | None = None
    webhook_id: int | None = None

    def has(self, flag: MessageFlag) -> bool:
        return bool(self.flags & flag)

    def to_json(self) -> dict[str, Any]:
        shown = {
            embed[part]["url"]
            for embed in self.embeds
            for part in ("image", "thumbnail")
            if isinstance(embed.get(part), dict)
        }
        wire: dict[str, Any] = {
            "id": str(self.id),
            "channel_id": str(self.channel_id),
            "type": int(self.type),
            "author": self.author.to_json(),
            "content": self.content,
            "embeds": self.embeds,
            "components": self.components,
            # Discord takes a file that an embed shows out of the list.
            "attachments": [file.to_json() for file in self.attachments if file.url not in shown],
            "mentions": [user.to_json() for user in self.mentions],
            "mention_roles": [str(role_id) for role_id in self.mention_role_ids],
            "mention_everyone": self.mention_everyone,
            "pinned": False,
            "tts": False,
            "flags": self.flags,
            "timestamp": stamp(created_at(self.id)),
            "edited_timestamp": stamp(self.edited_at) if self.edited_at is not None else None,
        }
        if self.reference is not None:
            wire["message_reference"] = self.reference
        if self.interaction is not None:
            wire["interaction_metadata"] = self.interaction
        if self.application_id is not None:
            wire["application_id"] = str(self.application_id)
        if self.webhook_id is not None:
            wire["webhook_id"] = str(self.webhook_id)
        return wire

    def to_sandbox_json(self) -> dict[str, Any]:
        """The message with what no client is told, for the control API."""
        return self.to_json() | {
            "sandbox": {
                "deleted": self.deleted,
                "edits": self.edits,
                "ephemeral_for": str(self.ephemeral_for) if self.ephemeral_for else None,
                "pinged": list(self.pinged),
                "silent": self.has(MessageFlag.SUPPRESS_NOTIFICATIONS),
            }
        }
