"""Agency time: the clock the bot reads, the control that moves it, and what the bot says when it has caught
up.

A version names one setting of the clock. It rises when time is advanced or the rate changes, never by time
passing. A version is settled once a bot has posted it with no card behind and nothing blocked. A bot that was
killed posts the current version again after its restart, so a wait simply goes on until some bot settles it
or the time is up.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.sandbox.times import MS_PER_S, to_rfc3339

LONG_POLL_S = 25.0
DEFAULT_STEP_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a bot posted last. `blocked` rows are the bot's own words: `{"card", "reason", "until"}`."""

    version: int
    ran: dict[str, int]
    cards_behind: int
    blocked: list[Any]

    @property
    def complete(self) -> bool:
        """Nothing is left to send."""
        return self.cards_behind == 0 and not self.blocked


@dataclass(frozen=True, slots=True)
class Advance:
    """How an advance ended. `ran` adds up the bot's counters over its steps."""

    settled: bool
    wall_ms: float
    ran: dict[str, int] = field(default_factory=dict)


class AgencyClock:
    """Agency time in UTC milliseconds. `rate` is agency seconds per machine second; 0 = it stands."""

    def __init__(
        self, start_at: int, rate: float = 0.0, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._monotonic = monotonic
        self._base_at = start_at
        self._base_mono = monotonic()
        self._rate = rate
        self._version = 1
        self._settlement: Settlement | None = None
        self._on_move: Callable[[], Awaitable[None]] | None = None
        self._unannounced_ms = 0
        self._changed = asyncio.Event()
        self._posted = asyncio.Event()
        self._moving = asyncio.Lock()
        self._closed = False

    @property
    def version(self) -> int:
        return self._version

    @property
    def rate(self) -> float:
        return self._rate

    @property
    def settled(self) -> bool:
        """Whether the current version is settled."""
        last = self._settlement
        return last is not None and last.version == self._version and last.complete

    @property
    def settlement(self) -> Settlement | None:
        """The last post of the current version; None = none yet."""
        last = self._settlement
        return last if last is not None and last.version == self._version else None

    def now(self) -> int:
        """Agency time, UTC milliseconds."""
        if self._rate == 0:
            return self._base_at
        return self._base_at + int((self._monotonic() - self._base_mono) * self._rate * MS_PER_S)

    def state(self) -> dict[str, Any]:
        """What the bot reads at CLOCK_URL."""
        rate = int(self._rate) if float(self._rate).is_integer() else self._rate
        told = to_rfc3339(self.now() - self._unannounced_ms)
        return {"version": self._version, "now": told, "rate": rate}

    def on_move(self, hook: Callable[[], Awaitable[None]]) -> None:
        """`hook` runs once time has moved and before the new version is announced."""
        self._on_move = hook

    async def move(self, advance_ms: int) -> int:
        """Move time forward, let those who follow it catch up, and only then announce the new version.

        Until then whoever reads the clock finds it where it was. A hook that is cancelled or fails announces
        the version all the same: time has moved.
        """
        try:
            if self._on_move is not None:
                self._base_at += advance_ms
                self._unannounced_ms += advance_ms
                await self._on_move()
        finally:
            moved, self._unannounced_ms = self._unannounced_ms, 0
            version = self.change(advance_ms=advance_ms - moved)
        return version

    def change(self, *, advance_ms: int = 0, rate: float | None = None) -> int:
        """Move time forward, or change its rate, and give the new version."""
        now = self.now()
        self._base_at = now + advance_ms
        self._base_mono = self._monotonic()
        if rate is not None:
            self._rate = rate
        self._version += 1
        previous, self._changed = self._changed, asyncio.Event()
        previous.set()
        return self._version

    async def wait_newer(self, version: int, timeout_s: float = LONG_POLL_S) -> None:
        """Return once the version is above `version`, the time is up, or the clock is closed."""
        deadline = self._monotonic() + timeout_s
        while self._version <= version and not self._closed:
            left = deadline - self._monotonic()
            if left <= 0:
                return
            try:
                await asyncio.wait_for(self._changed.wait(), left)
            except TimeoutError:
                return

    def close(self) -> None:
        """Let nobody wait for a newer version any more: an open long poll would hold up the end of the
        server.
        """
        self._closed = True
        self._changed.set()

    def settle(self, settlement: Settlement) -> bool:
        """Take a bot's post; False = it is about another version."""
        if settlement.version != self._version:
            return False
        self._settlement = settlement
        previous, self._posted = self._posted, asyncio.Event()
        previous.set()
        return True

    async def wait_settled(self, timeout_s: float) -> bool:
        """Wait until the current version is settled; False = the time is up first."""
        deadline = self._monotonic() + timeout_s
        while not self.settled:
            left = deadline - self._monotonic()
            if left <= 0:
                return False
            try:
                await asyncio.wait_for(self._posted.wait(), left)
            except TimeoutError:
                return self.settled
        return True

    async def advance(self, total_ms: int, step_ms: int | None, timeout_s: float) -> Advance:
        """Advance in steps, waiting for each to settle; stops at the first that does not within `timeout_s`.

        Zero milliseconds wait for the current version and move nothing. Advances run one after another.
        """
        async with self._moving:
            started = self._monotonic()
            ran: dict[str, int] = {}
            left = total_ms
            settled = True
            if total_ms == 0:
                settled = await self.wait_settled(timeout_s)
            while left > 0 and settled:
                step = min(left, step_ms or left)
                left -= step
                settled = await self.step(step, timeout_s)
                last = self.settlement
                for name, count in (last.ran if last else {}).items():
                    ran[name] = ran.get(name, 0) + count
            return Advance(settled, (self._monotonic() - started) * 1_000, ran)

    async def step(self, step_ms: int, timeout_s: float) -> bool:
        """Move time and wait until the new version is settled; False = the time is up first."""
        deadline = self._monotonic() + timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                await self.move(step_ms)
        except TimeoutError:
            return False
        return await self.wait_settled(deadline - self._monotonic())


class ClockApi:
    """The clock over HTTP: what the bot reads and posts, and the control that moves it."""

    def __init__(self, clock: AgencyClock) -> None:
        self._clock = clock

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/sandbox/clock", self._read)
        app.router.add_post("/sandbox/clock/settled", self._settled)
        app.router.add_post("/sandbox/api/clock", self._control)

    async def _read(self, request: web.Request) -> web.Response:
        after = request.query.get("after")
        if after is not None:
            if not after.isdigit():
                return error(400, "bad_request", "after is a version, a whole number", "after")
            await self._clock.wait_newer(int(after))
        return web.json_response(self._clock.state())

    async def _settled(self, request: web.Request) -> web.Response:
        body = await read_object(request)
        if body is None:
            return error(400, "bad_request", "the body is no JSON object", None)
        blocked, ran = body.get("blocked"), body.get("ran", {})
        for name in ("version", "cards_behind"):
            if not _is_count(body.get(name)):
                return error(400, "bad_request", f"{name} is a whole number", name)
        if not isinstance(blocked, list):
            return error(400, "bad_request", "blocked is a list", "blocked")
        if not isinstance(ran, dict) or not all(_is_count(count) for count in ran.values()):
            return error(400, "bad_request", "ran is an object of whole numbers", "ran")
        settlement = Settlement(body["version"], dict(ran), body["cards_behind"], blocked)
        if not self._clock.settle(settlement):
            return error(409, "old_version", f"the clock is at version {self._clock.version}", "version")
        return web.json_response({"version": self._clock.version, "settled": self._clock.settled})

    async def _control(self, request: web.Request) -> web.Response:
        body = await read_object(request)
        if body is None:
            return error(400, "bad_request", "the body is no JSON object", None)
        unknown = set(body) - {"advance_s", "step_s", "timeout_s", "rate"}
        if unknown:
            name = sorted(unknown)[0]
            return error(400, "bad_request", f"no such field: {name}", name)
        for name in ("advance_s", "step_s", "timeout_s", "rate"):
            value = body.get(name)
            if value is not None and not (_is_number(value) and value >= 0):
                return error(400, "bad_request", f"{name} is a number of at least 0", name)
        advance_s, step_s, rate = body.get("advance_s"), body.get("step_s"), body.get("rate")
        if advance_s is None and rate is None:
            return error(400, "bad_request", "advance_s or rate is needed", "advance_s")
        if step_s == 0:
            return error(400, "bad_request", "step_s is above 0", "step_s")
        timeout_s = body.get("timeout_s")
        if rate is not None:
            self._clock.change(rate=float(rate))
        done = Advance(self._clock.settled, 0.0)
        if advance_s is not None:
            step_ms = None if step_s is None else max(1, round(step_s * MS_PER_S))
            limit = DEFAULT_STEP_TIMEOUT_S if timeout_s is None else float(timeout_s)
            done = await self._clock.advance(round(advance_s * MS_PER_S), step_ms, limit)
        return web.json_response(
            {
                "now": to_rfc3339(self._clock.now()),
                "version": self._clock.version,
                "settled": done.settled,
                "ran": done.ran,
                "wall_ms": round(done.wall_ms, 1),
            }
        )


def error(status: int, code: str, message: str, field_name: str | None) -> web.Response:
    """An error of the control API."""
    body = {"error": {"code": code, "message": message, "field": field_name}}
    return web.json_response(body, status=status)


async def read_object(request: web.Request) -> dict[str, Any] | None:
    """The request's JSON object; None = it is something else."""
    try:
        body = json.loads(await request.read())
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
