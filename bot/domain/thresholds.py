"""From when on a creator's fans are at risk: what may be set, and the policy that follows from it."""

from __future__ import annotations

from bot.domain.models import Policy

LOWEST, HIGHEST = 0.0, 100.0
LEAST_GAP = 5.0
"""Score points that the action threshold must be more than above the at-risk one."""
HYSTERESIS = 10.0
"""Score points below a threshold at which what it opened closes again."""

_PRODUCT = Policy()


def policy_of(fire_above: float | None, action_above: float | None) -> Policy:
    """The policy of one creator; None: she has no threshold of her own."""
    fire = _PRODUCT.fire_above if fire_above is None else fire_above
    action = _PRODUCT.action_above if action_above is None else action_above
    return Policy(
        fire_above=fire,
        # Below 10 nothing would ever clear: scores do not go below 0.
        clear_below=max(fire - HYSTERESIS, fire / 2),
        action_above=action,
        action_clear_below=max(action - HYSTERESIS, action / 2),
    )


def problem_with(fire_above: float, action_above: float) -> str | None:
    """What is wrong with a pair of thresholds, as a sentence; None for nothing."""
    for value in (fire_above, action_above):
        if not LOWEST <= value <= HIGHEST:
            return f"A threshold is a score from {LOWEST:.0f} to {HIGHEST:.0f}, not {value:g}."
    if action_above <= fire_above + LEAST_GAP:
        return (
            f"The action threshold ({action_above:g}) must be more than {LEAST_GAP:.0f} points above the at-risk one"
            f" ({fire_above:g})."
        )
    return None
