"""What an episode's columns are before anybody has snoozed or closed it."""

from __future__ import annotations

AWAKE: dict[str, object] = {
    "snoozed_until": None,
    "snoozed_by": None,
    "snooze_score": None,
    "snooze_shift": False,
    "snooze_reason": None,
}
"""What an episode's columns are that nobody has snoozed."""
NO_OUTCOME: dict[str, object] = {
    "outcome": None,
    "rests_until": None,
    "rest_score": None,
    "rest_tier": None,
}
"""What they are where nobody has closed it with an outcome."""
