"""What a month of the data API costs, and what it will have cost when it is over. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from bot.domain.models import MS_PER_DAY

PLAN_CREDITS: Final = 25_000
"""The vendor's plan that a small agency needs, in credits a month."""
CREDITS_PER_DAY: Final = 85
"""What a creator may cost a day where nobody has said otherwise."""
LEAST_A_DAY: Final = 5
"""A poll is three credits at most: with fewer than this a day would not even have two."""
MOST_A_DAY: Final = 100_000
_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_WRITTEN = re.compile(r"(\d{4})-(\d{1,2})")


@dataclass(frozen=True, slots=True)
class Outlook:
    """`per_day` and `month_end` None: too little of the month is known to say. `month_end` of a past month is its sum."""

    per_day: float | None
    month_end: float | None


def read_month(text: str, today: date) -> date | None:
    """The first day of the month meant, not after this one: "2026-03", "March", "last month". None: none is."""
    typed = " ".join(text.split()).lower()
    this = today.replace(day=1)
    if typed in ("", "this month", "now"):
        return this
    if typed == "last month":
        return (this - timedelta(days=1)).replace(day=1)
    match = _WRITTEN.fullmatch(typed)
    if match is not None:
        year, month = int(match[1]), int(match[2])
        found = date(year, month, 1) if 1 <= month <= 12 and year > 0 else None
        return found if found is not None and found <= this else None
    if len(typed) < 3:
        return None
    name, _, year_text = typed.partition(" ")
    for number, known in enumerate(_MONTHS, 1):
        if known.startswith(name):
            if year_text:
                if not re.fullmatch(r"[0-9]{4}", year_text) or year_text == "0000":
                    return None
                found = date(int(year_text), number, 1)
                return found if found <= this else None
            return date(today.year - (number > today.month), number, 1)
    return None


def month_after(month: date) -> date:
    return (month.replace(day=1) + timedelta(days=31)).replace(day=1)


def outlook(spent: float, *, counted_from: int, now_ms: int, ends_at: int) -> Outlook:
    """The instants in UTC milliseconds: since when it is counted in this month, now, and the month's end.

    A mean needs a whole day at least: the first look at a creator costs more than a usual day.
    """
    counted_ms = min(now_ms, ends_at) - counted_from
    if counted_ms < MS_PER_DAY:
        return Outlook(None, spent if now_ms >= ends_at else None)
    per_day = spent * MS_PER_DAY / counted_ms
    return Outlook(per_day, spent + per_day * max(0, ends_at - now_ms) / MS_PER_DAY)


def problem_with_budget(credits_a_day: int) -> str | None:
    """What is wrong with a creator's own number of credits a day, as a sentence; None for nothing."""
    if LEAST_A_DAY <= credits_a_day <= MOST_A_DAY:
        return None
    return f"A creator's credits a day are {LEAST_A_DAY} to {MOST_A_DAY:,}, or 0 for the agency's; nothing was changed."
