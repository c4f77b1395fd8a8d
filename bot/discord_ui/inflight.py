"""Counts what is being answered, so that a shutdown can wait for it; and gives what breaks a number."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

log = structlog.get_logger(__name__)


class InFlight:
    """How many interactions are being worked on now."""

    def __init__(self) -> None:
        self._count = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def count(self) -> int:
        return self._count

    @contextmanager
    def one(self) -> Iterator[None]:
        self._count += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._count -= 1
            if self._count == 0:
                self._idle.set()

    async def drain(self, timeout_s: float) -> bool:
        """Wait until nothing is under way; False where `timeout_s` was not enough."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._idle.wait()
        except TimeoutError:
            log.warning("drain_timed_out", in_flight=self._count)
            return False
        return True


def log_failure(event: str, error: BaseException, **ids: object) -> str:
    """Write the traceback under a reference of four hex digits, which is all that people get to see."""
    ref = secrets.token_hex(2).upper()
    log.error(event, ref=ref, exc_info=error, **ids)
    return ref
