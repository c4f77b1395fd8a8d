"""What people read about mutes, quiet hours, holds and drills. Names passed in are made safe by the caller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.discord_ui import times
from bot.discord_ui.words import count
from bot.domain.calm import QuietHours
from bot.domain.due import DueError
from bot.domain.shift_work import minute_text

HELD: Final = "⛔ Do not contact"
END: Final = "End"
END_HOLD: Final = "End hold"
QUIET_HOURS: Final = "Quiet hours"
REMOVE_QUIET: Final = "Remove quiet hours"
LOOKS_RIGHT: Final = "Looks right"
UNTIL_OPTION: Final = "Until when: tomorrow 18:00, in 3 days, 5 March; needed"
HOLD_UNTIL_OPTION: Final = (
    "Until when: in 3 days, 5 March, 2026-03-05 20:00; without it until somebody ends it"
)
REASON_OPTION: Final = "Why, at most 200 characters; needed"
ZONE_OPTION: Final = "By whose clock: a city, such as Europe/Paris; start typing to choose"
FROM_LABEL: Final = "From"
TO_LABEL: Final = "To"
ZONE_LABEL: Final = "Time zone"
TIME_HINT: Final = "22:00, 7, 10 pm"
ZONE_HINT: Final = "Europe/Paris, America/New_York, Asia/Manila"

NAME_A_REASON: Final = "Say why with the option `reason`; nothing was changed."
NAME_AN_END: Final = "Say until when with the option `until`; nothing was changed."
ONE_OF_TWO: Final = "Name either a fan or a creator, not both; nothing was changed."
ONE_OF_TWO_SCOPES: Final = "Name either a creator or a person, not both; nothing was changed."
NOTHING_QUIET: Final = "Nothing is muted, quiet or on hold."
SAME_TIME: Final = "Quiet hours cannot begin and end at the same time; nothing was changed."
NO_TIME: Final = "A time of the day is written like `22:00`, `7` or `10 pm`; nothing was changed."
NO_HOURS: Final = "You have no quiet hours; nothing was changed."
HOURS_GONE: Final = "Those quiet hours are over already; nothing was changed."
MUTE_GONE: Final = "That mute has ended already; nothing was changed."
HOLD_GONE: Final = "That hold has ended already; nothing was changed."
NOT_YOUR_TEAM: Final = "That person sees none of your creators, so nothing was changed."
HIGHER: Final = "That person has a higher role than you, so nothing was changed."
DRILL_GONE: Final = "This drill is closed already; nothing was changed."
ON_HOLD: Final = (
    "This fan is not to be contacted for now, so nobody can take the alert on; a team lead can end the hold."
)
YOURS: Final = "yours"
DRILL_CLOSED: Final = "The drill is closed."
# A mute, a hold and the hours of a channel and of a person may hold at the same time.
_NEW_COMES = "what is new is posted at the next look at the data, unless something else keeps it back."
_MENTIONS_COME = "mentions that waited come now, unless something else keeps them back."


def until(until_at: int | None) -> str:
    """ "until 2 March 2026 18:00 (in 3 days)"."""
    if until_at is None:
        return "until somebody ends it"
    return f"until {times.moment(until_at)} ({times.relative(until_at)})"


def muted(what: str, until_at: int | None) -> str:
    return (
        f"**{what}** is muted {until(until_at)}: no new alerts and no mentions."
        " What is new by then is posted afterwards."
    )


def unmuted(what: str) -> str:
    return f"**{what}** is no longer muted; {_NEW_COMES}"


def not_muted(what: str) -> str:
    return f"**{what}** is not muted; nothing was changed."


def held(fan: str, until_at: int | None) -> str:
    return f"⛔ Nobody is to contact **{fan}** {until(until_at)}; the card, the board and the queue say so."


def hold_ended(fan: str) -> str:
    return f"The hold on **{fan}** is over; {_NEW_COMES}"


def hold_line(until_at: int | None, reason: str, by: int) -> str:
    """ "⛔ Do not contact until …: asked for a break (by @Lea)". `reason` is safe, or empty where it is hidden."""
    when = "until further notice" if until_at is None else f"until {times.moment(until_at)}"
    why = f": {reason}" if reason else ""
    return f"{HELD} {when}{why} (by <@{by}>)"


def hours(quiet: QuietHours) -> str:
    """ "from 22:00 to 08:00 (over midnight), Europe/Paris time"."""
    over = " (over midnight)" if quiet.over_midnight else ""
    span = f"from {minute_text(quiet.starts_minute)} to {minute_text(quiet.ends_minute)}{over}"
    return f"{span}, {quiet.zone} time"


def quiet_set(whose: str, quiet: QuietHours) -> str:
    """`whose`: a creator, a person, or YOURS."""
    head = "Your quiet hours" if whose == YOURS else f"Quiet hours of {whose}"
    return f"{head}: every day {hours(quiet)}; mentions wait until they end, and cards come silently."


def quiet_removed(whose: str) -> str:
    return f"{whose} has no quiet hours any more; {_MENTIONS_COME}"


def own_quiet_removed() -> str:
    return f"You have no quiet hours any more; {_MENTIONS_COME}"


def not_until(error: DueError) -> str:
    """Why an end was not taken."""
    if error.problem == "past" and error.understood_at is not None:
        return f"That has passed ({times.moment(error.understood_at)}); nothing was changed."
    if error.problem == "too_far":
        return "That is more than a year ahead, so nothing was changed; choose a nearer end."
    return (
        "That end cannot be read, so nothing was changed;"
        " write it like `tomorrow 18:00`, `in 3 days`, `5 March` or `2026-03-05 20:00`."
    )


def ledger(nudges: int, chatters: int, elsewhere: Sequence[str] | None, more: int, *, many: bool) -> str:
    """ "3 contacts by 2 chatters in 48 h, also a fan of another creator". `elsewhere` None: their names are not for all."""
    said = f"{count(nudges, 'contact', 'contacts')} by {count(chatters, 'chatter', 'chatters')} in 48 h"
    if elsewhere is None and more:
        said += ", also a fan of another creator" if more == 1 else f", also a fan of {more} other creators"
    elif elsewhere:
        others = f" and {more} more" if more else ""
        said += f", also a fan of {', '.join(elsewhere)}{others}"
    elif more:
        said += ", also a fan of another creator" if more == 1 else f", also a fan of {more} other creators"
    return f"⚠️ Enough for now: {said}" if many else said


def quiet_header(mutes: int, holds: int, quiet: int) -> str:
    """ "**Kept quiet** · 2 mutes · 1 hold · 3 quiet hours"."""
    return (
        f"**Kept quiet** · {count(mutes, 'mute', 'mutes')} · {count(holds, 'hold', 'holds')}"
        f" · {count(quiet, 'set', 'sets')} of quiet hours"
    )


def drill(creator: str, asked_by: int | None) -> str:
    """Line 1 of a drill, as an alert's is."""
    who = f" · <@{asked_by}>" if asked_by is not None else ""
    return f"🧪 DRILL · {creator} · a made-up fan · 83 ▲12 · $410 a month · Spend down 60 % in 30 days{who}"


DRILL_TEXT: Final = (
    "**This is what an alert looks like; nobody is at risk.**\n"
    "The first line is what a phone shows: who, how likely to leave, the money, the main reason, and one mention.\n"
    "If the person named was notified, mentions work in this channel."
)


def drill_over(creator: str) -> str:
    return f"✅ Drill over · {creator} · alerts and mentions look right"


def drill_posted(creator: str, channel_id: int) -> str:
    return f"A drill for {creator} is being posted in <#{channel_id}>; it mentions you."
