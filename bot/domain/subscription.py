"""Where a fan's subscription stands, from what the data API shows."""

from __future__ import annotations

from bot.domain.models import MS_PER_DAY, SubscriptionStatus

EXPIRING_SOON_MS = 7 * MS_PER_DAY
"""How long before the end a subscription without rebill counts as expiring."""


def subscription_status(
    subscribed: bool | None,
    expired_now: bool | None,
    expires_at: int | None,
    rebill_off: bool | None,
    now_ms: int,
) -> SubscriptionStatus | None:
    """None: nothing tells. An end that is near means nothing by itself: most subscriptions renew on that day."""
    if expired_now:
        return SubscriptionStatus.EXPIRED
    if not subscribed:
        ended = expires_at is not None and expires_at <= now_ms
        return SubscriptionStatus.EXPIRED if ended else None
    if rebill_off and expires_at is not None and expires_at - now_ms <= EXPIRING_SOON_MS:
        return SubscriptionStatus.EXPIRING_SOON
    return SubscriptionStatus.ACTIVE
