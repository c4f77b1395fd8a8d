"""When a fan's episode opens, rises, falls and closes. Pure: no clock, no storage.

An episode has two tiers: at-risk is a silent flag, action pings. The gap between firing and clearing
(hysteresis) keeps a score that hovers at a threshold from firing twice. An expiry that was seen happening
makes the episode an action item whatever the score says, and it stays one while the subscription is
expired; renewed, it goes by its score like any other. What somebody has snoozed, or closed with an outcome,
comes back by itself only where things have become clearly worse; a mute or a hold keeps back what is new and
nothing else.
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

RENEWED = "renewed"
"""Why a fan whose subscription had ended stays an action item: raised from action to action, and news to nobody."""


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
        decision = _decide_closed(episode, facts, policy, now_ms)
    else:
        decision = _decide_open(episode, tier, facts, policy, now_ms)
    if facts.muted and decision.change in _NEWS and decision.reason != RENEWED:
        return Decision(Change.INHIBITED, tier, "muted")
    return decision


def _decide_closed(episode: EpisodeState | None, facts: AlertFacts, policy: Policy, now_ms: int) -> Decision:
    if not facts.eligible:
        return Decision(Change.NONE, None, "not_eligible")
    reopened = _is_recent(episode, policy, now_ms)
    ping = _may_ping(facts, policy, now_ms)
    if facts.expiry_seen:
        # Worth a word even where somebody has said that the fan was lost: now there is a subscription to win back.
        return Decision(Change.EXPIRED, AlertTier.ACTION, "expiry_seen", ping, reopened)
    if facts.status == SubscriptionStatus.EXPIRED:
        # Nobody saw it end, or the episode of that end is closed already: there is nothing new to say.
        return Decision(
            Change.NONE, None, "expired_before_first_sight" if facts.first_sight else "already_expired"
        )
    if facts.score > policy.fire_above and _rests(episode, facts, policy, now_ms):
        return Decision(Change.NONE, None, "resting")
    if facts.score > policy.action_above:
        return Decision(Change.OPENED, AlertTier.ACTION, "above_action", ping, reopened)
    if facts.score > policy.fire_above:
        if facts.holdout:
            return Decision(Change.NONE, None, "holdout")
        return Decision(Change.OPENED, AlertTier.AT_RISK, "above_fire", reopened=reopened)
    return Decision(Change.NONE, None, "below_fire")


def _rests(episode: EpisodeState | None, facts: AlertFacts, policy: Policy, now_ms: int) -> bool:
    """Whether a person's outcome still keeps the score from opening it again."""
    if episode is None or episode.rests_until is None or now_ms >= episode.rests_until:
        return False
    if episode.rest_score is None:
        return True
    rises = episode.rest_tier is not AlertTier.ACTION and facts.score > policy.action_above
    return not rises and facts.score < episode.rest_score + policy.wake_rise


def _decide_open(
    episode: EpisodeState, tier: AlertTier, facts: AlertFacts, policy: Policy, now_ms: int
) -> Decision:
    lapsed = facts.status == SubscriptionStatus.EXPIRED
    worked_as_expired = episode.expired and tier is AlertTier.ACTION
    snoozed = episode.snoozed_until is not None and now_ms < episode.snoozed_until
    ping = _may_ping(facts, policy, now_ms)
    if facts.expiry_seen and not worked_as_expired:
        return Decision(Change.EXPIRED, AlertTier.ACTION, "expiry_seen", ping)
    if worked_as_expired and (lapsed or facts.expiry_seen):
        return Decision(Change.NONE, tier, "still_expired")
    if not facts.eligible:
        return Decision(Change.CLEARED, None, "not_eligible")
    if facts.score < policy.clear_below:
        return Decision(Change.CLEARED, None, "below_clear")
    raised = tier is AlertTier.AT_RISK and facts.score > policy.action_above
    if (
        snoozed
        and episode.snooze_score is not None
        and facts.score >= episode.snooze_score + policy.wake_rise
    ):
        woken_tier = AlertTier.ACTION if raised else tier
        return Decision(Change.WOKEN, woken_tier, "score_rose", ping and woken_tier is AlertTier.ACTION)
    if raised:
        # Of what is snoozed the card shows it, and nobody is called.
        return Decision(Change.RAISED, AlertTier.ACTION, "above_action", ping and not snoozed)
    if tier is AlertTier.ACTION and facts.score < policy.action_clear_below:
        return Decision(Change.LOWERED, AlertTier.AT_RISK, "below_action_clear")
    if worked_as_expired:
        # No subscription that ended any more, and no news to whoever has it: its next end is one again.
        return Decision(Change.RAISED, AlertTier.ACTION, RENEWED)
    return Decision(Change.NONE, tier, "steady")


_NEWS = frozenset({Change.OPENED, Change.RAISED, Change.WOKEN, Change.EXPIRED})


def _is_recent(episode: EpisodeState | None, policy: Policy, now_ms: int) -> bool:
    return (
        episode is not None
        and episode.closed_at is not None
        and now_ms - episode.closed_at <= policy.reopen_within_ms
    )


def _may_ping(facts: AlertFacts, policy: Policy, now_ms: int) -> bool:
    return facts.last_pinged_at is None or now_ms - facts.last_pinged_at >= policy.ping_floor_ms
