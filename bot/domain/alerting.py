"""When a fan's episode opens, rises, falls and closes. Pure: no clock, no storage.

An episode has two tiers: at-risk is a silent flag, action pings. The gap between firing and clearing
(hysteresis) keeps a score that hovers at a threshold from firing twice. An expiry that was seen happening
makes the episode an action item whatever the score says, and it stays one while the subscription is
expired.
"""

from __future__ import annotations

from bot.domain.models import (
    AlertFacts,
    AlertTier,
    Change,
    Decision,
    EpisodeState,
    Policy,
    SubscriptionStatus,
)


def decide(episode: EpisodeState | None, facts: AlertFacts, policy: Policy, now_ms: int) -> Decision:
    """Decide what one run does to one fan's episode.

    `episode` is the latest one, open or closed, None where there never was one. All comparisons are strict:
    a score on a threshold moves nothing. `ping` is only ever set on a change to action, and never within
    the ping floor.
    """
    tier = episode.tier if episode is not None else None
    if facts.data_stale:
        return Decision(Change.INHIBITED, tier, "data_stale")
    if episode is None or tier is None:
        return _decide_closed(episode, facts, policy, now_ms)
    return _decide_open(tier, episode.expired, facts, policy, now_ms)


def _decide_closed(episode: EpisodeState | None, facts: AlertFacts, policy: Policy, now_ms: int) -> Decision:
    if not facts.eligible:
        return Decision(Change.NONE, None, "not_eligible")
    reopened = _is_recent(episode, policy, now_ms)
    ping = _may_ping(facts, policy, now_ms)
    if facts.expiry_seen:
        return Decision(Change.EXPIRED, AlertTier.ACTION, "expiry_seen", ping, reopened)
    if facts.status == SubscriptionStatus.EXPIRED:
        # Nobody saw it end, or the episode of that end is closed already: there is nothing new to say.
        return Decision(
            Change.NONE, None, "expired_before_first_sight" if facts.first_sight else "already_expired"
        )
    if facts.score > policy.action_above:
        return Decision(Change.OPENED, AlertTier.ACTION, "above_action", ping, reopened)
    if facts.score > policy.fire_above:
        if facts.holdout:
            return Decision(Change.NONE, None, "holdout")
        return Decision(Change.OPENED, AlertTier.AT_RISK, "above_fire", reopened=reopened)
    return Decision(Change.NONE, None, "below_fire")


def _decide_open(tier: AlertTier, expired: bool, facts: AlertFacts, policy: Policy, now_ms: int) -> Decision:
    lapsed = facts.status == SubscriptionStatus.EXPIRED
    worked_as_expired = expired and tier is AlertTier.ACTION
    ping = _may_ping(facts, policy, now_ms)
    if facts.expiry_seen and not worked_as_expired:
        return Decision(Change.EXPIRED, AlertTier.ACTION, "expiry_seen", ping)
    if worked_as_expired and (lapsed or facts.expiry_seen):
        return Decision(Change.NONE, tier, "still_expired")
    if not facts.eligible:
        return Decision(Change.CLEARED, None, "not_eligible")
    if facts.score < policy.clear_below:
        return Decision(Change.CLEARED, None, "below_clear")
    if tier is AlertTier.AT_RISK and facts.score > policy.action_above:
        return Decision(Change.RAISED, AlertTier.ACTION, "above_action", ping)
    if tier is AlertTier.ACTION and facts.score < policy.action_clear_below:
        return Decision(Change.LOWERED, AlertTier.AT_RISK, "below_action_clear")
    return Decision(Change.NONE, tier, "steady")


def _is_recent(episode: EpisodeState | None, policy: Policy, now_ms: int) -> bool:
    return (
        episode is not None
        and episode.closed_at is not None
        and now_ms - episode.closed_at <= policy.reopen_within_ms
    )


def _may_ping(facts: AlertFacts, policy: Policy, now_ms: int) -> bool:
    return facts.last_pinged_at is None or now_ms - facts.last_pinged_at >= policy.ping_floor_ms
