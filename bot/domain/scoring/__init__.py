"""The registry of score models and their public door, `score_profiles`. Pure: no clock, no database.

A new model is a module with the names of `Model` and one line in `MODELS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from bot.domain.scoring import reference
from bot.domain.scoring.base import Model, Profile, ProfileError, Scored, UnknownModelError
from bot.domain.scoring.profiles import read_profile

MODELS: Mapping[str, Model] = MappingProxyType({reference.NAME: reference})
AUTO = "auto"


def get_model(name: str) -> Model:
    """The model of that name, exactly as written. Raises UnknownModelError.

    `auto` is whichever model is best for the agency; as long as `reference` is the only one, that is it.
    """
    model = MODELS.get(reference.NAME if name == AUTO else name)
    if model is None:
        raise UnknownModelError(name, (AUTO, *MODELS))
    return model


def score_profiles(
    profiles: Sequence[Mapping[str, object]], model: str = reference.NAME
) -> list[dict[str, object]]:
    """Score one creator's fans: mappings in, mappings out, in the same order.

    In: fan_id, total_spend, spend_30d, spend_prior_30d (dollars), days_since_active, message_count_30d,
    ppv_open_rate (0 to 1), subscription_status; missing or None is unknown, other fields are ignored.
    Out: fan_id, churn_risk, ltv, engagement, upsell, loyalty (0 to 100), churn_probability (0 to 1), each
    None where the model has no such value or its input is unknown; reasons, a list of {code, points} that
    add up to churn_risk. Raises UnknownModelError, and ProfileError for the first profile that cannot be
    read.
    """
    chosen = get_model(model)
    checked = [read_profile(raw, position) for position, raw in enumerate(profiles, start=1)]
    return [
        {
            "fan_id": profile.fan_id,
            "churn_risk": scored.scores.churn_risk,
            "ltv": scored.scores.ltv,
            "engagement": scored.scores.engagement,
            "upsell": scored.scores.upsell,
            "loyalty": scored.scores.loyalty,
            "churn_probability": scored.scores.churn_probability,
            "reasons": [{"code": reason.code, "points": reason.points} for reason in scored.reasons],
        }
        for profile, scored in zip(checked, chosen.score_profiles(checked), strict=True)
    ]


__all__ = [
    "AUTO",
    "MODELS",
    "Model",
    "Profile",
    "ProfileError",
    "Scored",
    "UnknownModelError",
    "get_model",
    "score_profiles",
]
