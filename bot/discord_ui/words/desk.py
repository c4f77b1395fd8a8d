"""What people read when they work on an alert. Names passed in are made safe by the caller."""

from __future__ import annotations

from typing import Final

from bot.discord_ui import times
from bot.discord_ui.words import count
from bot.domain.desk import MS_PER_MINUTE, Mood, Moods, NotCalled, Outcome, Rest
from bot.domain.models import MS_PER_DAY, MS_PER_HOUR, AlertTier, Policy

OUTCOMES: Final = {
    Outcome.KEPT: "Saved",
    Outcome.WAITING: "Contacted, waiting",
    Outcome.LOST: "Lost",
    Outcome.FALSE_ALARM: "False alarm",
}
SIGNS: Final = {
    Outcome.KEPT: "✅",
    Outcome.WAITING: "⏳",
    Outcome.LOST: "❌",
    Outcome.FALSE_ALARM: "🔕",
}
"""Never alone: the outcome's words stand beside it."""
HINTS: Final = {
    Outcome.KEPT: "The fan stays, or is buying again.",
    Outcome.WAITING: "You have written and wait for an answer.",
    Outcome.LOST: "The fan is leaving and nothing helps.",
    Outcome.FALSE_ALARM: "There was nothing wrong.",
}
MOODS: Final = {Mood.WARM: "Warm", Mood.NEUTRAL: "Neutral", Mood.COLD: "Cold", Mood.ANGRY: "Angry"}

DONE_TITLE: Final = "Done"
OUTCOME_LABEL: Final = "What came of it"
MOOD_LABEL: Final = "How the fan seemed"
MOOD_HINT: Final = "Leave it out if you cannot say."
NOTE_LABEL: Final = "Note"
NOTE_HINT: Final = "Anything the next one should know."
NAME_AN_OUTCOME: Final = "Choose what came of it; without an outcome nothing is closed."
DONE_AGAIN: Final = "This form was handed in already; nothing was changed."
CLAIM_FIRST: Final = "Nobody has this one; claim it first, then close it."
UNDO: Final = "Undo"

OPEN_ONE: Final = "Open one for more"
WHY: Final = "Why"
PLAYBOOK: Final = "Playbook"
LOG_CONTACT: Final = "Log a contact"
NOT_USEFUL: Final = "Not useful"
USEFUL_AFTER_ALL: Final = "Useful after all"
BACK: Final = "Back"
ASSIGN_TO: Final = "Assign to"
TAKE_OVER: Final = "Take over"
KEEP: Final = "Leave it"
SAID_USELESS: Final = "Noted: you found this alert not useful."
TAKEN_BACK: Final = "Taken back: your word that this alert was not useful."
CONTACT_LOGGED: Final = "Logged: you were in contact with the fan just now."
NOBODY_CHOSEN: Final = "Choose somebody; nothing was changed."
UNKNOWN_PERSON: Final = "That is nobody of this server; nothing was changed."
NEVER_FETCHED: Final = "never fetched"


def closed_now(outcome: Outcome, fan: str, rest: Rest, *, lapsed: bool, now_ms: int) -> str:
    """What Done answers: that it is closed, and what brings it back. `lapsed`: the alert was that a subscription ended."""
    head = f"{SIGNS[outcome]} {OUTCOMES[outcome]}: **{fan}** is closed."
    days = count(round((rest.until_at - now_ms) / MS_PER_DAY), "day", "days")
    if lapsed:
        return f"{head} It comes back if the fan subscribes and is about to leave once more."
    if rest.score is None:
        return f"{head} It comes back if the subscription ends, or in {days} if the score is still high."
    rise = f"the score rises by {Policy().wake_rise:g}"
    if rest.tier is not AlertTier.ACTION:
        rise += " or to an action item"
    return f"{head} It comes back if {rise}, or in {days} if it is still high."


def last_time(outcome: Outcome, user_id: int, at_ms: int) -> str:
    """How the fan's last alert was closed."""
    return f"Last time: {OUTCOMES[outcome].lower()}, by <@{user_id}> {times.relative(at_ms)}"


def mood(value: Mood, user_id: int, at_ms: int) -> str:
    """How the fan seemed to whoever said so last."""
    return f"Mood last time: {MOODS[value].lower()}, <@{user_id}> {times.relative(at_ms)}"


def moods(value: Moods) -> str:
    """How often the fan seemed well disposed."""
    return f"{value.warm:,} of {value.told:,} times {MOODS[Mood.WARM].lower()}"


def after(span_ms: int) -> str:
    """ "3 h after the alert"."""
    if span_ms < MS_PER_HOUR:
        return f"{max(1, span_ms // MS_PER_MINUTE)} min after the alert"
    if span_ms < 2 * MS_PER_DAY:
        return f"{span_ms // MS_PER_HOUR} h after the alert"
    return f"{span_ms // MS_PER_DAY} days after the alert"


def not_yours_to_close(user_id: int | None) -> str:
    who = f"<@{user_id}>" if user_id is not None else "somebody else"
    return f"This one belongs to {who}; they or a team lead can close it."


def ask_take_over(user_id: int, since: int | None, fan: str) -> str:
    """Before somebody's claim is taken from them."""
    when = f" since {times.relative(since)}" if since is not None else ""
    return f"<@{user_id}> has **{fan}**{when}. Take it over?"


NOT_CALLED: Final[dict[NotCalled, str]] = {
    "hold": "Not mentioned now: nobody is to contact the fan",
    "mute": "Not mentioned now: the alerts are muted; the mention comes when that ends",
    "stale": "Not mentioned now: the data is old; the mention comes with fresh data",
    "contacts": "Not mentioned: the fan was contacted enough in the last 48 hours; it is in the next digest",
    "quiet": "Not mentioned now: quiet hours; the mention comes when they end",
    "budget": "Not mentioned: their alert budget is used up; it is in the next digest",
}


def assigned(user_id: int, not_called: NotCalled | None) -> str:
    """`not_called`: why they do not hear of it now."""
    said = f"<@{user_id}> has it now."
    return said if not_called is None else f"{said} {NOT_CALLED[not_called]}."


def assigned_already(user_id: int) -> str:
    return f"<@{user_id}> has it already; nothing was changed."


def no_access(user_id: int, creator: str) -> str:
    return f"<@{user_id}> cannot see {creator}'s fans; give them the role and her channel first."


def contact_already(at_ms: int) -> str:
    """Answer to a second press within a quarter of an hour."""
    return f"Your contact {times.relative(at_ms)} is logged already."


def menu_title(fan: str, creator: str) -> str:
    return f"**{fan}** · {creator}"


def as_of(at_ms: int | None) -> str:
    """How old an input is."""
    return NEVER_FETCHED if at_ms is None else f"as of {times.relative(at_ms)}"


def scored(model: str, version: int | None, at_ms: int | None) -> str:
    """By what, and when."""
    number = "" if version is None else f", version {version}"
    when = "time unknown" if at_ms is None else times.relative(at_ms)
    return f"Scored {when} by model {model}{number}"
