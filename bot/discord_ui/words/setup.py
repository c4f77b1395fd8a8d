"""The sentences of /setup. Names passed in are made safe by the caller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.domain.models import AccessTier

TITLE: Final = "**Set up Fanwatch**"
HOW: Final = "Every step is saved at once; you can stop and come back with /setup at any time."
DONE_NOTE: Final = "Fanwatch is set up. What you change here counts at once."
STEPS: Final = {"roles": "Roles", "zone": "Time zone", "notices": "Notice channel", "creators": "Creators"}
TIERS: Final = {
    AccessTier.CHATTER: "Chatter",
    AccessTier.LEAD: "Lead",
    AccessTier.MANAGER: "Manager",
    AccessTier.OWNER: "Owner",
}
TIER_MEANS: Final = {
    AccessTier.CHATTER: "works on the fans of creators whose channel they see",
    AccessTier.LEAD: "leads a team: assigns work, sees its status",
    AccessTier.MANAGER: "sees every creator and changes how she is watched",
    AccessTier.OWNER: "may do everything, this set-up too",
}
WHAT_IS_MISSING: Final = {
    "roles": "no Discord role has a tier yet",
    "zone": "the time zone is not chosen",
    "notices": "the notice channel is not chosen",
    "creators": "no creator is mapped to a channel",
}
ROLES_HELP: Final = (
    "**Roles**\nChoose the Discord roles of each tier; several are fine."
    " Whoever owns the server is an owner without any role."
)
NOTICES_HELP: Final = (
    "**Notice channel**\nWhere Fanwatch tells of trouble with the data API."
    " Choose a text channel your managers read."
)
CREATORS_HELP: Final = "**Creators**\nChoose an account of the data API, then the channel her alerts go to."
SETTINGS_HINT: Final = (
    "-# Thresholds, names on cards and chat links are set for each creator with /creator settings."
)
FINISH: Final = "Finish"
BACK: Final = "Back"
MAKE_CHANNEL: Final = "Make a channel for all chatters and leads"
PICK_ROLES: Final = "Roles of the tier {tier}"
PICK_NOTICES: Final = "Choose the notice channel"
PICK_ACCOUNT: Final = "Choose an account to add"
PICK_CREATOR: Final = "Choose a creator to change who works for her, and where"
PICK_CHANNEL: Final = "Choose an existing channel"
PICK_TEAM: Final = "Or make one: choose the team's roles"
PICK_MOVE: Final = "Another channel for her new cards"
PICK_CHATTER: Final = "Default chatter: gets her action items"
PICK_LEAD: Final = "Lead of her team (optional)"
ZONE_FORM: Final = "Time zone of the agency"
ZONE_LABEL: Final = "Time zone"
ZONE_HINT: Final = "Its IANA name: Europe/Paris, America/New_York, Asia/Manila"
NO_ANSWER: Final = (
    "The data API does not answer, so its accounts cannot be listed; everything else here works."
    " Try again in a minute."
)
NO_FREE_ACCOUNTS: Final = "Every account of the data API is mapped."
ACCOUNT_GONE: Final = "The data API no longer lists that account; nothing was changed."
ROLE_GONE: Final = "One of these roles is no longer on the server; nothing was changed."
EVERYONE: Final = (
    "@everyone cannot have a tier: everybody on the server would see your fans. Nothing was changed."
)
NO_CHANNEL: Final = "Choose a text channel that Fanwatch can see; nothing was changed."
CREATOR_GONE: Final = "That creator is no longer here; nothing was changed."
MAKE_FORBIDDEN: Final = (
    "Fanwatch lacks the permission Manage Channels on this server,"
    " so it cannot make a channel; nothing was changed."
)
MAKE_REFUSED: Final = (
    "Discord did not make the channel; nothing was changed. Try again, or choose an existing one."
)
NONE: Final = "none"


def role_clash(role: str, tier: AccessTier) -> str:
    """A role is chosen that another tier has."""
    return f"{role} is already a role of {TIERS[tier].lower()}s; a role can have only one tier. Nothing was changed."


def unknown_zone(close: Sequence[str]) -> str:
    """What was typed is no zone."""
    if not close:
        return "There is no such time zone, so nothing was changed; write it like `Europe/Paris`."
    return f"There is no such time zone, so nothing was changed; did you mean {_either([f'`{zone}`' for zone in close])}?"


def zone_line(zone: str, local: str) -> str:
    """The zone with its present time, to be checked by a look at a watch."""
    return f"{zone}, where it is {local} now"


def lacking(permissions: Sequence[str], channel: str) -> str:
    """What the bot may not do in a channel, as a part of a sentence."""
    kind = "permission" if len(permissions) == 1 else "permissions"
    return f"Fanwatch lacks the {kind} {', '.join(permissions)} in {channel}"


def lacks(permissions: Sequence[str], channel: str) -> str:
    """A channel is refused in which the bot may not do what it has to."""
    return f"{lacking(permissions, channel)}; nothing was changed."


def account_taken(name: str) -> str:
    return f"That account belongs to {name} already; nothing was changed."


def channel_taken(channel: str, name: str) -> str:
    return f"{channel} is already the channel of {name}; a channel can have only one creator. Nothing was changed."


def cannot_work(person: str, name: str, tier: AccessTier) -> str:
    """A chatter or lead is chosen who has no access."""
    if tier is AccessTier.LEAD:
        return f"{person} has no lead role or higher, so cannot lead the team of {name}; nothing was changed."
    return f"{person} needs a chatter role and access to the channel of {name} first; nothing was changed."


def not_finished(why: Sequence[str]) -> str:
    """Why [Finish] did nothing. At most ten reasons are told; the others come to light when these are gone."""
    return f"⚠️ Not finished yet: {'; '.join(why[:10])}."


def begins(name: str) -> str:
    """The one line in a creator's channel when her watch begins."""
    return f"Fanwatch watches {name} here from now on. The first look takes a few minutes; it pings nobody."


def finished(begun: int) -> str:
    """The answer to [Finish]."""
    if not begun:
        return "Everything is set up; nothing was left to begin."
    creators = "creator" if begun == 1 else "creators"
    return f"Done: Fanwatch begins to watch {begun} {creators} now. Each channel has been told."


def _either(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last
