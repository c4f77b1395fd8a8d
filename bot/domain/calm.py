"""When a mention may go out and when it waits: quiet hours, the budget of a shift, and data too old to ping about. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bot.domain.models import MS_PER_DAY, MS_PER_HOUR
from bot.domain.shifts import PlannedShift, on_at
from bot.domain.views import AlertRow, Owner

KEPT_FOR_MONEY: Final = 2
"""The last mentions of a budget, which only the most money at risk may use; at most half of a small budget."""
TOP_SHARE: Final = 5
"""One in so many open action items counts as the most money, one at least."""
MISSED_POLLS: Final = 3
"""Failed polls after which a creator's data counts as old, whatever its age."""
STALE_AFTER_MS: Final = MS_PER_DAY
OFF_SHIFT_MS: Final = 24 * MS_PER_HOUR
"""How far back mentions count against the budget of who is not on shift, and of roles."""
_EVERY_DAY: Final = frozenset(range(1, 8))


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From a minute after local midnight up to another, every day in `zone`; an end before the start is the next day's."""

    starts_minute: int
    ends_minute: int
    zone: str
    """IANA name."""

    @property
    def over_midnight(self) -> bool:
        return self.ends_minute < self.starts_minute


def quiet_until(hours: Iterable[QuietHours], at: int) -> int | None:
    """When the quiet hours that hold at `at` are over, of several the last; None: none of them holds."""
    ends = []
    for one in hours:
        # A day's hours by the clock on the wall: what shifts know about clock changes holds for them as well.
        plan = PlannedShift(0, _EVERY_DAY, one.starts_minute, one.ends_minute, one.zone)
        ends += [span.ends_at for span in on_at([plan], at) if span.ends_at is not None]
    return max(ends, default=None)


def within_budget(budget: int, used: int, *, most_money: bool) -> bool:
    """Whether one more mention fits; the last few are kept for who has the most money at risk."""
    kept = 0 if most_money else min(KEPT_FOR_MONEY, budget // 2)
    return used < budget - kept


def is_most_money(money: float, of_all: Sequence[float]) -> bool:
    """Whether `money` at risk is in the top fifth of these, ties included. What is unknown, or nothing, never is."""
    allowed = max(1, -(-len(of_all) // TOP_SHARE))
    return money > 0 and sum(other > money for other in of_all) < allowed


def is_stale(synced_at: int | None, failed_polls: int, now_ms: int) -> bool:
    """Whether a creator's data is too old to call anybody about: three polls failed in a row, or a day has passed.

    `synced_at` None: never fetched, so only the failures count.
    """
    if failed_polls >= MISSED_POLLS:
        return True
    return synced_at is not None and now_ms - synced_at > STALE_AFTER_MS


def still_calls(row: AlertRow, who: Owner) -> bool:
    """Whether a mention that has waited to be sent still calls the right person.

    Not for what somebody else has claimed meanwhile, nor for what sleeps, unless it was given to them asleep.
    """
    if row.claimed_by is None:
        return row.snooze is None
    return who == Owner("user", row.claimed_by) and (row.snooze is None or row.snooze.by != row.claimed_by)
