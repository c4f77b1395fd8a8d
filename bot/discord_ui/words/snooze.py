"""What people read about snoozes and what the time does to alerts. Names passed in are made safe by the caller."""

from __future__ import annotations

from typing import Final

from bot.discord_ui import times
from bot.domain.due import DueError
from bot.domain.snoozing import SnoozeFor

SNOOZE: Final = "Snooze"
WAKE: Final = "Wake"
OTHER_TIME: Final = "Other time…"
CHOICES: Final = {
    SnoozeFor.HOUR: "1 hour",
    SnoozeFor.SHIFT: "Until my next shift",
    SnoozeFor.DAYS: "3 days",
}
WHEN_LABEL: Final = "Until when"
WHEN_HINT: Final = "tomorrow 18:00, in 5 hours, friday, 5 March"
REASON_LABEL: Final = "Why"
REASON_HINT: Final = "The card shows it to everybody in the channel"
NOT_SNOOZED: Final = "This one is awake already; nothing was changed."
UNREADABLE: Final = (
    "That time cannot be read, so nothing was changed;"
    " write it like `tomorrow 18:00`, `in 5 hours`, `friday` or `5 March`."
)
TOO_FAR: Final = (
    "An alert can sleep for a year at most, so nothing was changed;"
    " `in 5 hours` or `friday` would be understood."
)
NOT_CLAIMED_IN_TIME: Final = "⏫ Not claimed in time"
SNOOZE_OVER: Final = "⏰ The snooze is over"


def due(error: DueError) -> str:
    """Why a time was not taken."""
    if error.problem == "past" and error.understood_at is not None:
        past = f"{times.moment(error.understood_at)} has passed, so nothing was changed"
        return f"{past}; `tomorrow 18:00` or `in 5 hours` would be understood."
    return TOO_FAR if error.problem == "too_far" else UNREADABLE


def until(until_at: int, until_shift: bool) -> str:
    """ "until <time>, in 3 days", or until somebody's next shift."""
    if until_shift:
        return f"until your next shift, {times.moment(until_at)} at the latest"
    return f"until {times.moment(until_at)}, {times.relative(until_at)}"


def reminder(claimed_at: int | None) -> str:
    """ "⏰ Reminder: claimed 2 hours ago, no outcome yet"."""
    when = "" if claimed_at is None else f" {times.relative(claimed_at)}"
    return f"⏰ Reminder: claimed{when}, no outcome yet"


def ask(fan: str) -> str:
    return f"Snooze **{fan}** for how long? It wakes earlier if the score rises by 10 or more."


def ask_anew(fan: str, by: int, until_at: int) -> str:
    return f"**{fan}** is snoozed until {times.moment(until_at)} by <@{by}>; choose another time or wake it."


def snoozed(fan: str, until_at: int, until_shift: bool) -> str:
    return f"💤 **{fan}** is snoozed {until(until_at, until_shift)}."


def woken(fan: str) -> str:
    return f"**{fan}** is awake again."


def not_yours(by: int | None) -> str:
    return f"<@{by}> has claimed this one; they or a team lead can snooze or wake it."
