"""What is going to happen in the sample agency: moments in agency time, taken strictly in order."""

from __future__ import annotations

import heapq
from collections.abc import Callable

Happening = Callable[[int], None]
"""Called with its own moment, UTC ms; may plan what follows from it."""


class Timeline:
    """Happenings in order of time, then of planning, so that the size of a jump changes nothing."""

    def __init__(self) -> None:
        self._planned: list[tuple[int, int, Happening]] = []
        self._number = 0

    def plan(self, at: int, happening: Happening) -> None:
        self._number += 1
        heapq.heappush(self._planned, (at, self._number, happening))

    def advance(self, now: int) -> None:
        """Let everything up to and including `now` happen."""
        while self._planned and self._planned[0][0] <= now:
            at, _, happening = heapq.heappop(self._planned)
            happening(at)
