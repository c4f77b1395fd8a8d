"""The sandbox's clock as far as the bot uses it, without a socket: readings, long polls, settled reports."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import httpx

NOON_MS = 1_772_452_800_000
"""2026-03-02T12:00:00Z."""


class FakeClock:
    """`client` talks to it. `trouble`: down, nonsense, refuses; None: it works."""

    def __init__(self) -> None:
        self.version = 1
        self.now_ms = NOON_MS
        self.rate = 0.0
        self.trouble: str | None = None
        self.settled: list[dict[str, Any]] = []
        self.changed = asyncio.Event()
        self.reported = asyncio.Event()
        self.reads = 0
        self.read = asyncio.Event()
        self.client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.aclose()

    def advance(self, ms: int) -> None:
        """Let time go by: another version."""
        self.now_ms += ms
        self.version += 1
        self.changed.set()
        self.changed = asyncio.Event()

    async def wait_reads(self, at_least: int) -> None:
        """Until the clock was asked that often: whoever asks again has taken in the answer before."""
        while self.reads < at_least:
            self.read.clear()
            await self.read.wait()

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.trouble == "down":
            raise httpx.ConnectError("no clock")
        if self.trouble is not None:
            return httpx.Response(200 if self.trouble == "nonsense" else 503, text="hello")
        if request.url.path.endswith("/settled"):
            self.settled.append(json.loads(request.content))
            self.reported.set()
            return httpx.Response(204)
        self.reads += 1
        self.read.set()
        after = request.url.params.get("after")
        while after is not None and int(after) >= self.version:
            await self.changed.wait()
        now = datetime.fromtimestamp(self.now_ms / 1_000, UTC).isoformat()
        return httpx.Response(200, json={"version": self.version, "now": now, "rate": self.rate})
