"""Discord's rate limits on REST: fixed windows per bucket, and one for the whole bot."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .errors import ApiError

VIA: Final = "1.1 google"
"""Without this header discord.py takes a 429 for a ban by Cloudflare."""

_GLOBAL_LIMIT: Final = 50
_GLOBAL_WINDOW_S: Final = 1.0
_BUCKET_LIMIT: Final = 5
_BUCKET_WINDOW_S: Final = 5.0


@dataclass(slots=True)
class _Window:
    limit: int
    length_s: float
    ends_at: float = 0.0
    used: int = 0

    def spend(self, now: float) -> bool:
        """Takes one request from the window; False = there is none left in it."""
        if now >= self.ends_at:
            self.ends_at = now + self.length_s
            self.used = 0
        if self.used >= self.limit:
            return False
        self.used += 1
        return True


class RateLimits:
    """`wire_speed` divides the length of every window. `clock` is monotonic, `now` seconds since 1970."""

    def __init__(self, *, wire_speed: float, clock: Callable[[], float], now: Callable[[], float]) -> None:
        self._speed = wire_speed
        self._clock = clock
        self._now = now
        self._whole = _Window(_GLOBAL_LIMIT, _GLOBAL_WINDOW_S / wire_speed)
        self._buckets: dict[tuple[str, int], _Window] = {}

    def check(self, bucket: str | None, major: int) -> dict[str, str]:
        """Counts a request and gives the headers of its bucket, if it has one; raises the 429 it deserves."""
        now = self._clock()
        if not self._whole.spend(now):
            raise limited(self._whole.ends_at - now, everywhere=True)
        if bucket is None:
            return {}
        window = self._buckets.setdefault(
            (bucket, major), _Window(_BUCKET_LIMIT, _BUCKET_WINDOW_S / self._speed)
        )
        allowed = window.spend(now)
        left = window.ends_at - now
        headers = {
            "X-RateLimit-Limit": str(window.limit),
            "X-RateLimit-Remaining": str(window.limit - window.used),
            "X-RateLimit-Reset": f"{self._now() + left:.3f}",
            "X-RateLimit-Reset-After": f"{left:.3f}",
            "X-RateLimit-Bucket": hashlib.blake2s(bucket.encode(), digest_size=16).hexdigest(),
        }
        if not allowed:
            raise limited(left, everywhere=False, headers=headers)
        return headers


def limited(
    retry_after_s: float,
    *,
    everywhere: bool,
    headers: Mapping[str, str] | None = None,
    code: int = 0,
    message: str = "You are being rate limited.",
) -> ApiError:
    """The 429 of a bucket, or of the whole bot."""
    wait = round(max(retry_after_s, 0.001), 3)
    body: dict[str, Any] = {"message": message, "retry_after": wait, "global": everywhere}
    if code:
        body["code"] = code
    sent = {
        "Via": VIA,
        "Retry-After": str(max(1, round(wait))),
        "X-RateLimit-Scope": "global" if everywhere else "user",
    }
    if everywhere:
        sent["X-RateLimit-Global"] = "true"
    return ApiError(429, body, sent | dict(headers or {}))
