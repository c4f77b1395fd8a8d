"""What happened to the subscriptions, as the agency's own people lived it: no API shows it, tests compare with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Event = Literal[
    "subscribed",
    "rebilled",
    "cancelled",
    "switched_on",
    "expired",
    "resubscribed",
    "trial_started",
    "trial_converted",
]
"""`cancelled`: rebill is switched off, though the period runs on; `switched_on`: on again before its end. A trial
starts instead of a subscription and converts instead of a rebill.
"""


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of one fan's subscription to one creator."""

    account_id: str
    fan_id: int
    event: Event
    at: int
