"""Ids of rows: 63-bit integers that rise with time.

41 bits of milliseconds since 2024-01-01 UTC, 10 of node, 12 of sequence. The time is the machine's, also where the
agency's clock is simulated.
"""

from __future__ import annotations

import time
from collections.abc import Callable

EPOCH_MS = 1_704_067_200_000
"""2024-01-01T00:00:00Z."""
_NODE_BITS = 10
_SEQUENCE_BITS = 12
_TIME_SHIFT = _NODE_BITS + _SEQUENCE_BITS
_LAST_SEQUENCE = (1 << _SEQUENCE_BITS) - 1


def machine_ms() -> int:
    """The machine's clock in UTC milliseconds."""
    return time.time_ns() // 1_000_000


def wall_ms_of(row_id: int) -> int:
    """The machine time in UTC milliseconds at which the id was made, up to the drift of a burst."""
    return (row_id >> _TIME_SHIFT) + EPOCH_MS


def first_id_at(wall_ms: int) -> int:
    """Below every id made at that machine time or later; 0 for times before there were ids."""
    return max(0, wall_ms - EPOCH_MS) << _TIME_SHIFT


class IdFactory:
    """Makes the ids of one process. `node`, 0 to 1023, tells apart processes that write to one database."""

    __slots__ = ("_clock_ms", "_last_ms", "_node", "_sequence")

    def __init__(self, node: int = 0, clock_ms: Callable[[], int] = machine_ms) -> None:
        if not 0 <= node < 1 << _NODE_BITS:
            raise ValueError("node must be from 0 to 1023")
        self._node = node << _SEQUENCE_BITS
        self._clock_ms = clock_ms
        self._last_ms = 0
        self._sequence = 0

    def next(self) -> int:
        """A new id, larger than every one before, also where the clock has stepped back or a burst outruns it."""
        now = self._clock_ms() - EPOCH_MS
        if now > self._last_ms:
            self._last_ms = now
            self._sequence = 0
        elif self._sequence < _LAST_SEQUENCE:
            self._sequence += 1
        else:
            self._last_ms += 1
            self._sequence = 0
        return self._last_ms << _TIME_SHIFT | self._node | self._sequence
