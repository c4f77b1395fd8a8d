"""How fast one key may ask, and how long a failed request waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

BACKOFF_FIRST_S = 1.0
BACKOFF_CAP_S = 30.0

Sleep = Callable[[float], Awaitable[object]]


class TokenBucket:
    """Spaces the requests of one key so that no 60 seconds hold more than `per_minute`. First come, first
    served.

    About a second's worth may go at once; `hold` stops everybody, as a 429 is for the whole key.
    """

    def __init__(self, per_minute: int, monotonic: Callable[[], float], sleep: Sleep) -> None:
        if per_minute < 1:
            raise ValueError("at least one request a minute is needed")
        self._burst = max(1.0, per_minute / 60)
        # What a full bucket gives at once counts within its minute too.
        self._per_second = max(per_minute - self._burst, per_minute / 2) / 60
        self._monotonic = monotonic
        self._sleep = sleep
        self._tokens = self._burst
        self._at = monotonic()
        self._held_until = self._at

    async def take(self) -> None:
        """Wait for a turn. A cancelled waiter gives its turn back."""
        now = self._monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_second)
        self._at = now
        self._tokens -= 1
        wait = max(-self._tokens / self._per_second, self._held_until - now)
        try:
            while wait > 0:
                await self._sleep(wait)
                # Held meanwhile by the answer to somebody else's request.
                wait = self._held_until - self._monotonic()
        except asyncio.CancelledError:
            self._tokens += 1
            raise

    def hold(self, seconds: float) -> None:
        """Let nobody go for that long from now."""
        self._held_until = max(self._held_until, self._monotonic() + seconds)


def backoff_s(failures: int, random: Callable[[], float]) -> float:
    """The wait after the n-th failure in a row (from 1): doubling, capped, spread over its upper half by
    `random`.
    """
    full = min(BACKOFF_CAP_S, BACKOFF_FIRST_S * 2.0 ** (failures - 1))
    return full * (0.5 + 0.5 * random())
