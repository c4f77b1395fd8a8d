"""Permission bits, and what they come to for a member in a channel."""

from __future__ import annotations

from enum import IntFlag
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .model import Member, Overwrite, Role


class Permission(IntFlag):
    """The bits that something here looks at, by Discord's names."""

    KICK_MEMBERS = 1 << 1
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    MANAGE_ROLES = 1 << 28
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    SEND_MESSAGES_IN_THREADS = 1 << 38
    MODERATE_MEMBERS = 1 << 40


ALL: Final = (1 << 53) - 1

EVERYONE: Final = int(
    Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.ADD_REACTIONS
    | Permission.READ_MESSAGE_HISTORY
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.CREATE_PUBLIC_THREADS
    | Permission.SEND_MESSAGES_IN_THREADS
)

BOT: Final = int(EVERYONE | Permission.MANAGE_CHANNELS | Permission.CREATE_PRIVATE_THREADS)


def named(name: str) -> int:
    """The bit of a permission's name, in either case; KeyError for an unknown one."""
    return int(Permission[name.strip().upper()])


def in_guild(member: Member, roles: dict[int, Role], everyone_id: int, owner_id: int) -> int:
    if member.user.id == owner_id:
        return ALL
    bits = roles[everyone_id].permissions
    for role_id in member.role_ids:
        role = roles.get(role_id)
        bits |= role.permissions if role else 0
    return ALL if bits & Permission.ADMINISTRATOR else bits


def in_channel(base: int, member: Member, overwrites: Iterable[Overwrite], everyone_id: int) -> int:
    """Overwrites in Discord's order: @everyone, then all roles together, then the member; and what a missing
    VIEW_CHANNEL takes with it."""
    if base & Permission.ADMINISTRATOR:
        return base
    by_id = {overwrite.id: overwrite for overwrite in overwrites}
    everyone = by_id.get(everyone_id)
    if everyone is not None:
        base = (base & ~everyone.deny) | everyone.allow
    allow = deny = 0
    for role_id in member.role_ids:
        overwrite = by_id.get(role_id)
        if overwrite is not None:
            allow |= overwrite.allow
            deny |= overwrite.deny
    base = (base & ~deny) | allow
    own = by_id.get(member.user.id)
    if own is not None:
        base = (base & ~own.deny) | own.allow
    return base if base & Permission.VIEW_CHANNEL else 0
