"""The sentences of the digests. Names passed in are made safe by the caller."""

from __future__ import annotations

from typing import Final

from bot.discord_ui.words import count
from bot.domain.desk import NUDGE_LIMIT

QUEUE: Final = "Queue"
SHOW_THEM: Final = "Show them"
AGENCY: Final = "all creators"
QUIET: Final = "A quiet day: nothing new, and nobody is waiting for you. 🌿"
NOTHING_NEW: Final = "Nothing new came up."
ALL_DONE: Final = "All of them are closed by now."
LEFT_HEADER: Final = "Action items nobody was called for"
OUTCOMES: Final = {
    "kept": "saved",
    "waiting": "contacted and waiting",
    "lost": "lost",
    "false_alarm": "false alarm",
}
"""Outcome -> what a digest and a report call those closed with it."""


def new(action: int, ended: int, at_risk: int) -> str:
    """What came up since the last digest."""
    parts = []
    if action:
        of_them = f", {ended:,} of them ended" if ended else ""
        parts.append(f"{count(action, 'action item', 'action items')}{of_them}")
    if at_risk:
        parts.append(f"{at_risk:,} at risk")
    return f"🆕 **New:** {' and '.join(parts)}."


def worked(claimed: int, cleared: int) -> str:
    parts = []
    if claimed:
        parts.append(f"{claimed:,} claimed")
    if cleared:
        parts.append(f"{cleared:,} no longer at risk")
    return f"🙋 **Worked:** {', '.join(parts)}."


def closed(parts: str) -> str:
    return f"✅ **Closed:** {parts}."


def saved(amount: str) -> str:
    return f"💚 **Saved:** {amount}."


def lost(amount: str) -> str:
    return f"💔 **Lost:** {amount}."


def unmentioned(number: int) -> str:
    what = count(number, "action item", "action items")
    why = f"the limit of mentions was reached, or the fan had {NUDGE_LIMIT} contacts in 48 hours"
    return f"🔕 **Nobody was called for {what}**, because {why}."


def oldest(fan: str, when: str, pace: str) -> str:
    return f"⏳ **Waits longest for a claim:** {fan}, since {when}, {pace}."


def oldest_of_all(when: str) -> str:
    return f"⏳ **The oldest unclaimed action item** is from {when}."


def endings(number: int) -> str:
    return f"⌛ **{count(number, 'subscription ends', 'subscriptions end')} within 3 days, rebill off:**"


def endings_in_all(number: int) -> str:
    return f"⌛ **{count(number, 'subscription ends', 'subscriptions end')}** within 3 days, rebill off."


def more(number: int) -> str:
    return f"… and {number:,} more"


def followups(due: int, promises: int, late: int) -> str:
    extra = []
    if promises:
        extra.append(count(promises, "promise", "promises"))
    if late:
        extra.append(f"{late:,} late already")
    tail = f" ({', '.join(extra)})" if extra else ""
    return f"📌 **{count(due, 'follow-up', 'follow-ups')} due today**{tail}."


def gaps(spans: str) -> str:
    return f"🕳️ **Nobody is planned:** {spans}."


def muted(fans: int, whole: int, held: int) -> str:
    """`whole`: how many creators are muted whole."""
    parts = []
    if whole:
        parts.append("all new alerts" if whole == 1 else f"all new alerts of {whole:,} creators")
    if fans:
        parts.append(count(fans, "fan", "fans"))
    told = [f"muted: {' and '.join(parts)}"] if parts else []
    if held:
        told.append(f"not to be contacted: {count(held, 'fan', 'fans')}")
    text = "; ".join(told)
    return f"🔇 {text[0].upper()}{text[1:]}."


def still_open(number: int) -> str:
    return f"{number:,} open now"
