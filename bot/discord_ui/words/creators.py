"""The sentences of /creator. Names passed in are made safe by the caller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.domain.naming import NameMode

STATES: Final = {
    "active": "✅ active",
    "waiting": "⏳ waiting for /setup to be finished",
    "paused": "⏸️ paused",
    "retired": "🗄️ retired",
    "session_expired": "⚠️ session expired",
    "account_missing": "⚠️ account no longer listed",
    "stale": "⚠️ data is stale",
}
NAME_MODES: Final = {
    NameMode.HANDLE: "handles",
    NameMode.ALIAS: "aliases, else pseudonyms",
    NameMode.HIDDEN: "hidden until somebody claims the fan",
}
SETTINGS: Final = {
    "fire_above": "at-risk threshold",
    "action_above": "action threshold",
    "default_chatter_id": "default chatter",
    "timezone": "time zone",
    "name_mode": "names on cards",
    "chat_url": "chat link",
    "credits_per_day": "credits a day",
    "channel_id": "channel",
    "paused_reason": "watching",
}
NO_CREATORS: Final = "No creator is mapped yet; /creator add or /setup maps one."
NONE: Final = "nobody"
AS_AGENCY: Final = "as the agency"
UNDO: Final = "Undo"
RETIRE: Final = "Retire her"
KEEP: Final = "Keep her"
KEPT: Final = "Nothing was changed."
SAME: Final = "That is how it is already; nothing was changed."
WAITING: Final = "The first look at her begins when /setup is finished."
TOO_LATE: Final = "That change is more than ten minutes old; set it back with /creator settings."
OVERTAKEN: Final = "Something was changed since, so this cannot be undone; nothing was changed."
UNDONE_ALREADY: Final = "That was undone already; nothing was changed."
NO_ACCOUNT: Final = "The data API lists no such account that is free; nothing was changed."
LEAVE: Final = "Leave it"
NO_REVERT: Final = "No change of thresholds has caused this card, so there is nothing to revert."
BASELINE: Final = "Her fans are looked at again now; the result is one silent card in her channel."
DEFAULT_WORD: Final = "default"


def added(name: str, channel: str, *, begins: bool) -> str:
    when = (
        "The first look begins now; it pings nobody."
        if begins
        else "The first look begins when /setup is finished."
    )
    return f"{name} is mapped to {channel}. {when}"


def paused(name: str) -> str:
    return f"{name} is paused: her data is not fetched and her alerts are held until /creator resume."


def resumed(name: str, *, silent: bool) -> str:
    how = " What happened meanwhile comes as one silent card." if silent else ""
    return f"{name} is watched again; the next look at her is due now.{how}"


def retire_question(name: str) -> str:
    return (
        f"Retire {name}? She is not fetched any more and chatters no longer see her fans."
        " Her history and her cards stay, and /creator resume brings her back."
    )


def revert_question(name: str, lines: Sequence[str]) -> str:
    return (
        f"Put back {name}: {'; '.join(lines)}?"
        " Her fans are looked at again at once; alerts open and close by it in silence, and nobody is pinged."
    )


def retired(name: str) -> str:
    return f"{name} is retired. /creator resume brings her back."


def reconnected(name: str, before: str, after: str) -> str:
    return f"{name}: account {before} → {after}. Her fans and notes stay; the next look is due now and pings nobody."


def changed(name: str, lines: Sequence[str]) -> str:
    return f"{name}: {'; '.join(lines)}."


def undone(name: str, lines: Sequence[str]) -> str:
    return f"Undone. {changed(name, lines)}"
