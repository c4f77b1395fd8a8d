"""When things run: APScheduler only ticks, what is due is in our tables, so a restart loses nothing."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC
from typing import Protocol

import structlog
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.clock import BlockedCard, Clock, RemoteClock

log = structlog.get_logger(__name__)

_AGAIN_S = 0.05
"""Machine time between two looks at cards that are behind, while settling."""

TICK_S = 1.0


class DueWork(Protocol):
    """A job whose due work is in the database."""

    async def run_due(self, now_ms: int) -> dict[str, int]:
        """Do what is due at `now_ms`; how often each kind ran. Empty: nothing was due."""
        ...


class Outbox(Protocol):
    """What brings Discord in line with the cards."""

    async def wake(self) -> None: ...

    async def drain(self) -> None:
        """Return when no card is behind but those that are blocked."""
        ...

    async def count_behind(self) -> int: ...

    async def list_blocked(self) -> list[BlockedCard]: ...


class Ticker:
    """One tick at a time: each job's due work, then the outbox."""

    def __init__(
        self,
        clock: Clock,
        jobs: list[DueWork],
        outbox: Outbox,
        *,
        on_tick: Callable[[float], None] | None = None,
    ) -> None:
        """`on_tick` hears how many seconds each tick took."""
        self._clock = clock
        self._jobs = jobs
        self._outbox = outbox
        self._on_tick = on_tick
        self._lock = asyncio.Lock()
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._following: asyncio.Task[None] | None = None
        self._settling: set[asyncio.Task[None]] = set()
        self._stopping = False
        self.overruns = 0

    def start(self) -> None:
        """Tick each second from now on, and at each version of a remote clock."""
        self._scheduler.add_job(
            self._scheduled_tick,
            "interval",
            seconds=TICK_S,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
        self._scheduler.add_listener(
            self._on_event, EVENT_JOB_ERROR | EVENT_JOB_MAX_INSTANCES | EVENT_JOB_MISSED
        )
        self._scheduler.start()
        if isinstance(self._clock, RemoteClock):
            self._following = asyncio.create_task(self._clock.follow(self._start_settling), name="clock")

    async def stop(self) -> None:
        """No tick starts after this; the one under way is cut off where it is: what it owes is in the tables."""
        self._stopping = True
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        followers = [*self._settling, *([self._following] if self._following else [])]
        for task in followers:
            task.cancel()
        await asyncio.gather(*followers, return_exceptions=True)
        async with self._lock:
            pass

    async def tick(self) -> Counter[str]:
        """Run what is due now. A job that fails is logged and does not keep the others from running."""
        ran: Counter[str] = Counter()
        async with self._lock:
            began, version = time.monotonic(), self._version()
            for job in self._jobs:
                if self._version() != version:
                    # The clock has jumped: by its new time the jobs begin in their order, a digest after the sync, in
                    # the tick that settles it.
                    break
                try:
                    ran.update(await job.run_due(self._clock.now_ms()))
                except Exception:
                    log.exception("job_failed", job=type(job).__name__)
            await self._outbox.wake()
            if self._on_tick is not None:
                self._on_tick(time.monotonic() - began)
        return ran

    def _version(self) -> int | None:
        """Of a remote clock the number of its jumps; None: it never jumps."""
        return self._clock.version if isinstance(self._clock, RemoteClock) else None

    async def _scheduled_tick(self) -> None:
        try:
            await self.tick()
        except asyncio.CancelledError:
            # The scheduler cancels what runs when it shuts down, and would report it as an error of the job.
            if not self._stopping:
                raise

    async def _start_settling(self, version: int) -> None:
        # A task of its own: the clock must hear of the next version while this one waits for Discord.
        task = asyncio.create_task(self._settle(version), name=f"settle-{version}")
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    async def _settle(self, version: int) -> None:
        clock = self._clock
        assert isinstance(clock, RemoteClock)  # noqa: S101 - only a remote clock has versions
        ran: Counter[str] = Counter()
        while clock.version == version:
            step = await self.tick()
            ran.update(step)
            if step:
                continue
            await self._outbox.drain()
            behind = await self._outbox.count_behind()
            blocked = await self._outbox.list_blocked()
            if behind and not blocked:
                # A press is just being answered: its card is due when that has ended.
                await asyncio.sleep(_AGAIN_S)
                continue
            await clock.post_settled(version, dict(ran), behind, blocked)
            return

    def _on_event(self, event: JobEvent) -> None:
        # EVENT_JOB_MAX_INSTANCES: a tick is still running; the next one finds the same due work.
        if event.code == EVENT_JOB_ERROR:
            log.error("tick_failed", exc_info=getattr(event, "exception", None))
        else:
            self.overruns += 1
