"""What a creator may cost a day. Polls and nights stop before it is used up, so that pings can still be checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.credits import CREDITS_PER_DAY
from bot.domain.models import MS_PER_DAY
from bot.domain.zones import local_day, local_time
from storage import settings, usage
from storage.engine import AgencyStore
from storage.roster import Creator

RESERVE = 0.1
"""The part of a day's budget that is kept for looking once more before a ping."""
TOGETHER_DAYS = 7
"""What these days, today included, have left of their credits may be used today: a round of all payers is weekly."""


ROUND_PART = 0.85
"""Of a day's budget: where all payers fit into it, beside what yesterday cost without its night, a night sees them all."""
NIGHT_CALLS = 5
"""What a night costs without the pages of its fans."""
FANS_A_PAGE = 20


class BudgetReachedError(Exception):
    """The day's credits are used up as far as this run may use them."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one run may cost. `left` None: it is not limited.

    `share`: how many credits a poll may spend on fans by id where each costs a whole one, so that the day's polls have
    about as many each.
    """

    left: float | None
    used: Callable[[], float]
    share: int = 0

    def check(self) -> None:
        """Raise BudgetReachedError where nothing is left."""
        if self.left is not None and self.used() >= self.left:
            raise BudgetReachedError


class Budget:
    """The day is the agency's; `credits_per_day` is for creators who have no number of their own."""

    def __init__(self, store: AgencyStore, credits_per_day: int = CREDITS_PER_DAY) -> None:
        self._store = store
        self._credits_per_day = credits_per_day

    async def left(self, creator: Creator, now_ms: int, *, before_pings: bool = False) -> float:
        """The credits she may still cost today; `before_pings`: with what is kept for that."""
        whole = self._credits_per_day if creator.credits_per_day is None else creator.credits_per_day
        async with self._store.read() as tx:
            zone = (await settings.read_settings(tx)).timezone
            today = local_day(now_ms, zone or "")
            first = (date.fromisoformat(today) - timedelta(days=TOGETHER_DAYS - 1)).isoformat()
            spent = await usage.credits_by_day(tx, first, today, creator.id, outside=usage.UNLIMITED)
        a_day = whole if before_pings else whole * (1 - RESERVE)
        days = len({*spent, today})
        return max(a_day - spent.get(today, 0.0), a_day * days - sum(spent.values()))

    async def holds_all(self, creator: Creator, payers: int, now_ms: int) -> bool:
        """Whether a day has credits enough to go through all her `payers` by night."""
        whole = self._credits_per_day if creator.credits_per_day is None else creator.credits_per_day
        async with self._store.read() as tx:
            zone = (await settings.read_settings(tx)).timezone
            yesterday = local_day(now_ms - MS_PER_DAY, zone or "")
            spent = await usage.credits_of_day(tx, yesterday, creator.id, outside=(*usage.UNLIMITED, "night"))
        return spent + NIGHT_CALLS + -(-payers // FANS_A_PAGE) <= whole * ROUND_PART

    async def day_ends_at(self, now_ms: int) -> int:
        """The agency's next midnight."""
        async with self._store.read() as tx:
            zone = (await settings.read_settings(tx)).timezone
        return next_midnight(now_ms, zone)


def poll_share(left: float, reserved: float, polls: int) -> int:
    """Whole credits for each of the `polls` still to come today, this one included, `reserved` left alone."""
    return max(0, int((left - reserved) // max(1, polls)))


def next_midnight(now_ms: int, zone: str | None) -> int:
    """The first instant of tomorrow in the zone (None: UTC), in UTC milliseconds."""
    tomorrow = local_time(zone or "UTC", now_ms).date() + timedelta(days=1)
    midnight = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=ZoneInfo(zone or "UTC"))
    return round(midnight.astimezone(UTC).timestamp() * 1_000)
