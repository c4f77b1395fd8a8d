"""The reference formula, written from its text alone; nothing of the product is imported here.

Money is in dollars (the formula's 0.01 for an empty prior window is a cent of a dollar), None is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

EXPIRED = "expired"
EXPIRING_SOON = "expiring_soon"
ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class Inputs:
    """One fan of one creator at one instant. Messages and unlocks are None in a purchase history."""

    total: float | None
    spend_30d: float | None
    spend_prior_30d: float | None
    days_since_active: int | None
    messages_30d: int | None
    ppv_open_rate: float | None
    status: str | None


@dataclass(frozen=True, slots=True)
class Result:
    """The three scores of the reference, each from 0 to 100."""

    ltv: float
    engagement: float
    churn_risk: float


def _clamp(value: float, low: float, high: float) -> float:
    return max(low, min(high, value))


def _recency(days: int) -> float:
    if days == 0:
        return 20
    if days <= 1:
        return 15
    if days <= 3:
        return 5
    if days <= 7:
        return -10
    return -min(3 * days, 40)


def _messages(count: int | None) -> float:
    known = count or 0
    if known >= 20:
        return 15
    if known >= 5:
        return 8
    if known == 0:
        return -15
    return 0


def maxima(fans: Iterable[Inputs]) -> tuple[float, float]:
    """(M, M30): the largest lifetime and 30-day spend of one creator's fans, 1 where that is 0 or nobody is
    known.
    """
    totals: list[float] = []
    recents: list[float] = []
    for fan in fans:
        totals.append(fan.total or 0.0)
        recents.append(fan.spend_30d or 0.0)
    return (max(totals, default=0.0) or 1.0, max(recents, default=0.0) or 1.0)


def score(fan: Inputs, max_total: float, max_30d: float) -> Result:
    """The formula for one fan, given the maxima of the creator."""
    total = fan.total or 0.0
    recent = fan.spend_30d or 0.0
    prior = fan.spend_prior_30d or 0.01
    days = fan.days_since_active or 0

    ratio = recent / prior if prior > 0 else 1.0
    trend = _clamp(ratio - 1, -0.3, 0.3) * 20
    ltv = _clamp(50 * total / max_total + 30 * recent / max_30d + trend + 20, 0, 100)

    engagement = _clamp(
        50 + _recency(days) + _messages(fan.messages_30d) + 15 * (fan.ppv_open_rate or 0.0), 0, 100
    )

    churn = 100.0 if fan.status == EXPIRED else 40.0 if fan.status == EXPIRING_SOON else 0.0
    if prior > 0 and recent < prior / 2:
        churn += 30
    churn += min(4 * days, 40)
    churn -= 0.2 * engagement
    return Result(ltv=ltv, engagement=engagement, churn_risk=_clamp(churn, 0, 100))
