"""What people read about shifts and hand-overs. Names passed in are made safe by the caller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.discord_ui import times
from bot.discord_ui.words import count
from bot.domain.desk import MS_PER_MINUTE
from bot.domain.models import MS_PER_HOUR
from bot.domain.shift_work import days_text, is_overnight, minute_text
from bot.domain.shifts import PlannedShift
from bot.domain.undo import StillOn

CREATORS_OPTION: Final = (
    "Your creators, several separated by commas; without it this channel's, elsewhere all"
)
WHO_OPTION: Final = "Who is to be on"
DAYS_OPTION: Final = "On which days it begins: mon-fri, sat,sun, 1-5, daily; without it the plan is listed"
FROM_OPTION: Final = "When it begins: 14:00"
TO_OPTION: Final = "When it ends: 22:00; not after the beginning means on the next day"
ZONE_OPTION: Final = "Whose clock these times are by; start typing to choose"
REMOVE: Final = "Remove"
TAKE: Final = "Take"
TAKE_ALL: Final = "Take all"
ALL_CLAIMS: Final = "All claims"
NOT_ON: Final = "You are not on shift, so there is nothing to end; /shift start begins one."
NO_CREATORS: Final = "You see no creator yet, so there is nobody to be on shift for."
NAME_WHO: Final = "Use the option `who` to say whose shift it is; nothing was planned."
NAME_TIMES: Final = (
    "Use the options `from` and `to` to say when it begins and ends, as 14:00; nothing was planned."
)
NAME_ZONE: Final = "Use the option `zone` to say whose clock these times are by; nothing was planned."
BAD_DAYS: Final = (
    "Write the days as mon-fri, as sat,sun, as 1-5 or as daily (option `days`); nothing was planned."
)
BAD_TIME: Final = "That is no time of day; write it as 14:00; nothing was planned."
SAME_TIMES: Final = "A shift cannot end at the time it begins; nothing was planned."
NO_BOTS: Final = "A bot works no shifts; choose a person."
NOT_HERE: Final = "That person is not on this server, so nothing was planned."
REMOVED_ALREADY: Final = "That shift has been removed from the plan already."
TAKEN_ALREADY: Final = "Nothing is left to take here: it has been taken, closed or has lapsed."
NO_ROLE_OF: Final = (
    "That person has no role that works here or cannot see her channel, so nothing was planned."
)
NOTHING_PLANNED: Final = (
    "No shifts are planned for her; /shift plan with `days`, `from`, `to` and `zone` adds one."
)
NO_PLAN: Final = "No shifts are planned."
_GAPS_SHOWN = 3
_SHORTEST_GAP_MS = 5 * MS_PER_MINUTE


def started(names: Sequence[tuple[str, int]], already: Sequence[tuple[str, int]]) -> str:
    """`names`, `already`: (creator, until when) of shifts that began, and of those that were under way."""
    parts: list[str] = []
    if names:
        parts.append(f"You are on shift for {_until(names)}")
    if already:
        head = "you were already" if names else "You are already on shift"
        parts.append(f"{head} for {_until(already)}")
    return "; ".join(parts) + "."


def on_line(names: Sequence[tuple[str, int]], *, is_yours: bool) -> str:
    """ "You are on for luna, mia until 18:00."."""
    return f"{'You are on' if is_yours else 'On shift'} for {_until(names)}."


def _until(names: Sequence[tuple[str, int]]) -> str:
    by_end: dict[int, list[str]] = {}
    for name, until_at in names:
        by_end.setdefault(until_at, []).append(name)
    return " and for ".join(
        f"{', '.join(together)} until {times.clock_time(until_at)}" for until_at, together in by_end.items()
    )


def ended(names: Sequence[str], handed: Sequence[tuple[str, int]], cards: Sequence[str]) -> str:
    """`handed`: (creator, claims) of hand-overs with claims; `cards`: creators with a card without any."""
    first = f"Your shift for {', '.join(names)} is over"
    if not handed and not cards:
        return f"{first}; there was nothing to hand over."
    told = [f"{count(claims, 'claim', 'claims')} for {name}" for name, claims in handed]
    if not told:
        return f"{first}; what is due soon stands in {', '.join(cards)}'s channel."
    return f"{first}; handed over: {', '.join(told)}. What nobody takes lapses in two hours."


def unknown_creators(names: Sequence[str]) -> str:
    return f"No creator of yours is called {', '.join(names)}; no shift was begun."


def shift_text(shift: PlannedShift) -> str:
    """ "<@1> Mon-Fri 22:00-06:00 (Asia/Manila), ends the next day"."""
    span = f"{minute_text(shift.starts_minute)}-{minute_text(shift.ends_minute)}"
    overnight = ", ends the next day" if is_overnight(shift) else ""
    return f"<@{shift.user_id}> {days_text(shift.weekdays)} {span} ({shift.zone}){overnight}"


def planned(creator: str, shift: PlannedShift, gaps: Sequence[tuple[int, int]], *, already: bool) -> str:
    """What a new row of a plan means; an end on the next day is spelt out."""
    span = f"{days_text(shift.weekdays)} from {minute_text(shift.starts_minute)} to"
    end = minute_text(shift.ends_minute)
    end = f"{end}; it ends the next day at {end}" if is_overnight(shift) else end
    head = "That was planned already" if already else "Planned"
    return f"{head}: <@{shift.user_id}> for {creator}, {span} {end} ({shift.zone} time). {gap_words(gaps)}"


def removed(
    creator: str, shift: PlannedShift, gaps: Sequence[tuple[int, int]], on: StillOn | None = None
) -> str:
    """`on`: who stays on although the plan has them on no more."""
    stays = "" if on is None else f" {still_on(on)}"
    return f"Removed from {creator}'s plan: {shift_text(shift)}.{stays} {gap_words(gaps)}"


def still_on(one: StillOn) -> str:
    return f"<@{one.user_id}> stays on until {times.clock_time(one.until_at)}."


def gap_words(gaps: Sequence[tuple[int, int]]) -> str:
    """What the coming week leaves open; hours that nobody is planned for. Of minutes between two shifts nothing is said."""
    gaps = [(start, end) for start, end in gaps if end - start >= _SHORTEST_GAP_MS]
    if not gaps:
        return "The coming week is covered."
    shown = [f"{times.moment(start)} to {times.moment(end)}" for start, end in gaps[:_GAPS_SHOWN]]
    rest = f" and {count(len(gaps) - _GAPS_SHOWN, 'more', 'more')}" if len(gaps) > _GAPS_SHOWN else ""
    hours = round(sum(end - start for start, end in gaps) / MS_PER_HOUR)
    long = count(hours, "hour", "hours") if hours else "under an hour"
    return f"Nobody is planned for {long} of the coming week: {', '.join(shown)}{rest}."


def plan_header(creator: str, total: int) -> str:
    return f"**Shifts of {creator}: {total:,} planned**"


def who_header(creators: int) -> str:
    return f"**On shift** · {count(creators, 'creator', 'creators')}"


def taken(number: int, held: int) -> str:
    """`held`: how many stay with whoever had them, as nobody is to contact the fan."""
    said = f"{count(number, 'claim is', 'claims are')} yours now."
    if not held:
        return said
    why = "stays: its fan is" if held == 1 else "stay: their fans are"
    return f"{said} {held:,} {why} not to be contacted."


def kept(number: int) -> str:
    return f"You are back on shift and keep {count(number, 'claim', 'claims')}."


def done_line(
    user_id: int, creator: str, taken_by: Sequence[tuple[int, int]], closed: int, lapsed: int, left: int
) -> str:
    """ "Handed over by @Ana · luna: 5 to @Ben, 1 lapsed"."""
    parts = [f"{number:,} to <@{who}>" for who, number in taken_by]
    parts += [f"{closed:,} closed"] if closed else []
    parts += [f"{lapsed:,} lapsed"] if lapsed else []
    parts += [f"{left:,} kept"] if left else []
    said = f": {', '.join(parts)}" if parts else ", over"
    return f"Handed over by <@{user_id}> · {creator}{said}"
