"""Who works at the sandbox's agency: the guild for the simulated Discord, and ROSTER_FILE for the bot.

Two chatters share the creators: Ana has the first half, Ben the rest. A creator's channel is seen by her
team's role and by leads, managers and the owner, so that a chatter sees only the creators worked for.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.sandbox.agency.model import Creator
from bot.sandbox.spec import ChannelSpec, GuildSpec, MemberSpec, RoleSpec

NOTICE_CHANNEL = "fanwatch-notices"
TIMEZONE = "UTC"
_UPPER_ROLES = ("Lead", "Manager", "Owner")
_CHATTERS = ("Ana", "Ben")
_LEAD, _MANAGER, _OWNER, _GUEST = "Lea", "Max", "Olga", "Nia"


@dataclass(frozen=True, slots=True)
class DiscordIds:
    """What the simulated Discord made of the guild: ids by name."""

    guild_id: str
    roles: dict[str, str]
    members: dict[str, str]
    channels: dict[str, str]


def team_role(creator: Creator) -> str:
    return f"Team {creator.name}"


def teams(creators: Sequence[Creator]) -> dict[str, tuple[Creator, ...]]:
    """The creators each chatter works for; with one creator she is Ana's."""
    half = (len(creators) + 1) // 2
    return {_CHATTERS[0]: tuple(creators[:half]), _CHATTERS[1]: tuple(creators[half:])}


def build_guild(creators: Sequence[Creator]) -> GuildSpec:
    """The guild: roles in rising order, a channel per creator and one for notices."""
    roles = [
        *(RoleSpec(team_role(creator), None) for creator in creators),
        RoleSpec("Chatter", "chatter"),
        RoleSpec("Lead", "lead"),
        RoleSpec("Manager", "manager"),
        RoleSpec("Owner", "owner"),
    ]
    members = [
        *(
            MemberSpec(name, "chatter", ("Chatter", *(team_role(creator) for creator in own)))
            for name, own in teams(creators).items()
        ),
        MemberSpec(_LEAD, "lead", ("Lead",)),
        MemberSpec(_MANAGER, "manager", ("Manager",)),
        MemberSpec(_OWNER, "owner", ("Owner",)),
        MemberSpec(_GUEST, None, ()),
    ]
    channels = [
        *(ChannelSpec(creator.name, (team_role(creator), *_UPPER_ROLES)) for creator in creators),
        ChannelSpec(NOTICE_CHANNEL, _UPPER_ROLES),
    ]
    return GuildSpec("Sample agency", tuple(roles), tuple(members), tuple(channels), _OWNER)


def roster(creators: Sequence[Creator], ids: DiscordIds) -> dict[str, Any]:
    """The content of ROSTER_FILE (sandbox-api.md section 1). Managers and the owner have every creator
    unlisted.
    """
    everyone = [creator.account_id for creator in creators]
    staff = [
        (name, "chatter", [creator.account_id for creator in own]) for name, own in teams(creators).items()
    ]
    staff += [(_LEAD, "lead", everyone), (_MANAGER, "manager", []), (_OWNER, "owner", [])]
    chatter_of = {creator.account_id: name for name, own in teams(creators).items() for creator in own}
    return {
        "guild_id": ids.guild_id,
        "timezone": TIMEZONE,
        "notice_channel_id": ids.channels[NOTICE_CHANNEL],
        "tiers": [
            {"role_id": ids.roles[name], "tier": name.casefold()} for name in ("Chatter", *_UPPER_ROLES)
        ],
        "members": [
            {"user_id": ids.members[name], "tier": tier, "creators": accounts}
            for name, tier, accounts in staff
        ],
        "creators": [
            {
                "account_id": creator.account_id,
                "name": creator.name,
                "channel_id": ids.channels[creator.name],
                "default_chatter": ids.members[chatter_of[creator.account_id]],
                "lead": ids.members[_LEAD],
            }
            for creator in creators
        ],
    }


def write_roster(path: Path, creators: Sequence[Creator], ids: DiscordIds) -> None:
    """Write ROSTER_FILE, whole or not at all."""
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(roster(creators, ids), indent=2) + "\n", encoding="utf-8")
    draft.replace(path)
