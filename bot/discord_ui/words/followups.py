"""What people read about follow-ups. Names and texts passed in are made safe by the caller."""

from __future__ import annotations

from typing import Final

from bot.discord_ui import times
from bot.discord_ui.words import count
from bot.discord_ui.words.winbacks import moment
from bot.domain.followups import WHAT_CHARS

FOLLOWUP: Final = "Follow-up"
PROMISE: Final = "Promise"
DONE: Final = "Done"
TOMORROW: Final = "Tomorrow"
TAKE: Final = "Take it"
WITHDRAW: Final = "Withdraw"
WHAT_LABEL: Final = "What is to be done"
WHAT_OPTION: Final = f"What is to be done, at most {WHAT_CHARS} characters; needed"
DUE_LABEL: Final = "Due"
DUE_HINT: Final = "tomorrow 18:00, in 3 days, 5 March"
DUE_OPTION: Final = "When: tomorrow 18:00, in 3 days, 5 March, 2026-03-05 20:00; needed"
KIND_LABEL: Final = "Was the fan promised it?"
KINDS: Final = (("task", "No, it is ours to do"), ("promise", "Yes, it is a promise"))
NAME_A_TASK: Final = "Use the option `what` to say what is to be done."
NAME_A_TIME: Final = "Use the option `due` to say when it is due."
EMPTY: Final = "A follow-up needs to say what is to be done; nothing was saved."
TOO_LONG: Final = f"A follow-up holds at most {WHAT_CHARS} characters; nothing was saved. Your text was:"
YOUR_TEXT: Final = "Your text was:"
NO_BOTS: Final = "A bot cannot follow up on a fan; choose a person."
NOT_HERE: Final = "That person is not on this server, so nothing was changed."
NO_FOLLOWUP: Final = (
    "No open follow-up of yours goes by that; choose one from the list that appears while you type."
)
OTHERS_NEED_LEAD: Final = (
    "Other people's follow-ups are for team leads and higher; leave out `who` to see your own."
)
ON_HOLD: Final = "⛔ On hold: do not contact this fan now."
HIDDEN: Final = "Claim the fan, or use /followup list, to see what it is about."


def kind(*, promise: bool) -> str:
    return PROMISE if promise else FOLLOWUP


def added(fan: str, due_at: int, user_id: int, *, promise: bool) -> str:
    return f"{kind(promise=promise)} for **{fan}**: <@{user_id}> is reminded {moment(due_at)}."


def added_already(fan: str) -> str:
    return f"This follow-up on **{fan}** is kept already; nothing was added."


def no_access(user_id: int) -> str:
    return f"<@{user_id}> may not see this fan, so nothing was changed."


def done(fan: str, what: str) -> str:
    return f"✅ Done: **{fan}**, {what}"


def withdrawn(fan: str) -> str:
    return f"The follow-up on **{fan}** is withdrawn."


def taken(fan: str, due_at: int) -> str:
    return f"You have the follow-up on **{fan}** now, due {times.relative(due_at)}."


def put_off(fan: str, due_at: int) -> str:
    return f"The follow-up on **{fan}** comes again {moment(due_at)}."


def put_off_already(fan: str, due_at: int) -> str:
    return f"The follow-up on **{fan}** is due {moment(due_at)} already; nothing was changed."


def yours_already(fan: str) -> str:
    return f"You have the follow-up on **{fan}** already."


def closed_already(fan: str, by: int | None, at: int | None) -> str:
    """Answer to whoever closes what is done (`by`, `at`) or withdrawn (None)."""
    if by is None or at is None:
        return f"The follow-up on **{fan}** was withdrawn; nothing was changed."
    return (
        f"The follow-up on **{fan}** is done already, by <@{by}> {times.relative(at)}; nothing was changed."
    )


def not_yours(fan: str, user_id: int | None) -> str:
    return f"The follow-up on **{fan}** is with <@{user_id}>; take it first, or ask them or a team lead."


def header(total: int, whose: str) -> str:
    return f"**{count(total, 'open follow-up', 'open follow-ups')}** · {whose}"


def nothing(whose: str) -> str:
    return f"No open follow-ups · {whose}. Add one with /followup add."


def due(due_at: int, *, overdue: bool) -> str:
    return f"⏰ overdue, was due {times.relative(due_at)}" if overdue else f"due {times.relative(due_at)}"
