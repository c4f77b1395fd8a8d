"""The published formula, kept to 1e-6 with its quirks.

It gives no upsell, loyalty or probability: those are None. Quirks kept on purpose: unknown activity counts as
active today, unknown messages as none, unknown or zero spend before counts as one cent (so no spend at all
is a decline), a status word it does not know counts for nothing, and one whale squeezes everybody's
lifetime value. Where lifetime or 30-day spend is unknown, what needs it is left out, not guessed: no
lifetime value, no decline term.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from bot.domain.models import CreatorMaxima, FanFacts, Reason, Scores
from bot.domain.scoring.base import Profile, Scored

NAME: Final = "reference"
VERSION: Final = 1

_EXPIRED_POINTS: Final = 100.0
_EXPIRING_POINTS: Final = 40.0
_DECLINE_POINTS: Final = 30.0
_ENGAGEMENT_WEIGHT: Final = -0.2


def score(facts: FanFacts, maxima: CreatorMaxima) -> Scores:
    # Cents / 100 is the correctly rounded float of the amount in dollars, so both doors see the same numbers.
    total = facts.total_cents
    recent = facts.spend_30d_cents
    prior = facts.spend_prior_30d_cents
    recent_dollars = None if recent is None else recent / 100.0
    prior_dollars = prior / 100.0 if prior else 0.01
    engagement = _engagement(facts.days_since_active, facts.messages_30d, facts.ppv_open_rate)
    return Scores(
        _churn(facts.status, recent_dollars, prior_dollars, facts.days_since_active, engagement),
        None
        if total is None or recent_dollars is None
        else _ltv(
            total / 100.0,
            recent_dollars,
            prior_dollars,
            maxima.total_cents / 100.0 or 1.0,
            maxima.spend_30d_cents / 100.0 or 1.0,
        ),
        engagement,
        None,
        None,
        None,
    )


def explain(facts: FanFacts, maxima: CreatorMaxima) -> tuple[Reason, ...]:
    """The formula's terms that are not zero, plus `limited` where 0 or 100 cut their sum.

    Codes and their `value`: expired, expiring_soon (None); spend_decline (the change against the 30 days
    before as a fraction, -1 for no spend at all; None where nothing was spent before either); days_inactive
    (days); engagement (the engagement score); limited (the sum before the cut). `maxima` plays no part in
    churn.
    """
    prior = facts.spend_prior_30d_cents
    return _reasons(
        facts.status,
        None if facts.spend_30d_cents is None else facts.spend_30d_cents / 100.0,
        prior / 100.0 if prior else 0.01,
        not prior,
        facts.days_since_active,
        _engagement(facts.days_since_active, facts.messages_30d, facts.ppv_open_rate),
    )


def score_profiles(profiles: Sequence[Profile]) -> list[Scored]:
    max_total = _largest(profile.total_spend for profile in profiles)
    max_recent = _largest(profile.spend_30d for profile in profiles)
    return [_score_profile(profile, max_total, max_recent) for profile in profiles]


def _score_profile(profile: Profile, max_total: float, max_recent: float) -> Scored:
    total, recent, days = profile.total_spend, profile.spend_30d, profile.days_since_active
    prior = profile.spend_prior_30d or 0.01
    engagement = _engagement(days, profile.message_count_30d, profile.ppv_open_rate)
    churn = _churn(profile.subscription_status, recent, prior, days, engagement)
    ltv = None
    if total is not None and recent is not None:
        ltv = _ltv(total, recent, prior, max_total, max_recent)
    reasons = _reasons(
        profile.subscription_status, recent, prior, not profile.spend_prior_30d, days, engagement
    )
    return Scored(Scores(churn, ltv, engagement, None, None, None), reasons)


def _largest(values: Iterable[float | None]) -> float:
    return max((value for value in values if value is not None), default=0.0) or 1.0


def _clamp(value: float) -> float:
    # Not a number (absurd inputs that overflow) gives 0: nothing ever leaves the range.
    if not value > 0.0:
        return 0.0
    return value if value < 100.0 else 100.0


def _engagement(days: int | None, messages: int | None, ppv_open_rate: float | None) -> float:
    value = 50.0
    days = days or 0
    if days == 0:
        value += 20.0
    elif days <= 1:
        value += 15.0
    elif days <= 3:
        value += 5.0
    elif days <= 7:
        value -= 10.0
    else:
        value -= min(3.0 * days, 40.0)
    if not messages:
        value -= 15.0
    elif messages >= 20:
        value += 15.0
    elif messages >= 5:
        value += 8.0
    return _clamp(value + 15.0 * (ppv_open_rate or 0.0))


def _ltv(total: float, recent: float, prior: float, max_total: float, max_recent: float) -> float:
    change = recent / prior - 1.0 if prior > 0.0 else 0.0
    trend = max(-0.3, min(0.3, change)) * 20.0
    return _clamp(50.0 * total / max_total + 30.0 * recent / max_recent + trend + 20.0)


def _declined(recent: float | None, prior: float) -> bool:
    return recent is not None and prior > 0.0 and recent < prior / 2.0


def _churn(
    status: str | None, recent: float | None, prior: float, days: int | None, engagement: float
) -> float:
    # The whole numbers first: one rounding only, so that a sum of exactly 60 or 80 stays exactly that.
    value = 0.0
    if status == "expired":
        value = _EXPIRED_POINTS
    elif status == "expiring_soon":
        value = _EXPIRING_POINTS
    if _declined(recent, prior):
        value += _DECLINE_POINTS
    value += min(4.0 * (days or 0), 40.0)
    return _clamp(value + _ENGAGEMENT_WEIGHT * engagement)


def _reasons(
    status: str | None,
    recent: float | None,
    prior: float,
    prior_assumed: bool,
    days: int | None,
    engagement: float,
) -> tuple[Reason, ...]:
    reasons = []
    if status == "expired":
        reasons.append(Reason("expired", _EXPIRED_POINTS))
    elif status == "expiring_soon":
        reasons.append(Reason("expiring_soon", _EXPIRING_POINTS))
    if recent is not None and _declined(recent, prior):
        reasons.append(
            Reason("spend_decline", _DECLINE_POINTS, None if prior_assumed else recent / prior - 1.0)
        )
    if days:
        reasons.append(Reason("days_inactive", min(4.0 * days, 40.0), float(days)))
    if engagement:
        reasons.append(Reason("engagement", _ENGAGEMENT_WEIGHT * engagement, engagement))
    raw = sum(reason.points for reason in reasons)
    cut = _churn(status, recent, prior, days, engagement) - raw
    if abs(cut) > 1e-9:
        reasons.append(Reason("limited", cut, raw))
    return tuple(sorted(reasons, key=lambda reason: -reason.points))
