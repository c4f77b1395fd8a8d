"""Who may do what: roles become tiers, and a higher tier may all that a lower one may."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.domain.models import AccessTier


def tier_of(role_ids: Iterable[int], role_tiers: Mapping[int, AccessTier]) -> AccessTier:
    """The highest tier that any of a person's roles is mapped to, NONE where none is."""
    return max((role_tiers.get(role_id, AccessTier.NONE) for role_id in role_ids), default=AccessTier.NONE)


def may(viewer_tier: AccessTier, needed: AccessTier) -> bool:
    return viewer_tier >= needed


def refusal(needed: AccessTier) -> str:
    """The sentence for somebody whose tier is too low. `needed` is never NONE: that refuses nobody."""
    if needed is AccessTier.NONE:
        raise ValueError("nobody is refused for lack of no tier at all")
    role = f"This needs the {needed.name.lower()} role"
    return f"{role}." if needed is max(AccessTier) else f"{role} or higher."
