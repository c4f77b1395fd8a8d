"""Agency time: what fans live in. The system's by default, another process's where CLOCK_URL is set."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import httpx
import msgspec
import structlog

log = structlog.get_logger(__name__)

LONG_POLL_S = 25.0


class Clock(Protocol):
    """Where the time comes from; jobs and services get it through their constructor."""

    def now_ms(self) -> int:
        """Agency time in UTC milliseconds."""
        ...


class SystemClock:
    """The machine's own time."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class ClockUnreachableError(Exception):
    """CLOCK_URL did not answer with a clock at start."""


class _Reading(msgspec.Struct, frozen=True):
    version: int
    now: str
    rate: float


class _Settled(msgspec.Struct, frozen=True):
    version: int
    ran: dict[str, int]
    cards_behind: int
    blocked: list[dict[str, str | None]]


@dataclass(frozen=True, slots=True)
class BlockedCard:
    """A card that cannot be delivered now. `until` is agency ms, None: until somebody mends it."""

    card: str
    reason: str
    until: str | None


class RemoteClock:
    """Another process's clock (CLOCK_URL). While its rate is above 0, time runs on between its answers.

    If it can no longer be reached, time stands still at the last answer and is asked for each second.
    """

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self._url = url
        self._client = client
        self._version = -1
        self._base_ms = 0
        self._rate = 0.0
        self._read_at_s = 0.0
        self._lost = False

    @property
    def version(self) -> int:
        return self._version

    def now_ms(self) -> int:
        if self._rate <= 0 or self._lost:
            return self._base_ms
        return self._base_ms + int((time.monotonic() - self._read_at_s) * self._rate * 1000)

    async def start(self) -> None:
        """Read the time once. Raises ClockUnreachableError."""
        try:
            async with asyncio.timeout(10):
                await self._read(None)
        except (httpx.HTTPError, TimeoutError, msgspec.MsgspecError, ValueError) as error:
            raise ClockUnreachableError(f"CLOCK_URL does not answer ({type(error).__name__})") from error

    async def follow(self, on_version: Callable[[int], Awaitable[None]]) -> None:
        """Call `on_version` for each version, the one read at start included, until cancelled."""
        await on_version(self._version)
        while True:
            try:
                before = self._version
                async with asyncio.timeout(LONG_POLL_S + 15):
                    await self._read(before)
            except (httpx.HTTPError, TimeoutError, msgspec.MsgspecError, ValueError) as error:
                if not self._lost:
                    self._base_ms, self._lost = self.now_ms(), True
                    log.warning("clock_lost", error=type(error).__name__)
                await asyncio.sleep(1)
                continue
            if self._version != before:
                await on_version(self._version)

    async def post_settled(
        self, version: int, ran: dict[str, int], cards_behind: int, blocked: list[BlockedCard]
    ) -> None:
        """Say that nothing is due any more at `version`; an old version or a lost clock is not an error."""
        body = _Settled(
            version,
            ran,
            cards_behind,
            [{"card": b.card, "reason": b.reason, "until": b.until} for b in blocked],
        )
        try:
            await self._client.post(
                f"{self._url}/settled",
                content=msgspec.json.encode(body),
                headers={"Content-Type": "application/json"},
                timeout=10,
            )
        except httpx.HTTPError as error:
            log.warning("clock_settle_failed", error=type(error).__name__)

    async def _read(self, after: int | None) -> None:
        params = {} if after is None else {"after": str(after)}
        answer = await self._client.get(self._url, params=params, timeout=LONG_POLL_S + 10)
        answer.raise_for_status()
        reading = msgspec.json.decode(answer.content, type=_Reading)
        now = msgspec.convert(reading.now, type=datetime).timestamp()
        self._base_ms = round(now * 1000)
        self._rate = reading.rate
        self._read_at_s = time.monotonic()
        self._version = reading.version
        self._lost = False
