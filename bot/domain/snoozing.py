"""Alerts that sleep, and up to when by what somebody chose. Pure: no clock, no storage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.desk import Snooze
from bot.domain.models import MS_PER_DAY, MS_PER_HOUR, AlertTier
from bot.domain.shifts import PlannedShift, next_start
from bot.domain.views import FanLabel

SHIFT_LOOK_MS = 7 * MS_PER_DAY
"""A planned start further away is nobody's next shift."""
UNPLANNED_SHIFT_MS = MS_PER_DAY
"""How long it sleeps at most until a next shift that nobody has planned."""


class SnoozeFor(StrEnum):
    """What the buttons offer; written to the event of the snooze as it is, `custom` for a time in words."""

    HOUR = "1h"
    SHIFT = "shift"
    DAYS = "3d"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class Sleeper:
    """An episode as somebody who would snooze or wake it finds it. `fan`: the platform's names, hostile text."""

    episode_id: int
    creator_id: int
    fan_account_id: int
    fan: FanLabel
    tier: AlertTier | None
    """None: it is closed."""
    score: float
    claimed_by: int | None
    card_id: int | None
    snooze: Snooze | None


_SPANS = {SnoozeFor.HOUR: MS_PER_HOUR, SnoozeFor.DAYS: 3 * MS_PER_DAY}


def until(choice: SnoozeFor, user_id: int, planned: Iterable[PlannedShift], now_ms: int) -> int:
    """The instant at which it ends at the latest. `planned`: over all creators, other people's are left out.

    Raises ValueError for `CUSTOM`, which says its instant itself.
    """
    if choice is SnoozeFor.SHIFT:
        coming = next_start([shift for shift in planned if shift.user_id == user_id], now_ms)
        if coming is None or coming.starts_at - now_ms > SHIFT_LOOK_MS:
            return now_ms + UNPLANNED_SHIFT_MS
        return coming.starts_at
    if choice not in _SPANS:
        raise ValueError(f"{choice} has no span of its own")
    return now_ms + _SPANS[choice]
