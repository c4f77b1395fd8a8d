"""What people read about winbacks. Names passed in are made safe by the caller."""

from __future__ import annotations

from typing import Final

from bot.discord_ui import times
from bot.discord_ui.words import count
from bot.domain.due import DueError
from bot.domain.winbacks import Outcome, WinbackKind

ASSIGN: Final = "Assign"
DONE: Final = "Done"
UNDO: Final = "Undo"
STOP: Final = "Stop refilling"
NAME_A_CHATTER: Final = "Say with the option `chatter` who is to win the fan back."
NAME_AN_OUTCOME: Final = (
    "Say with the option `outcome` what came of it: kept, waiting, lost or false alarm; nothing was changed."
)
NO_BOTS: Final = "A bot cannot win a fan back; choose a person."
NOT_HERE: Final = "That person is not on this server, so nothing was changed."
PICK_WHO: Final = "Choose who is to win the fan back"
NO_CANDIDATES: Final = "Nobody to win back: no fan here has left or fallen silent that nobody works on."
NO_WINBACK: Final = "This fan has no winback; a team lead hands one out with /winback assign."
OTHERS_NEED_LEAD: Final = (
    "Other people's winbacks are for team leads and higher; leave out `who` to see your own."
)

KINDS: Final = {
    WinbackKind.QUIET: "💤 Quiet",
    WinbackKind.EXPIRED: "⌛ Expired",
    WinbackKind.OTHER: "📌 Asked for",
}
OUTCOMES: Final = {
    Outcome.KEPT: "Kept",
    Outcome.WAITING: "Waiting for an answer",
    Outcome.LOST: "Lost",
    Outcome.FALSE_ALARM: "False alarm",
}


def moment(at_ms: int) -> str:
    """ "2 March 2026 18:00, in 3 hours"."""
    return f"{times.day(at_ms)} {times.clock_time(at_ms)}, {times.relative(at_ms)}"


def due(error: DueError) -> str:
    """Why a due time was not taken."""
    if error.problem == "past" and error.understood_at is not None:
        return f"That due time is past ({moment(error.understood_at)}); nothing was changed."
    if error.problem == "too_far":
        return "A due time can be a year ahead at most; nothing was changed."
    return "I cannot read that due time; write it like `tomorrow 18:00`, `in 3 days`, `5 March` or `2026-03-05 20:00`."


def until(due_at: int | None) -> str:
    return "no due time" if due_at is None else f"due {moment(due_at)}"


def assigned(user_id: int, fan: str, due_at: int | None) -> str:
    return f"<@{user_id}> is to win back **{fan}**, {until(due_at)}."


def handed_over(user_id: int, before: int | None, fan: str, due_at: int | None) -> str:
    return f"**{fan}** is handed over from <@{before}> to <@{user_id}>, {until(due_at)}."


def already(user_id: int, fan: str, due_at: int | None) -> str:
    return f"<@{user_id}> has **{fan}** already, {until(due_at)}; nothing was changed."


def changed(user_id: int, fan: str, due_at: int | None) -> str:
    return f"<@{user_id}> keeps **{fan}**, now {until(due_at)}."


def lacks_role(user_id: int) -> str:
    return f"<@{user_id}> lacks the chatter role, so nothing was changed."


def lacks_creator(user_id: int, creator: str) -> str:
    return f"<@{user_id}> does not see {creator}'s channel and is not her lead, so nothing was changed."


def candidates_header(total: int, more: bool, money: str, unknown: int, first: int, share: float) -> str:
    """ "412 candidates hold $61,240 a month; the first 40 hold 62 % of it"."""
    head = f"**{'More than ' if more else ''}{count(total, 'candidate', 'candidates')}** hold {money} a month"
    if 0 < first < total:
        head += f"; the first {first:,} hold {round(share * 100)} % of it"
    lines = [head, "-# Most a month first, as it was before they left or fell silent"]
    if unknown:
        lines[1] += f"; {count(unknown, 'fan', 'fans')} without a known purchase at the end"
    return "\n".join(lines)


def spread_first(number: int) -> str:
    return f"Spread the first {number:,}"
