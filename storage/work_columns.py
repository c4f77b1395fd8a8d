"""What an episode's columns are before anybody has snoozed or closed it, and its timers."""

from __future__ import annotations

from bot.domain.models import AlertTier

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


def clocks(tier: str | None, now_ms: int, *, claimed: bool, remind_ms: int = 0) -> dict[str, object]:
    """The timer columns of an open episode that is claimed, given back or woken now. `remind_ms` 0: never reminded."""
    waits = tier == AlertTier.ACTION and not claimed
    return {
        "escalate_from_at": now_ms if waits else None,
        "escalation_stage": 0,
        "remind_at": now_ms + remind_ms if claimed and remind_ms > 0 else None,
        "ping_state": None,
        "ping_due_at": None,
    }
