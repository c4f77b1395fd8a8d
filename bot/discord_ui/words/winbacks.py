"""What people read about winbacks. Names passed in are made safe by the caller."""

from __future__ import annotations

from typing import Final

from bot.discord_ui import times
from bot.discord_ui.words import count
from bot.domain.desk import Outcome
from bot.domain.due import DueError
from bot.domain.winbacks import WinbackKind

ASSIGN: Final = "Assign"
DONE: Final = "Done"
UNDO: Final = "Undo"
STOP: Final = "Stop refilling"
NAME_A_CHATTER: Final = "Use the option `chatter` to say who is to win the fan back."
NAME_AN_OUTCOME: Final = (
    "Choose what came of it (option `outcome`): kept, waiting, lost or false alarm; nothing was changed."
)
NO_BOTS: Final = "A bot cannot win a fan back; choose a person."
NOT_HERE: Final = "That person is not on this server, so nothing was changed."
PICK_WHO: Final = "Choose who is to win the fan back"
NO_CANDIDATES: Final = (
    "Nobody to win back here: no fan has left or fallen silent, or each of them is being worked on already."
)
NO_WINBACK: Final = "This fan has no winback; a team lead hands one out with /winback assign."
OTHERS_NEED_LEAD: Final = (
    "Other people's winbacks are for team leads and higher; leave out `who` to see your own."
)
NOT_DONE: Final = "That winback is open already; nothing was changed."
UNDO_TOO_LATE: Final = "That was more than ten minutes ago and can no longer be undone."
UNDO_NOT_YOURS: Final = "Only whoever did that, or somebody of a higher tier, can undo it."
UNDO_TAKEN: Final = "The fan has another open winback now, so this one stays done."
NOBODY_ABLE: Final = "None of these people can see the channel of a creator whose fans are to be handed out."
NO_PEOPLE: Final = "Choose at least one role or person who is to get them; nothing was changed."
BAD_TOP: Final = "How many to hand out must be a number from 1 to 1,000; nothing was changed."
BAD_PER_PERSON: Final = "How many one person has at once must be a number from 1 to 50; nothing was changed."
SPREAD_UNDONE_ALREADY: Final = "This spread has been undone already; nothing was changed."
SPREAD_STOPPED_ALREADY: Final = "This spread no longer refills; nothing was changed."
WHO_LABEL: Final = "Among whom"
WHO_HINT: Final = "Roles and people; of a role those who work for the agency"
WHO_PLACEHOLDER: Final = "Choose roles or people"
TOP_LABEL: Final = "How many in all"
PER_PERSON_LABEL: Final = "How many one person has at once"
DUE_LABEL: Final = "Due"
DUE_HINT: Final = "in 3 days, friday 18:00, 5 March"
OUTCOME_LABEL: Final = "What came of it"
NOTE_LABEL: Final = "Note"

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
        return f"That due time has passed ({moment(error.understood_at)}); nothing was changed."
    if error.problem == "too_far":
        return "A due time can be a year ahead at most; nothing was changed."
    return (
        "That due time cannot be read, so nothing was changed;"
        " write it like `tomorrow 18:00`, `in 3 days`, `5 March` or `2026-03-05 20:00`."
    )


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
    hold = "holds" if total == 1 and not more else "hold"
    head = (
        f"**{'More than ' if more else ''}{count(total, 'candidate', 'candidates')}** {hold} {money} a month"
    )
    if 0 < first < total:
        head += f"; the first {first:,} hold {round(share * 100)} % of it"
    lines = [head, "-# Most a month first, as it was before they left or fell silent"]
    if unknown:
        lines[1] += f"; {count(unknown, 'fan', 'fans')} without a known purchase at the end"
    return "\n".join(lines)


def spread_first(number: int) -> str:
    return f"Spread the first {number:,}"


def list_header(state: str, total: int, whose: str) -> str:
    """ "**12 open winbacks** · yours"."""
    return f"**{count(total, f'{state} winback', f'{state} winbacks')}** · {whose}"


def nothing_listed(state: str, whose: str) -> str:
    hint = " A team lead hands them out with /winback assign." if state == "open" else ""
    return f"No {state} winbacks · {whose}.{hint}"


def closed(fan: str, outcome: Outcome) -> str:
    return f"Done: **{fan}**, {OUTCOMES[outcome].lower()}."


def refilled(user_id: int, fan: str) -> str:
    return f"Next from the same spread, for <@{user_id}>: **{fan}**."


def done_already(fan: str, outcome: Outcome | None, by: int | None, at: int | None) -> str:
    what = OUTCOMES[outcome].lower() if outcome is not None else "no outcome"
    when = times.relative(at) if at is not None else ""
    return f"**{fan}** is done already ({what}), by <@{by}> {when}; nothing was changed."


def not_yours(user_id: int, fan: str) -> str:
    return f"**{fan}** is with <@{user_id}>; they or a team lead can close it."


def reopened(fan: str, refill: str | None, taken_back: bool) -> str:
    """`refill`: the fan handed out in its place, None: there was none."""
    if refill is None:
        return f"**{fan}** is open again."
    if taken_back:
        return f"**{fan}** is open again, and **{refill}** waits as before."
    return f"**{fan}** is open again; **{refill}**, handed out in its place, stays where it is."


def handed_out(total: int, people: int, money: str, waiting: int, due_at: int | None) -> str:
    head = (
        f"Handed out {count(total, 'winback', 'winbacks')} to {count(people, 'person', 'people')}"
        f" ({money} a month), {until(due_at)}."
    )
    if waiting:
        more = "more waits and follows" if waiting == 1 else "more wait and follow"
        head += f" {waiting:,} {more} as these are done."
    return head


def spread_already(total: int) -> str:
    return f"This was handed out already: {count(total, 'winback is', 'winbacks are')} open; nothing was changed."


def share(user_id: int, number: int, money: str) -> str:
    return f"• <@{user_id}>: {number} · {money} a month"


def left_out(user_ids: tuple[int, ...]) -> str:
    who = ", ".join(f"<@{user_id}>" for user_id in user_ids[:10])
    more = f" and {len(user_ids) - 10} more" if len(user_ids) > 10 else ""
    return f"-# Left out because they see none of these creators: {who}{more}"


def spread_undone(taken_back: int, kept: int) -> str:
    rest = f"; {count(kept, 'stays', 'stay')} with whoever has worked on them" if kept else ""
    return f"Undone: {count(taken_back, 'winback is', 'winbacks are')} taken back, and nothing refills{rest}."


def spread_stopped(still_open: int) -> str:
    return f"No more refills; {count(still_open, 'open winback stays', 'open winbacks stay')} where they are."
