"""Snowflakes of machine time, and times as Discord writes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

EPOCH_MS: Final = 1_420_070_400_000


class Snowflakes:
    """Makes ids that always rise, also when the clock does not."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._last = 0

    def make(self) -> int:
        made = (int(self._now() * 1000) - EPOCH_MS) << 22
        if made <= self._last:
            # 2**22 ids fit in a millisecond here: worker and process bits are ours to count with.
            made = self._last + 1
        self._last = made
        return made


def created_at(snowflake: int) -> float:
    """Machine time in seconds since 1970."""
    return ((snowflake >> 22) + EPOCH_MS) / 1000


def stamp(seconds: float) -> str:
    """As in Discord's JSON: microseconds and +00:00."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
