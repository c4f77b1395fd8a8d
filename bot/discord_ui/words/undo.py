"""What people read about undoing. Names passed in are made safe by the caller."""

from __future__ import annotations

from typing import Final

from bot.discord_ui.words import count
from bot.domain.undo import Why

UNDO: Final = "Undo"
TITLE: Final = "**What you can undo**"
HOW_LONG: Final = "What you did in the last ten minutes, the latest first"
NOTHING: Final = "There is nothing to undo: you changed nothing in the last ten minutes."
NOTHING_HERE: Final = (
    "There is nothing to undo here that you may undo: nothing was done in the last ten minutes."
)
NOT_FOUND: Final = "There is no such thing to undo; nothing was changed."
ALREADY: Final = "That was undone already; nothing was changed."
TOO_LATE: Final = "That was more than ten minutes ago and can no longer be undone."
NOT_YOURS: Final = "Only whoever did that, or somebody of a higher tier, can undo it."
OVERTAKEN: Final = "Something was changed since, so this cannot be undone; nothing was changed."
ALERT: Final = "an alert"

DONE: Final = {
    "claim": ("Claimed", "alert", "alerts"),
    "release": ("Released", "alert", "alerts"),
    "assign": ("Assigned", "alert", "alerts"),
    "take_over": ("Took over", "alert", "alerts"),
    "take_one": ("Took over", "alert", "alerts"),
    "take_all": ("Took over", "alert", "alerts"),
    "snooze": ("Snoozed", "alert", "alerts"),
    "wake": ("Woke", "alert", "alerts"),
    "done": ("Closed", "alert", "alerts"),
    "feedback": ("Rated", "alert", "alerts"),
    "contact": ("Logged a contact with", "fan", "fans"),
    "tick": ("Ticked a step for", "alert", "alerts"),
    "untick": ("Took back a step for", "alert", "alerts"),
    "edit_playbook": ("Changed", "playbook", "playbooks"),
    "winback_assigned": ("Handed out", "winback", "winbacks"),
    "winback_handed_over": ("Handed over", "winback", "winbacks"),
    "winback_changed": ("Changed the winback of", "fan", "fans"),
    "winback_done": ("Closed the winback of", "fan", "fans"),
    "winback_spread": ("Handed out", "winback", "winbacks"),
    "winback_spread_stop": ("Stopped the refills of", "spread", "spreads"),
    "add_note": ("Added a note on", "fan", "fans"),
    "edit_note": ("Changed a note on", "fan", "fans"),
    "delete_note": ("Deleted a note on", "fan", "fans"),
    "creator_settings": ("Changed the settings of", "creator", "creators"),
    "creator_pause": ("Paused", "creator", "creators"),
    "add_followup": ("Added a follow-up for", "fan", "fans"),
    "done_followup": ("Closed a follow-up for", "fan", "fans"),
    "withdraw_followup": ("Withdrew a follow-up for", "fan", "fans"),
    "take_followup": ("Took a follow-up for", "fan", "fans"),
    "put_off_followup": ("Put off a follow-up for", "fan", "fans"),
    "mute": ("Muted", "creator", "creators"),
    "mute_end": ("Unmuted", "creator", "creators"),
    "hold": ("Put on hold", "fan", "fans"),
    "hold_end": ("Ended the hold on", "fan", "fans"),
    "quiet": ("Set", "range of quiet hours", "ranges of quiet hours"),
    "quiet_end": ("Removed", "range of quiet hours", "ranges of quiet hours"),
    "shift_start": ("Started", "shift", "shifts"),
    "shift_end": ("Ended", "shift", "shifts"),
    "shift_plan": ("Planned", "shift", "shifts"),
    "shift_unplan": ("Removed", "planned shift", "planned shifts"),
}
"""Action -> (what was done, one of what, many of them)."""

KINDS: Final = {
    "episode": ("Changed", "alert", "alerts"),
    "winback": ("Changed", "winback", "winbacks"),
    "spread": ("Changed", "spread", "spreads"),
    "note": ("Changed a note on", "fan", "fans"),
    "setting": ("Changed the settings of", "creator", "creators"),
    "followup": ("Changed a follow-up for", "fan", "fans"),
    "mute": ("Changed what is muted:", "fan", "fans"),
    "hold": ("Changed whether to contact", "fan", "fans"),
    "quiet": ("Changed quiet hours:", "channel or person", "channels or people"),
    "shift": ("Changed", "shift", "shifts"),
    "playbook": ("Changed", "playbook", "playbooks"),
    "tick": ("Changed a step for", "alert", "alerts"),
}
"""The same by what it was done to, for actions that have no words of their own."""

WHY: Final[dict[Why, str]] = {
    "changed": "changed since",
    "closed": "closed since",
    "reopened": "open again since",
    "woken": "its snooze is over",
    "another_open": "the fan has another open alert",
    "hidden": "not among your creators any more",
}


def what(action: str, kind: str, number: int, fan: str | None, creator: str | None) -> str:
    """ "Claimed **fan_12** (luna)", "Handed out 20 winbacks (luna)", "Paused **luna**"."""
    verb, one, many = DONE.get(action) or KINDS.get(kind) or ("Changed", "thing", "things")
    if number > 1 or (fan is None and one == "winback"):
        object_ = count(number, one, many)
    elif fan is not None:
        object_ = fan
    elif one == "creator" and creator is not None:
        return f"{verb} {creator}"
    else:
        object_ = f"{'an' if one[0] in 'aeiou' else 'a'} {one}"
    return f"{verb} {object_}" + (f" ({creator})" if creator is not None else "")


def ago(ms: int) -> str:
    """ "just now", "3 min ago"; by the machine's clock, as the ten minutes are."""
    minutes = max(0, ms) // 60_000
    return "just now" if minutes == 0 else f"{minutes} min ago"


def more(number: int) -> str:
    return f"-# {number} more from the last ten minutes"


def undone(what_was: str) -> str:
    return f"Undone: {what_was}."


def part(restored: int, total: int) -> str:
    return f"{restored:,} of {total:,} are as they were."


def kept(number: int) -> str:
    return f"{count(number, 'stays', 'stay')} with whoever has worked on them."


def left_awake(number: int) -> str:
    return f"{count(number, 'alert stays as it is', 'alerts stay as they are')}."


def rows_only() -> str:
    return "What was written down with it is taken back; the alert itself has moved on."


def not_undone(what_was: str) -> str:
    return f"Not undone: {what_was}; nothing was changed."


def stays(fan: str | None, why: Why, by: int | None) -> str:
    who = f" by <@{by}>" if by is not None and why == "changed" else ""
    return f"• {fan or ALERT}: {WHY[why]}{who}"


def more_stay(number: int) -> str:
    return f"• and {number:,} more"
