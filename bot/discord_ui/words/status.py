"""The sentences of /status. Names passed in are made safe by the caller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

ALL_WELL: Final = "✅ All well."
NOT_FINISHED: Final = "The set-up is not finished; the server's owner can run /setup."
NO_CREATORS: Final = "No creator is watched; a manager can map one with /creator add."
NO_WEBHOOK: Final = "no webhook yet"
KINDS: Final = {"walk": "full walk", "night": "nightly look", "poll": "poll"}


def headline(problems: Sequence[str]) -> str:
    """What to know first: that nothing is wrong, or what is."""
    if not problems:
        return ALL_WELL
    if len(problems) == 1:
        return f"⚠️ {problems[0]}"
    return "\n".join([f"⚠️ {len(problems)} things need a look:", *(f"- {one}" for one in problems)])


def credits_today(spent: int, budget: int) -> str:
    """What polls and nightly looks have cost today of what a day may cost."""
    return f"{spent:,} of {budget:,} credits today"


def lacking(permissions: Sequence[str], channel: str) -> str:
    """The bot may not do there what it has to."""
    kind, them = ("permission", "it") if len(permissions) == 1 else ("permissions", "them")
    return f"Fanwatch lacks the {kind} {', '.join(permissions)} in {channel}; grant {them} in the channel's settings."


def channel_gone(name: str) -> str:
    return f"The channel of {name} is gone, so her cards cannot be posted; choose another with /setup."


def notice_channel_gone() -> str:
    return "The notice channel is gone; the server's owner can choose another with /setup."


def nobody(name: str) -> str:
    """No chatter, no lead and no role could get a creator's action items."""
    return (
        f"Nobody is called for {name}'s alerts while nobody is on shift;"
        " choose the role of the chatters, or her default chatter, with /setup."
    )


def blocked(cards: str, channel: str, reason: str) -> str:
    return f"{cards} cannot be posted in {channel}: {reason}."


def failed(name: str, looks: str, again: str) -> str:
    """Fetches of a creator that failed, before it is worth a notice."""
    return f"{name}: {looks} failed in a row; Fanwatch tries again {again}."
