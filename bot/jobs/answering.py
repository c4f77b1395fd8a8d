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
        self._mixed: set[int] = set()

    @contextmanager
    def of(self, card_id: int) -> Iterator[None]:
        """For as long as a press is decided and answered on the card's own message."""
        press = object()
        if self._is_pressed(card_id):
            self._mixed.add(card_id)
        self._presses[press] = (card_id, self._now_s() + LONGEST_S)
        try:
            yield
        finally:
            del self._presses[press]
            if not self._is_pressed(card_id):
                self._mixed.discard(card_id)

    def is_shared(self, card_id: int) -> bool:
        """Whether presses on it overlap: which of their answers Discord shows last is not known."""
        return card_id in self._mixed

    def _is_pressed(self, card_id: int) -> bool:
        return any(pressed == card_id for pressed, _ in self._presses.values())

    def card_ids(self) -> frozenset[int]:
        now = self._now_s()
        return frozenset(card_id for card_id, until in self._presses.values() if now < until)
