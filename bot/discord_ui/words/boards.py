"""What boards and the queue say."""

from __future__ import annotations

from typing import Final

from bot.discord_ui import words
from bot.domain.views import QueueSort

NOTHING_OPEN: Final = "Nothing is open."
NOBODY_ON: Final = "Nobody on now"
NOT_SEEN: Final = "not seen yet"
WHOLE_QUEUE: Final = "Whole queue"
ALL_CREATORS: Final = "all your creators"
SORT_PLACEHOLDER: Final = "Sort by"
SORTS: Final = {
    QueueSort.MONEY: ("Money at risk", "Most money at risk first"),
    QueueSort.RISK: ("Churn score", "Highest churn score first"),
    QueueSort.EXPIRY: ("Soonest expiry", "Subscription that ends soonest first"),
}
"""sort -> (what to choose, what the list then says)."""


def closed(creator: str) -> str:
    """All that is left of a board that is over."""
    return f"Board · {creator} · closed"


def open_words(episodes: int) -> str:
    """ "12 open"."""
    return f"{episodes:,} open"


def more_in_queue(rest: int) -> str:
    """What stands under the rows of a board that shows not all."""
    return f"{rest:,} more in the whole queue"


def winbacks(open_count: int, overdue: int) -> str:
    """ "Winbacks: 14 open, 3 overdue"."""
    late = f", {overdue:,} overdue" if overdue else ""
    return f"Winbacks: {open_count:,} open{late}"


def and_more_people(rest: int) -> str:
    return f"and {words.count(rest, 'other', 'others')}"
