"""Every rule of an episode as a sentence, and what no sequence of scores may do."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.alerting import decide
from bot.domain.models import (
    MS_PER_DAY,
    MS_PER_HOUR,
    AlertFacts,
    AlertTier,
    Change,
    Decision,
    EpisodeState,
    Policy,
)

NOW = 1_772_000_000_000
POLICY = Policy()
FACTS = AlertFacts(
    score=0.0,
    status="active",
    eligible=True,
    first_sight=False,
    expiry_seen=False,
    data_stale=False,
    holdout=False,
    last_pinged_at=None,
)
AT_RISK = EpisodeState(AlertTier.AT_RISK, expired=False, closed_at=None)
ACTION = EpisodeState(AlertTier.ACTION, expired=False, closed_at=None)
EXPIRED = EpisodeState(AlertTier.ACTION, expired=True, closed_at=None)
CLOSED = EpisodeState(None, expired=False, closed_at=NOW - 3 * MS_PER_DAY)
LONG_CLOSED = EpisodeState(None, expired=True, closed_at=NOW - 14 * MS_PER_DAY - 1)

AT_RISK_TIER, ACTION_TIER = AlertTier.AT_RISK, AlertTier.ACTION
PINGED = {"last_pinged_at": NOW - MS_PER_DAY + 1}
PINGED_LONG_AGO = {"last_pinged_at": NOW - MS_PER_DAY}

# (episode, what differs from FACTS, expected)
CASES: dict[str, tuple[EpisodeState | None, dict[str, object], Decision]] = {
    "a score of exactly 60 opens nothing": (
        None,
        {"score": 60.0},
        Decision(Change.NONE, None, "below_fire"),
    ),
    "above 60 opens a flag without a ping": (
        None,
        {"score": 60.01},
        Decision(Change.OPENED, AT_RISK_TIER, "above_fire"),
    ),
    "exactly 80 is a flag still": (
        None,
        {"score": 80.0},
        Decision(Change.OPENED, AT_RISK_TIER, "above_fire"),
    ),
    "above 80 opens an action item with a ping": (
        None,
        {"score": 80.1},
        Decision(Change.OPENED, ACTION_TIER, "above_action", ping=True),
    ),
    "an action item opens without a ping where one went out within the day": (
        None,
        {"score": 90.0, **PINGED},
        Decision(Change.OPENED, ACTION_TIER, "above_action"),
    ),
    "a ping exactly a day ago is long enough ago": (
        None,
        {"score": 90.0, **PINGED_LONG_AGO},
        Decision(Change.OPENED, ACTION_TIER, "above_action", ping=True),
    ),
    "whoever is not eligible opens nothing": (
        None,
        {"score": 99.0, "eligible": False},
        Decision(Change.NONE, None, "not_eligible"),
    ),
    "an episode closed three days ago opens again": (
        CLOSED,
        {"score": 65.0},
        Decision(Change.OPENED, AT_RISK_TIER, "above_fire", reopened=True),
    ),
    "an episode closed three days ago opens again at action, with a ping": (
        CLOSED,
        {"score": 85.0},
        Decision(Change.OPENED, ACTION_TIER, "above_action", ping=True, reopened=True),
    ),
    "an episode closed more than 14 days ago makes a new one": (
        LONG_CLOSED,
        {"score": 65.0},
        Decision(Change.OPENED, AT_RISK_TIER, "above_fire"),
    ),
    "an episode closed exactly 14 days ago opens again": (
        replace(CLOSED, closed_at=NOW - 14 * MS_PER_DAY),
        {"score": 65.0},
        Decision(Change.OPENED, AT_RISK_TIER, "above_fire", reopened=True),
    ),
    "a flag above 80 is raised with a ping": (
        AT_RISK,
        {"score": 81.0},
        Decision(Change.RAISED, ACTION_TIER, "above_action", ping=True),
    ),
    "a flag raised within a day of the last ping does not ping": (
        AT_RISK,
        {"score": 81.0, **PINGED},
        Decision(Change.RAISED, ACTION_TIER, "above_action"),
    ),
    "a flag at exactly 80 stays": (AT_RISK, {"score": 80.0}, Decision(Change.NONE, AT_RISK_TIER, "steady")),
    "a flag between 50 and 60 stays": (
        AT_RISK,
        {"score": 50.0},
        Decision(Change.NONE, AT_RISK_TIER, "steady"),
    ),
    "a flag below 50 is cleared": (AT_RISK, {"score": 49.9}, Decision(Change.CLEARED, None, "below_clear")),
    "an action item at exactly 70 stays": (
        ACTION,
        {"score": 70.0},
        Decision(Change.NONE, ACTION_TIER, "steady"),
    ),
    "an action item below 70 is lowered": (
        ACTION,
        {"score": 69.9},
        Decision(Change.LOWERED, AT_RISK_TIER, "below_action_clear"),
    ),
    "an action item at exactly 50 is lowered": (
        ACTION,
        {"score": 50.0},
        Decision(Change.LOWERED, AT_RISK_TIER, "below_action_clear"),
    ),
    "an action item below 50 is cleared at once": (
        ACTION,
        {"score": 12.0},
        Decision(Change.CLEARED, None, "below_clear"),
    ),
    "an open episode of somebody no longer eligible is cleared": (
        ACTION,
        {"score": 99.0, "eligible": False},
        Decision(Change.CLEARED, None, "not_eligible"),
    ),
    "an expiry seen happening is an action item whatever the score": (
        None,
        {"score": 3.0, "status": "expired", "expiry_seen": True},
        Decision(Change.EXPIRED, ACTION_TIER, "expiry_seen", ping=True),
    ),
    "an expiry of somebody not eligible is not": (
        None,
        {"score": 93.0, "status": "expired", "expiry_seen": True, "eligible": False},
        Decision(Change.NONE, None, "not_eligible"),
    ),
    "an expiry soon after an episode opens that again": (
        CLOSED,
        {"score": 93.0, "status": "expired", "expiry_seen": True},
        Decision(Change.EXPIRED, ACTION_TIER, "expiry_seen", ping=True, reopened=True),
    ),
    "an expiry raises an open flag": (
        AT_RISK,
        {"score": 55.0, "status": "expired", "expiry_seen": True},
        Decision(Change.EXPIRED, ACTION_TIER, "expiry_seen", ping=True),
    ),
    "an expiry counts for an open episode even of somebody not eligible": (
        AT_RISK,
        {"score": 55.0, "status": "expired", "expiry_seen": True, "eligible": False},
        Decision(Change.EXPIRED, ACTION_TIER, "expiry_seen", ping=True),
    ),
    "an expiry is news to an action item too": (
        ACTION,
        {"score": 95.0, "status": "expired", "expiry_seen": True},
        Decision(Change.EXPIRED, ACTION_TIER, "expiry_seen", ping=True),
    ),
    "an expiry within the day of a ping does not ping": (
        ACTION,
        {"score": 95.0, "status": "expired", "expiry_seen": True, **PINGED},
        Decision(Change.EXPIRED, ACTION_TIER, "expiry_seen"),
    ),
    "an expired episode whose expiry is reported again stays": (
        EXPIRED,
        {"score": 95.0, "status": "expired", "expiry_seen": True},
        Decision(Change.NONE, ACTION_TIER, "still_expired"),
    ),
    "an expired episode stays at action at any score": (
        EXPIRED,
        {"score": 5.0, "status": "expired"},
        Decision(Change.NONE, ACTION_TIER, "still_expired"),
    ),
    "an expired episode stays although an expired fan is not subscribed": (
        EXPIRED,
        {"score": 5.0, "status": "expired", "eligible": False},
        Decision(Change.NONE, ACTION_TIER, "still_expired"),
    ),
    "who came back with a low score is cleared": (
        EXPIRED,
        {"score": 20.0},
        Decision(Change.CLEARED, None, "below_clear"),
    ),
    "who came back with a middling score is lowered": (
        EXPIRED,
        {"score": 60.0},
        Decision(Change.LOWERED, AT_RISK_TIER, "below_action_clear"),
    ),
    "who came back with a high score is an action item like any other, without a ping": (
        EXPIRED,
        {"score": 70.0},
        Decision(Change.RAISED, ACTION_TIER, "renewed"),
    ),
    "who came back is no news that a mute keeps back": (
        EXPIRED,
        {"score": 75.0, "muted": True},
        Decision(Change.RAISED, ACTION_TIER, "renewed"),
    ),
    "who came back, was lowered and expires again is an action item again": (
        EpisodeState(AT_RISK_TIER, expired=True, closed_at=None),
        {"score": 60.0, "status": "expired", "expiry_seen": True, **PINGED_LONG_AGO},
        Decision(Change.EXPIRED, ACTION_TIER, "expiry_seen", ping=True),
    ),
    "who was expired at first sight opens nothing": (
        None,
        {"score": 99.0, "status": "expired", "first_sight": True},
        Decision(Change.NONE, None, "expired_before_first_sight"),
    ),
    "who expired long ago opens nothing": (
        CLOSED,
        {"score": 99.0, "status": "expired"},
        Decision(Change.NONE, None, "already_expired"),
    ),
    "stale data opens nothing": (
        None,
        {"score": 99.0, "data_stale": True},
        Decision(Change.INHIBITED, None, "data_stale"),
    ),
    "stale data closes nothing": (
        ACTION,
        {"score": 1.0, "data_stale": True, "eligible": False},
        Decision(Change.INHIBITED, ACTION_TIER, "data_stale"),
    ),
    "the held out get no flag": (
        None,
        {"score": 70.0, "holdout": True},
        Decision(Change.NONE, None, "holdout"),
    ),
    "an action item is never held out": (
        None,
        {"score": 85.0, "holdout": True},
        Decision(Change.OPENED, ACTION_TIER, "above_action", ping=True),
    ),
    "an expiry is never held out": (
        None,
        {"score": 5.0, "holdout": True, "expiry_seen": True, "status": "expired"},
        Decision(Change.EXPIRED, ACTION_TIER, "expiry_seen", ping=True),
    ),
}


@pytest.mark.parametrize(("episode", "changed", "expected"), CASES.values(), ids=CASES.keys())
def test_rule(episode: EpisodeState | None, changed: dict[str, object], expected: Decision) -> None:
    assert decide(episode, replace(FACTS, **changed), POLICY, NOW) == expected  # type: ignore[arg-type]


_NOTHING = (Change.NONE, Change.INHIBITED)


def apply(episode: EpisodeState | None, decision: Decision, now: int) -> EpisodeState | None:
    """What storage keeps after a decision."""
    if decision.tier is not None:
        was_expired = episode is not None and episode.tier is not None and episode.expired
        expired = decision.change is Change.EXPIRED or (was_expired and decision.change in _NOTHING)
        return EpisodeState(decision.tier, expired, None)
    if episode is not None and episode.tier is not None:
        return EpisodeState(None, episode.expired, now)
    return episode


episodes = st.sampled_from([None, AT_RISK, ACTION, EXPIRED, CLOSED, LONG_CLOSED])
some_facts = st.builds(
    AlertFacts,
    score=st.floats(0, 100),
    status=st.sampled_from([None, "active", "expiring_soon", "expired"]),
    eligible=st.booleans(),
    first_sight=st.booleans(),
    expiry_seen=st.booleans(),
    data_stale=st.booleans(),
    holdout=st.booleans(),
    last_pinged_at=st.none() | st.integers(NOW - 3 * MS_PER_DAY, NOW),
).map(lambda facts: replace(facts, status="expired") if facts.expiry_seen else facts)


@settings(deadline=None)
@given(episodes, some_facts)
def test_a_change_and_its_tier_belong_together(episode: EpisodeState | None, facts: AlertFacts) -> None:
    decision = decide(episode, facts, POLICY, NOW)
    before = episode.tier if episode is not None else None
    if decision.change in (Change.NONE, Change.INHIBITED):
        assert decision.tier is before
        assert not decision.ping
    if decision.change is Change.OPENED:
        assert before is None
        assert decision.tier is not None
        assert facts.score > (POLICY.action_above if decision.tier is ACTION_TIER else POLICY.fire_above)
    if decision.change is Change.CLEARED:
        assert before is not None
        assert facts.score < POLICY.clear_below or not facts.eligible
    if decision.ping:
        assert decision.tier is ACTION_TIER
        assert facts.last_pinged_at is None or NOW - facts.last_pinged_at >= POLICY.ping_floor_ms
    if facts.data_stale:
        assert decision.change is Change.INHIBITED


@settings(deadline=None)
@given(episodes, some_facts)
def test_the_same_facts_once_more_change_nothing(episode: EpisodeState | None, facts: AlertFacts) -> None:
    first = decide(episode, facts, POLICY, NOW)
    kept = apply(episode, first, NOW)
    settled = replace(facts, expiry_seen=False)
    second = decide(kept, settled, POLICY, NOW)
    assert second.change in (Change.NONE, Change.INHIBITED)
    assert not second.ping


@settings(deadline=None)
@given(st.lists(st.floats(50.0, 80.0), min_size=1, max_size=30))
def test_a_score_that_hovers_fires_once(scores: list[float]) -> None:
    episode: EpisodeState | None = None
    opened = 0
    for step, score in enumerate(scores):
        decision = decide(episode, replace(FACTS, score=score), POLICY, NOW + step * MS_PER_HOUR)
        opened += decision.change is Change.OPENED
        assert decision.change in (Change.NONE, Change.OPENED)
        episode = apply(episode, decision, NOW)
    assert opened == any(score > POLICY.fire_above for score in scores)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=60))
def test_no_fan_is_pinged_twice_within_the_floor(steps: list[tuple[float, bool]]) -> None:
    episode: EpisodeState | None = None
    pinged: list[int] = []
    for step, (score, expired) in enumerate(steps):
        now = NOW + step * MS_PER_HOUR
        facts = replace(
            FACTS,
            score=score,
            status="expired" if expired else "active",
            expiry_seen=expired and step > 0 and not steps[step - 1][1],
            last_pinged_at=pinged[-1] if pinged else None,
        )
        decision = decide(episode, facts, POLICY, now)
        if decision.ping:
            pinged.append(now)
        episode = apply(episode, decision, now)
    assert all(later - earlier >= POLICY.ping_floor_ms for earlier, later in pairwise(pinged))
