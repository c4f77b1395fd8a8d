"""The guild for the simulated Discord and ROSTER_FILE for the bot, made of who works at the agency."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.sandbox.agency.model import Creator
from bot.sandbox.spec import ChannelSpec, GuildSpec, MemberSpec, RoleSpec
from bot.sandbox.staff import CHATTER, LEAD, MANAGER, OWNER, Shift, Staff

NOTICE_CHANNEL = "fanwatch-notices"
_TIERS = (CHATTER, LEAD, MANAGER, OWNER)


@dataclass(frozen=True, slots=True)
class DiscordIds:
    """What the simulated Discord made of the guild: ids by name."""

    guild_id: str
    roles: dict[str, str]
    members: dict[str, str]
    channels: dict[str, str]


def build_guild(creators: Sequence[Creator], staff: Staff) -> GuildSpec:
    """The guild: roles in rising order, a channel per creator and one for notices."""
    roles = [
        *(RoleSpec(name, None) for name in staff.extra_roles),
        *(RoleSpec(tier, tier.casefold()) for tier in _TIERS),
    ]
    members = [
        MemberSpec(worker.name, worker.tier.casefold() if worker.tier else None, worker.roles)
        for worker in staff.workers
    ]
    channels = [
        *(ChannelSpec(creator.name, staff.desk_of(creator).seen_by) for creator in creators),
        ChannelSpec(NOTICE_CHANNEL, (LEAD, MANAGER, OWNER)),
    ]
    owner = next(worker.name for worker in staff.workers if worker.tier == OWNER)
    return GuildSpec("Sample agency", tuple(roles), tuple(members), tuple(channels), owner)


def roster(creators: Sequence[Creator], staff: Staff, ids: DiscordIds) -> dict[str, Any]:
    """The content of ROSTER_FILE (sandbox-api.md section 1). Managers and the owner have every creator
    unlisted.

    `shifts` is there only where there are any: `from` and `to` are times of day in `zone`, `days` are ISO
    weekdays of the beginning, and a `to` that is not after `from` is on the day after.
    """
    body: dict[str, Any] = {
        "guild_id": ids.guild_id,
        "timezone": staff.timezone,
        "notice_channel_id": ids.channels[NOTICE_CHANNEL],
        "tiers": [{"role_id": ids.roles[tier], "tier": tier.casefold()} for tier in _TIERS],
        "members": [
            {
                "user_id": ids.members[worker.name],
                "tier": worker.tier.casefold(),
                "creators": list(worker.accounts),
            }
            for worker in staff.workers
            if worker.tier is not None
        ],
        "creators": [
            {
                "account_id": creator.account_id,
                "name": creator.name,
                "channel_id": ids.channels[creator.name],
                "default_chatter": ids.members[staff.desk_of(creator).default_chatter],
                "lead": ids.members[staff.desk_of(creator).lead],
            }
            for creator in creators
        ],
    }
    if staff.shifts:
        body["shifts"] = [_shift(shift, ids) for shift in staff.shifts]
    return body


def write_roster(path: Path, creators: Sequence[Creator], staff: Staff, ids: DiscordIds) -> None:
    """Write ROSTER_FILE, whole or not at all."""
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(roster(creators, staff, ids), indent=2) + "\n", encoding="utf-8")
    draft.replace(path)


def _shift(shift: Shift, ids: DiscordIds) -> dict[str, Any]:
    return {
        "creator": shift.account_id,
        "user_id": ids.members[shift.worker],
        "days": list(shift.days),
        "from": shift.starts,
        "to": shift.ends,
        "zone": shift.zone,
    }
