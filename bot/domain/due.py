"""Reads when something is due, and which day is meant, as people write it: "tomorrow 18:00", "3d", "5 March"."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from dateparser.date import DateDataParser  # type: ignore[import-untyped]

from bot.domain.models import MS_PER_DAY

LONGEST_MS: Final = 366 * MS_PER_DAY
"""Nobody plans further ahead: a date beyond it is a slip."""
TEXT_CHARS: Final = 60
_DAY_ENDS: Final = time(23, 59)
_AHEAD = re.compile(r"(?:in\s+)?(\d{1,4}|an?)\s*(minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w)")
_UNITS: Final = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

DueProblem = Literal["unreadable", "past", "too_far"]


class DueError(ValueError):
    """The text is no due date. `understood_at`: what it was taken to mean, in UTC milliseconds; None: nothing."""

    def __init__(self, problem: DueProblem, understood_at: int | None = None) -> None:
        super().__init__(problem)
        self.problem: DueProblem = problem
        self.understood_at = understood_at


def parse_due(text: str, now_ms: int, zone: ZoneInfo) -> int:
    """The instant meant, in UTC milliseconds. Raises DueError and nothing else.

    Dates and times are those of `zone`, unless the text names another. A day without a time ends at 23:59; an hour that
    the clocks skip is taken as it would have been, one that they repeat as the first. The first call takes 0.1 s.
    """
    cleaned = " ".join(text.split())
    if not cleaned or len(cleaned) > TEXT_CHARS:
        raise DueError("unreadable")
    local_now = (_EPOCH + timedelta(milliseconds=now_ms)).astimezone(zone)
    try:
        meant = _ahead(cleaned.lower(), local_now) or _written(cleaned, local_now)
    except OverflowError:
        # Past the last year there is.
        raise DueError("too_far") from None
    if meant is None:
        raise DueError("unreadable")
    at = (meant.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)
    if at <= now_ms:
        raise DueError("past", at)
    if at - now_ms > LONGEST_MS:
        raise DueError("too_far", at)
    return at


def parse_past_day(text: str, now_ms: int, zone: ZoneInfo) -> date | None:
    """The date meant, in the zone and not after its today: "yesterday", "Sunday", "1 March". None: there is none."""
    cleaned = " ".join(text.split())
    if not cleaned or len(cleaned) > TEXT_CHARS:
        return None
    local_now = (_EPOCH + timedelta(milliseconds=now_ms)).astimezone(zone)
    try:
        read = _read(cleaned, local_now, "past")
    except OverflowError:
        return None
    return None if read is None or read[0].date() > local_now.date() else read[0].date()


def _ahead(text: str, local_now: datetime) -> datetime | None:
    """ "in 3 days", "2h"; None for anything else."""
    match = _AHEAD.fullmatch(text)
    if match is None:
        return None
    count = int(match[1]) if match[1].isdecimal() else 1
    span = count * _UNITS[match[2][0]]
    if match[2][0] in "mh":
        # Hours pass as they do, also while the clocks are changed.
        return (local_now.astimezone(UTC) + span).replace(microsecond=0)
    return _end_of((local_now.replace(tzinfo=None) + span), local_now)


def _written(text: str, local_now: datetime) -> datetime | None:
    read = _read(text, local_now, "future")
    if read is None:
        return None
    moment, period = read
    if period in ("time", "part_of_day"):
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=local_now.tzinfo)
    return _end_of(moment, local_now)


def _read(text: str, local_now: datetime, prefer: Literal["past", "future"]) -> tuple[datetime, str] | None:
    """What is meant and how exactly. Raises OverflowError."""
    settings: Any = {
        "RELATIVE_BASE": local_now.replace(tzinfo=None, microsecond=0),
        "PREFER_DATES_FROM": prefer,
        "RETURN_TIME_AS_PERIOD": True,
    }
    try:
        found = DateDataParser(languages=["en"], settings=settings).get_date_data(text)
    except OverflowError:
        raise
    except Exception:
        # What it raises depends on what it guesses first; whatever that is, the text is none it can read.
        return None
    moment: datetime | None = found.date_obj
    if moment is None or found.period == "year" or (found.period == "month" and "month" not in text.lower()):
        # A lone number or the name of a month is no day.
        return None
    return moment, found.period


def _end_of(day: datetime, local_now: datetime) -> datetime:
    return datetime.combine(day.date(), _DAY_ENDS, local_now.tzinfo)
