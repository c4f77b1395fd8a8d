"""Who is in an agency and when they work, as ROSTER_FILE says it: read once, into an empty database."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

from bot.domain.shifts import PlannedShift

Snowflake = Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,18}$")]
"""A Discord id as text; at most 63 bits."""
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
TierName = Literal["chatter", "lead", "manager", "owner"]
ClockTime = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""A local time of day, 00:00 to 23:59."""
Weekday = Annotated[int, msgspec.Meta(ge=1, le=7)]
"""ISO: 1 is Monday."""
_LARGEST_ID = 2**63 - 1


class RosterError(ValueError):
    """The roster cannot be used; the message names the field and is one line for the operator."""


class RosterTier(msgspec.Struct, frozen=True):
    role_id: Snowflake
    tier: TierName


class RosterMember(msgspec.Struct, frozen=True):
    user_id: Snowflake
    tier: TierName
    creators: tuple[Name, ...] = ()
    """Account ids, or exact names of creators."""


class RosterCreator(msgspec.Struct, frozen=True):
    account_id: Name
    name: Name
    channel_id: Snowflake
    default_chatter: Snowflake | None = None
    lead: Snowflake | None = None


class RosterShift(msgspec.Struct, frozen=True, rename={"starts": "from", "ends": "to"}):
    """A weekly shift for one creator; an end that is not after the start is on the next day."""

    creator: Name
    """Her account id, or her exact name."""
    user_id: Snowflake
    days: tuple[Weekday, ...]
    starts: ClockTime
    ends: ClockTime
    zone: Name

    def planned(self) -> PlannedShift:
        return PlannedShift(
            int(self.user_id), frozenset(self.days), _minute(self.starts), _minute(self.ends), self.zone
        )


class Roster(msgspec.Struct, frozen=True):
    guild_id: Snowflake
    timezone: Name
    notice_channel_id: Snowflake
    tiers: tuple[RosterTier, ...] = ()
    members: tuple[RosterMember, ...] = ()
    creators: tuple[RosterCreator, ...] = ()
    shifts: tuple[RosterShift, ...] = ()


def read_roster(path: str | Path) -> Roster:
    """Read the file and check it. Raises RosterError, also where the file cannot be read."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise RosterError(f"{path}: {error.strerror or 'cannot be read'}") from error
    return parse_roster(data)


def parse_roster(data: bytes | str) -> Roster:
    """Raises RosterError."""
    try:
        roster = msgspec.json.decode(data, type=Roster)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RosterError(str(error).replace("`$.", "`")) from error
    _check(roster)
    return roster


def _check(roster: Roster) -> None:
    _check_zone("timezone", roster.timezone)
    ids = {"guild_id": roster.guild_id, "notice_channel_id": roster.notice_channel_id}
    ids |= {f"tiers[{i}].role_id": tier.role_id for i, tier in enumerate(roster.tiers)}
    ids |= {f"members[{i}].user_id": member.user_id for i, member in enumerate(roster.members)}
    for i, creator in enumerate(roster.creators):
        ids[f"creators[{i}].channel_id"] = creator.channel_id
        ids[f"creators[{i}].default_chatter"] = creator.default_chatter or "1"
        ids[f"creators[{i}].lead"] = creator.lead or "1"
    ids |= {f"shifts[{i}].user_id": shift.user_id for i, shift in enumerate(roster.shifts)}
    for field, value in ids.items():
        if int(value) > _LARGEST_ID:
            raise RosterError(f"{field}: {value} is too large for a Discord id")
    _unique("tiers", "role_id", (tier.role_id for tier in roster.tiers))
    _unique("members", "user_id", (member.user_id for member in roster.members))
    _unique("creators", "account_id", (creator.account_id for creator in roster.creators))
    known = {c.account_id for c in roster.creators} | {c.name for c in roster.creators}
    for i, member in enumerate(roster.members):
        for j, creator_name in enumerate(member.creators):
            if creator_name not in known:
                raise RosterError(
                    f"members[{i}].creators[{j}]: {creator_name[:60]!r} is no creator of this roster"
                )
    for i, shift in enumerate(roster.shifts):
        if shift.creator not in known:
            raise RosterError(f"shifts[{i}].creator: {shift.creator[:60]!r} is no creator of this roster")
        if not shift.days:
            raise RosterError(f"shifts[{i}].days: name at least one day, 1 is Monday and 7 is Sunday")
        _check_zone(f"shifts[{i}].zone", shift.zone)


def _check_zone(field: str, zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise RosterError(f"{field}: {zone[:60]!r} is no time zone such as Europe/Paris") from error


def _minute(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


def _unique(area: str, field: str, values: Iterable[str]) -> None:
    seen: set[str] = set()
    for i, value in enumerate(values):
        if value in seen:
            raise RosterError(f"{area}[{i}].{field}: {value[:60]!r} is there twice")
        seen.add(value)
