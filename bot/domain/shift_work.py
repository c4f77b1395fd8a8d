"""Shifts as people write them down, and as they are worked: when a session begins and up to when it lasts. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from bot.domain.desk import MS_PER_MINUTE, OPEN_SHIFT_MS
from bot.domain.models import MS_PER_DAY
from bot.domain.shifts import PlannedShift, begun_at, span_of

EndedHow = Literal["end", "plan", "hours"]
DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
"""In order of the ISO days, from 1 on."""
EVERY_DAY = frozenset(range(1, 8))
_WORDS = {
    "daily": EVERY_DAY,
    "every day": EVERY_DAY,
    "all": EVERY_DAY,
    "weekdays": frozenset(range(1, 6)),
    "weekend": frozenset({6, 7}),
    "weekends": frozenset({6, 7}),
}
_TEXT_CHARS = 60
_RANGE = re.compile(r"([a-z]+|[1-7])(?:\s*(?:-|–|to)\s*([a-z]+|[1-7]))?")
_TIME = re.compile(r"([0-9]{1,2})(?:[:.h]([0-9]{2}))?\s*(am|pm)?")
_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def parse_days(text: str) -> frozenset[int] | None:
    """The ISO days meant by "mon-fri", "sat,sun", "1-5", "fri-mon", "daily"; None where it says no days."""
    cleaned = " ".join(text.lower().split())
    if not cleaned or len(cleaned) > _TEXT_CHARS:
        return None
    if cleaned in _WORDS:
        return _WORDS[cleaned]
    found: set[int] = set()
    for part in re.split(r"\s*(?:,|;|\+| and )\s*", cleaned):
        match = _RANGE.fullmatch(part.strip())
        first = _day(match[1]) if match is not None else None
        if match is None or first is None:
            return None
        last = _day(match[2]) if match[2] else first
        if last is None:
            return None
        found.update((first - 1 + step) % 7 + 1 for step in range((last - first) % 7 + 1))
    return frozenset(found)


def _day(text: str) -> int | None:
    if text.isdecimal():
        return int(text)
    fits = [number for number, name in enumerate(_NAMES, start=1) if len(text) >= 2 and name.startswith(text)]
    return fits[0] if len(fits) == 1 else None


def parse_minute(text: str, *, is_end: bool = False) -> int | None:
    """Minutes after midnight of "14:00", "9", "9.30", "9h30" or "2pm"; None: no time of day. `is_end`: 24:00 too."""
    match = _TIME.fullmatch(" ".join(text.lower().split())[:_TEXT_CHARS])
    if match is None:
        return None
    hour, minute = int(match[1]), int(match[2] or 0)
    if match[3] is not None:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match[3] == "pm" else 0)
    if is_end and (hour, minute) == (24, 0):
        return 0
    return hour * 60 + minute if hour < 24 and minute < 60 else None


def days_text(days: Iterable[int]) -> str:
    """ "Mon-Fri", "Sat, Sun", "every day"; runs of three and more are drawn together."""
    left = sorted(days)
    if len(left) == len(EVERY_DAY):
        return "every day"
    parts: list[str] = []
    while left:
        run = 1
        while run < len(left) and left[run] == left[0] + run:
            run += 1
        names = [DAY_NAMES[day - 1] for day in left[:run]]
        parts += [f"{names[0]}-{names[-1]}"] if run > 2 else names
        left = left[run:]
    return ", ".join(parts)


def minute_text(minute: int) -> str:
    """ "06:00"."""
    return f"{minute // 60:02}:{minute % 60:02}"


def is_overnight(shift: PlannedShift) -> bool:
    """Whether it ends on the day after the one it begins on."""
    return shift.ends_minute <= shift.starts_minute


@dataclass(frozen=True, slots=True)
class Planned:
    """A shift in the plan. It counts from `created_at` on, also where that is in the middle of it."""

    id: int
    creator_id: int
    shift: PlannedShift
    created_at: int


@dataclass(frozen=True, slots=True)
class Begin:
    """Somebody comes on by the plan."""

    user_id: int
    at: int
    until_at: int


def lasts_until(plan: Iterable[PlannedShift], user_id: int, now_ms: int) -> int:
    """When a session that begins now ends by itself: with the plan, else after its hours."""
    span = span_of(plan, user_id, now_ms)
    if span is None:
        return now_ms + OPEN_SHIFT_MS
    # Around the clock there is no end: the job puts it off again and again.
    return span.ends_at if span.ends_at is not None else now_ms + MS_PER_DAY


def due_begins(
    plan: Iterable[Planned], on: Iterable[int], left_at: dict[int, int], now_ms: int
) -> list[Begin]:
    """Who of one creator's plan comes on now. `left_at`: when people last ended a session by themselves.

    Whoever has done so stays off until a shift begins after that. What is over by now does not begin.
    """
    planned = list(plan)
    present = set(on)
    starts: dict[int, int] = {}
    for one in planned:
        user_id = one.shift.user_id
        if user_id in present:
            continue
        start = begun_at(one.shift, now_ms)
        if start is None or start <= left_at.get(user_id, -1):
            continue
        starts[user_id] = min(starts.get(user_id, now_ms), max(start, one.created_at))
    shifts = [one.shift for one in planned]
    return [
        Begin(user_id, at, lasts_until(shifts, user_id, now_ms)) for user_id, at in sorted(starts.items())
    ]


def new_end(plan: Iterable[PlannedShift], user_id: int, until_at: int, now_ms: int) -> int | None:
    """What the plan makes of an open session's end; None: it stays as it is."""
    span = span_of(plan, user_id, now_ms)
    # One that begins later than the session ends begins a session of its own.
    if span is None or span.ends_at == until_at or span.starts_at > until_at:
        return None
    if span.ends_at is not None:
        return span.ends_at
    return now_ms + MS_PER_DAY if until_at - now_ms < MS_PER_DAY // 2 else None


def ended_how(plan: Iterable[PlannedShift], user_id: int, source: str, until_at: int) -> EndedHow:
    """Whether a session whose time is over ended with the plan or after its hours."""
    if source == "plan":
        return "plan"
    span = span_of(plan, user_id, until_at - MS_PER_MINUTE)
    return "plan" if span is not None and span.ends_at == until_at else "hours"
