"""Every sentence people read, in one place. Names passed in are made safe by the caller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.domain.models import Reason
from bot.domain.money import format_cents

NOT_SET_UP: Final = "Fanwatch is not set up here."
NOT_SET_UP_YET: Final = "Fanwatch is not set up here yet; the server's owner can run /setup."
NOT_FOUND: Final = "No fan by that name, id or alias among your creators."
SHOWN: Final = "Shown to the channel."
SHOW_ELSEWHERE: Final = (
    "A fan can be shown only in the channel of the fan's creator."
    " Leave out `show` to see the profile privately."
)
GONE: Final = "This is no longer here; nothing was changed."
OUTDATED: Final = "This button is from an older version of Fanwatch and does nothing any more."
NOTHING_OPEN: Final = "Nothing is open here any more."
COMMAND_CHANGED: Final = "This command has just changed; type it once more in a minute."
TOO_SLOW_FOR_FORM: Final = "That took too long to open a form; please try once more."
AMBIGUOUS: Final = "More than one fan goes by that; choose one from the list that appears while you type."
AMBIGUOUS_IN_FORM: Final = (
    "More than one fan goes by that; use the platform id, or the command with its suggestions."
)
NAME_A_FAN: Final = "Name a fan with the option `fan`, or use this in a fan's thread."
NO_CREATOR: Final = "No creator by that name among yours."
NAME_A_CREATOR: Final = "Name a creator with the option `creator`, or use this in her channel."
FAN_OPTION: Final = "Username, platform id or alias; start typing to choose. Not needed in a fan's thread"
DUE_OPTION: Final = "Until when: tomorrow 18:00, in 3 days, 5 March, 2026-03-05 20:00"
CREATOR_OPTION: Final = "Whose fans; without it the creator whose channel this is, elsewhere all of yours"
PICK_ONE: Final = "More than one fan goes by that. Which one?"
PICK_PLACEHOLDER: Final = "Choose a fan"
CLAIMED: Final = "You have it now."
RELEASED: Final = "Released. Anybody can claim it now."
CLOSED: Final = "This one is closed already."
UNKNOWN: Final = "unknown"
HIDDEN: Final = "hidden"
OPEN_CHAT: Final = "Open chat"
CLAIM: Final = "Claim"
RELEASE: Final = "Release"
DONE: Final = "Done"
SNOOZE: Final = "Snooze"
WAKE: Final = "Wake"
MORE: Final = "More"
NOTE: Final = "Note"
THREAD: Final = "Thread"
PREVIOUS: Final = "Previous"
NEXT: Final = "Next"
DETAILS: Final = "Details"
TOP_TEN: Final = "Top 10 by money"
REVERT: Final = "Revert"


def broke(ref: str) -> str:
    """The only thing people see of an exception."""
    return f"Something broke (ref {ref})."


def taken(user_id: int | None) -> str:
    """Answer to the second person who claims."""
    return f"<@{user_id}> has this one already." if user_id is not None else "Somebody has this one already."


def not_yours(user_id: int | None) -> str:
    """Answer to somebody who releases what another person claimed."""
    who = f"<@{user_id}>" if user_id is not None else "somebody else"
    return f"This one belongs to {who}; they or a team lead can release it."


def one_is_for(who: str) -> str:
    """In the header of a list that calls somebody; `who` is a mention."""
    return f"{who}: one of these is for you"


def page_of(page: int, pages: int) -> str:
    """`page` counts from 0."""
    return f"Page {page + 1} of {pages}"


def count(number: int, one: str, many: str) -> str:
    """ "1 fan", "1,240 fans"."""
    return f"{number:,} {one if number == 1 else many}"


def reverted(user_id: int) -> str:
    """On a baseline card whose thresholds are no more."""
    return f"↩️ Reverted by <@{user_id}>"


def lacks(permissions: Sequence[str]) -> str:
    """What Fanwatch may not do in a channel, as Discord's own settings call it."""
    return f"Fanwatch lacks: {', '.join(permissions)}."


def money(cents: int | None, currency: str) -> str:
    """Whole units; "unknown" for None."""
    return UNKNOWN if cents is None else format_cents(cents, currency)


def points(value: float) -> str:
    """Signed, with a real minus, a decimal only where there is one: "+40", "−7.4"."""
    rounded = round(value, 1)
    sign = "−" if rounded < 0 else "+"
    return f"{sign}{abs(rounded):.1f}".removesuffix(".0")


def reason(item: Reason) -> str:
    """One term of a score in plain words, at most about 60 characters."""
    value = item.value
    if item.code == "expired":
        return "Subscription ended"
    if item.code == "expiring_soon":
        return "Subscription about to end"
    if item.code == "spend_decline":
        if value is None:
            return "No spend before or since"
        return f"Spend down {min(100, round(abs(value) * 100))} % in 30 days"
    if item.code == "days_inactive":
        return "Silent lately" if value is None else f"Silent for {count(round(value), 'day', 'days')}"
    if item.code == "engagement":
        return "Engagement" if value is None else f"Engagement {round(value)} of 100"
    if item.code == "limited":
        return "Limited to 0 to 100"
    return item.code[:40].replace("_", " ").capitalize()


BASELINES: Final = {
    "thresholds": "New thresholds",
    "reconnected": "Reconnected",
    "resumed": "Watched again",
    "import": "History imported",
}
"""What a baseline that is not the first begins with, by its cause."""

NOTICES: Final = {
    "api_down": (
        "The data API is not answering",
        "Alerts resume by themselves when it is back. If it lasts, look at the provider's status page.",
    ),
    "session_expired": (
        "The creator's session has expired, so her data cannot be fetched",
        "Reconnect her account at the data API; her alerts wait until then.",
    ),
    "credits_exhausted": (
        "The data API's credits are used up",
        "Add credits at the data API; polling resumes by itself.",
    ),
    "key_refused": (
        "The data API refuses the key",
        "An operator has to put a valid key into the settings and restart Fanwatch.",
    ),
    "account_missing": (
        "The creator's account is no longer listed by the data API",
        "Connect her account again at the data API, or pause her.",
    ),
    "stale": (
        "The creator's data is old",
        "Her alerts are held back until fresh data arrives; check her connection at the data API.",
    ),
    "budget_reached": (
        "The creator's credits for today are used up",
        "Her data is fetched again after midnight; an operator can give her more credits a day.",
    ),
    "channel_gone": (
        "The creator's channel is gone, so her alerts wait",
        "Choose another with /creator settings; her open alerts are posted there without calling anybody again.",
    ),
    "channel_closed": (
        "The creator's channel is closed to Fanwatch, so her alerts wait",
        "Give it back in the channel's settings; her alerts are then posted by themselves.",
    ),
    "drill": (
        "This is a drill",
        "Press [Looks right] to close it.",
    ),
}
"""code -> (what happened, what to do)."""
