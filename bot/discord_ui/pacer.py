"""Keeps the bot below Discord's global limit: a refused request costs more than a short wait.

Discord allows 50 requests a second and a bot; discord.py does not pace before the first 429. Answers to interactions
do not count toward the limit and must be quick, so they pass at once.
"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import aiohttp

REQUESTS_PER_S = 40.0


class Pacer:
    """Spaces requests evenly, first come first served."""

    def __init__(self, requests_per_s: float = REQUESTS_PER_S) -> None:
        self._gap_s = 1.0 / requests_per_s
        self._next_s = 0.0

    async def wait(self) -> None:
        """Return when the next request may start."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        slot = max(now, self._next_s)
        self._next_s = slot + self._gap_s
        if slot > now:
            await asyncio.sleep(slot - now)

    def trace_config(self) -> aiohttp.TraceConfig:
        """The hook for `discord.Client(http_trace=...)`."""
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self._on_request_start)
        trace.freeze()
        return trace

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
