"""The cards that a press is being answered with: their answer shows them as they become, so delivery need not edit them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Answering:
    """Which cards are being answered with now."""

    def __init__(self) -> None:
        self._ends: dict[int, list[asyncio.Event]] = {}

    @contextmanager
    def one(self, card_id: int) -> Iterator[None]:
        ended = asyncio.Event()
        self._ends.setdefault(card_id, []).append(ended)
        try:
            yield
        finally:
            ended.set()
            self._ends[card_id].remove(ended)
            if not self._ends[card_id]:
                del self._ends[card_id]

    async def wait(self, card_id: int, timeout_s: float) -> bool:
        """Whether an answer was under way and has ended. False: there was none, or it takes longer than `timeout_s`."""
        ends = self._ends.get(card_id)
        if not ends:
            return False
        try:
            async with asyncio.timeout(timeout_s):
                await ends[0].wait()
        except TimeoutError:
            return False
        return True
