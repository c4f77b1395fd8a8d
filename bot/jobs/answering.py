"""Which cards' messages are just being changed by the answer to a press: an edit beside it would be one too many."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

LONGEST_S = 5.0
"""An answer that takes longer keeps delivery waiting no more: Discord may not have been reached at all."""


class Answering:
    """The presses under way, by card. What delivery owes to their cards it owes afterwards."""

    def __init__(self, now_s: Callable[[], float] = monotonic) -> None:
        self._now_s = now_s
        self._presses: dict[object, tuple[int, float]] = {}

    @contextmanager
    def of(self, card_id: int) -> Iterator[None]:
        """For as long as a press is decided and answered on the card's own message."""
        press = object()
        self._presses[press] = (card_id, self._now_s() + LONGEST_S)
        try:
            yield
        finally:
            del self._presses[press]

    def card_ids(self) -> frozenset[int]:
        now = self._now_s()
        return frozenset(card_id for card_id, until in self._presses.values() if now < until)
