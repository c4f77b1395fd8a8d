"""What goes wrong with which event: as planted by a fault, or by the sample agency of its own accord."""

from __future__ import annotations

from typing import Literal

from bot.sandbox.faults import WEBHOOK_FAULTS, Faults
from bot.sandbox.webhooks.events import VendorEvent

Trouble = Literal["duplicate", "reorder", "bad_signature", "drop", "no_user", "no_key"]

DUPLICATE_EVERY, REORDER_EVERY, FORGE_EVERY = 10, 15, 40
_REORDER_AT, _FORGE_AT = 7, 11
"""Chosen so that no event has two of them: their remainders by 5 differ."""


class Mischief:
    """Says it for one endpoint, event by event. `own` = the agency does its part unasked, by seed and number."""

    def __init__(self, faults: Faults, seed: int, *, own: bool) -> None:
        self._faults = faults
        self._seed = seed
        self._own = own
        self._number = 0

    def next(self, event: VendorEvent) -> tuple[Trouble | None, bool]:
        """What goes wrong with the next event, and whether somebody forges one just before it."""
        self._number += 1
        place = self._number + self._seed
        forged = self._own and place % FORGE_EVERY == _FORGE_AT
        fault = self._faults.take("fanapi", "POST", event.name, {"webhook"})
        if fault is not None:
            chosen: Trouble = next(name for name in WEBHOOK_FAULTS if fault.args.get(name))
            return chosen, forged
        if self._own and place % DUPLICATE_EVERY == 0:
            return "duplicate", forged
        if self._own and place % REORDER_EVERY == _REORDER_AT:
            return "reorder", forged
        return None, forged
