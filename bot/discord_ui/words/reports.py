"""The sentences of the reports. Names passed in are made safe by the caller."""

from __future__ import annotations

from datetime import date
from typing import Final

from bot.discord_ui.words import count

DAY_OPTION: Final = "Which day: yesterday, Sunday, 1 March, 2026-03-01; without it yesterday"
MONTH_OPTION: Final = "Which month: March, last month, 2026-03; without it this month"
NO_SUCH_DAY: Final = "That is no day up to today; write yesterday, Sunday, 1 March or 2026-03-01."
NO_SUCH_MONTH: Final = "That is no month up to this one; write March, last month or 2026-03."
NOBODY: Final = "You see no creator, so there is nothing to report."
NO_CHART: Final = "The chart could not be drawn; the figures are complete."
NOT_COUNTED: Final = "The data API has cost nothing that month."

KINDS: Final = (
    ("Subscriptions", "subscriptions_cents"),
    ("PPV", "messages_cents"),
    ("Tips", "tips_cents"),
    ("Posts", "posts_cents"),
    ("Streams", "streams_cents"),
    ("Other", "other_cents"),
)
"""What people call the kinds of money, and what the figures call them; the order of the chart, bottom to top."""

PURPOSES: Final = {
    "poll": "polls",
    "night": "nightly looks",
    "walk": "full walks",
    "refresh": "refreshes before a ping",
    "messages": "messages",
    "backfill": "backfills",
    "accounts": "the list of accounts",
    "webhook": "webhooks",
}


def long_day(day: date) -> str:
    """ "Sunday 1 March 2026"."""
    return f"{day:%A} {day.day} {day:%B %Y}"


def short_day(day: date) -> str:
    """ "Sun 1 March"."""
    return f"{day:%a} {day.day} {day:%B}"


def month(first: date) -> str:
    """ "March 2026"."""
    return f"{first:%B %Y}"


def nothing_yet(zone: str, when: str) -> str:
    return f"No payments yet: the first day is complete at midnight in {zone}, {when}."


def day_unknown(day: date, known: tuple[date, date]) -> str:
    first, last = known
    return f"Nothing is known of {long_day(day)}; complete days are there from {long_day(first)} to {long_day(last)}."


def compared(weeks: int, day: date, zone: str) -> str:
    """What stands beside each figure."""
    usual = f"the usual is the mean of the last {count(weeks, f'{day:%A}', f'{day:%A}s')}"
    if weeks == 1:
        usual = f"the usual is the last {day:%A}"
    if weeks == 0:
        usual = f"no {day:%A} before it is known"
    return f"In brackets the day before; {usual}. Days are those of {zone}."


def left_out(number: int, currency: str) -> str:
    return f"The sum is of what was paid in {currency}; {count(number, 'creator was', 'creators were')} paid otherwise."


def still_running(zone: str, until: str) -> str:
    return f"This day is still running in {zone}; it is complete {until}."
