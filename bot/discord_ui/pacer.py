"""Keeps the bot below Discord's global limit: a refused request costs more than a short wait.

Discord allows 50 requests a second and a bot; discord.py does not pace before the first 429. Answers to interactions
do not count toward the limit and must be quick, so they pass at once. Of the others the most urgent goes first, whatever
its channel.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum
from heapq import heappop, heappush
from types import SimpleNamespace

import aiohttp

from bot.discord_ui.old_edits import refuse_to_wait

REQUESTS_PER_S = 40.0


class Turn(IntEnum):
    """Who goes first; within a turn, who came first."""

    NOW = 0
    """What calls somebody, and what somebody waits for."""
    WORK = 1
    """A message that is new and somebody's work, but calls nobody."""
    NEWS = 2
    """Any other message that is new and silent."""
    REST = 3
    """Edits: what they change is somewhere already."""


_turn: ContextVar[Turn] = ContextVar("turn", default=Turn.NOW)


@contextmanager
def taking(turn: Turn) -> Iterator[None]:
    """Requests made in here wait for this turn; those made elsewhere are `NOW`."""
    token = _turn.set(turn)
    try:
        yield
    finally:
        _turn.reset(token)


def present_turn() -> Turn:
    """The turn that a request made here would wait for."""
    return _turn.get()


class Pacer:
    """Spaces requests evenly: the most urgent first, then first come first served."""

    def __init__(self, requests_per_s: float = REQUESTS_PER_S) -> None:
        self._gap_s = 1.0 / requests_per_s
        self._next_s = 0.0
        self._came = 0
        self._waiting: list[tuple[Turn, int, asyncio.Future[None]]] = []
        self._timer: asyncio.TimerHandle | None = None

    async def wait(self) -> None:
        """Return when the next request may start."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        if not self._waiting and now >= self._next_s:
            self._next_s = now + self._gap_s
            return
        ticket: asyncio.Future[None] = loop.create_future()
        self._came += 1
        heappush(self._waiting, (present_turn(), self._came, ticket))
        self._arm(loop)
        await ticket

    def trace_config(self) -> aiohttp.TraceConfig:
        """The hooks for `discord.Client(http_trace=...)`."""
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self._on_request_start)
        trace.on_request_end.append(refuse_to_wait)
        trace.freeze()
        return trace

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is None:
            self._timer = loop.call_at(self._next_s, self._let_one, loop)

    def _let_one(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        while self._waiting:
            ticket = heappop(self._waiting)[2]
            if ticket.done():
                # Whoever waited has been cancelled.
                continue
            ticket.set_result(None)
            # A loop that was held up catches up by one request, not by a burst.
            self._next_s = max(self._next_s, loop.time() - self._gap_s) + self._gap_s
            break
        if self._waiting:
            self._arm(loop)

    async def _on_request_start(
        self,
        session: aiohttp.ClientSession,
        context: SimpleNamespace,
        params: aiohttp.TraceRequestStartParams,
    ) -> None:
        path = params.url.path
        if "/interactions/" in path or "/webhooks/" in path or params.url.scheme in ("ws", "wss"):
            return
        await self.wait()
