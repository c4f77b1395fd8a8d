"""The data API's accounts for people who choose one: asked seldom, and silent where the API does not answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from bot.domain.models import AccountRecord
from bot.fanapi.errors import FanApiError

log = structlog.get_logger(__name__)

KEEP_S = 60.0
"""How long a list counts as fresh: a call costs a credit, and typing asks at every pause."""
ANSWER_WITHIN_S = 2.0
"""Somebody waits in front of a menu, and Discord only for three seconds."""


class AccountSource(Protocol):
    """The part of the data API that lists connections."""

    async def list_accounts(self) -> list[AccountRecord]: ...


class Accounts:
    """Implements `bot.services.ports.AccountLister`."""

    def __init__(self, api: AccountSource, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._monotonic = monotonic
        self._kept: list[AccountRecord] = []
        self._kept_at: float | None = None
        self._lock = asyncio.Lock()

    async def list_accounts(self, *, fresh: bool = False) -> list[AccountRecord] | None:
        """All connections of the key, at most a minute old; `fresh`: as they are now. None: no answer."""
        async with self._lock:
            if not fresh and self._kept_at is not None and self._monotonic() - self._kept_at < KEEP_S:
                return list(self._kept)
            try:
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    self._kept = await self._api.list_accounts()
            except (FanApiError, TimeoutError) as error:
                log.info("accounts_not_listed", error=type(error).__name__)
                return None
            self._kept_at = self._monotonic()
            return list(self._kept)
