"""What people do about an alert, and the rules that the time of a shift goes by. Pure values and small rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from bot.domain.models import MS_PER_DAY, MS_PER_HOUR, AlertTier

MS_PER_MINUTE = 60_000
CLAIM_LAPSE_MS = 2 * MS_PER_HOUR
"""How long after the end of a shift its claims lapse."""
OPEN_SHIFT_MS = 10 * MS_PER_HOUR
"""How long a shift lasts that somebody has begun without a plan and does not end."""
NUDGE_WINDOW_MS = 48 * MS_PER_HOUR
NUDGE_LIMIT = 3
"""Contacts with one fan in 48 hours from which on the card warns."""


class Outcome(StrEnum):
    """What came of an alert or of a winback; each of them closes it."""

    KEPT = "kept"
    WAITING = "waiting"
    LOST = "lost"
    FALSE_ALARM = "false_alarm"


class Mood(StrEnum):
    """How a fan seemed to whoever closed the alert."""

    WARM = "warm"
    NEUTRAL = "neutral"
    COLD = "cold"
    ANGRY = "angry"


PingState = Literal["held", "digest"]
"""A mention that was due and could not be: held by quiet hours until they end, or left to the next digest."""


NotCalled = Literal["hold", "mute", "stale", "contacts", "quiet", "budget"]
"""Why somebody is not mentioned now: the first of these that holds."""


@dataclass(frozen=True, slots=True)
class DeskRules:
    """What an operator sets for the whole agency. Minutes of escalation count only while somebody is on shift."""

    alert_budget: int = 8
    """Mentions for one person in one shift; off shift, in 24 hours."""
    escalate_lead_ms: int = 15 * MS_PER_MINUTE
    escalate_manager_ms: int = 60 * MS_PER_MINUTE
    remind_claim_ms: int = 2 * MS_PER_HOUR
    """How long after a claim its owner is reminded once; 0: never."""
    digest_minute: int = 8 * 60
    """Minutes after midnight in the agency's zone."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Up to when an outcome keeps an episode closed, and what ends that early (see `EpisodeState`)."""

    until_at: int
    score: float | None
    tier: AlertTier | None


_REST_MS = {
    Outcome.KEPT: 14 * MS_PER_DAY,
    # Somebody has written and waits for an answer: three days are long for one.
    Outcome.WAITING: 3 * MS_PER_DAY,
    Outcome.LOST: 30 * MS_PER_DAY,
    Outcome.FALSE_ALARM: 30 * MS_PER_DAY,
}


def rest_after(outcome: Outcome, score: float, tier: AlertTier | None, now_ms: int) -> Rest:
    """How long an episode stays closed after an outcome. Of who is lost only the end of the subscription is news."""
    lost = outcome is Outcome.LOST
    return Rest(now_ms + _REST_MS[outcome], None if lost else score, None if lost else tier)


@dataclass(frozen=True, slots=True)
class Snooze:
    """`until_at`: at the latest. `until_shift`: it ends when `by` next comes on shift."""

    until_at: int
    by: int
    until_shift: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class Closing:
    """How a person closed an episode. `note` is hostile text."""

    outcome: Outcome
    mood: Mood | None
    by: int
    at: int
    note: str | None = None

    def without_note(self) -> Closing:
        """As it may stand where the fan is hidden: what people write of a fan says who it is."""
        return replace(self, note=None)


@dataclass(frozen=True, slots=True)
class Moods:
    """How often people have said how a fan seemed, and how often that was warm."""

    told: int
    warm: int


@dataclass(frozen=True, slots=True)
class Done:
    """What a person says when closing an episode. `note` is hostile text; `form_id`: of the form it came from."""

    outcome: Outcome
    mood: Mood | None
    note: str | None
    form_id: str | None


@dataclass(frozen=True, slots=True)
class Hold:
    """Do not contact this fan. `until_at` None: until somebody ends it. `reason` is hostile text."""

    until_at: int | None
    reason: str
    by: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """Contacts with a person in the last 48 hours, over all creators of the agency.

    `elsewhere`: (creator id, name) of the other creators whose fan the same person is; for the eyes of those who see them.
    """

    nudges: int
    chatters: int
    last_at: int | None
    elsewhere: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PlaybookStep:
    """One step and who ticked it; None: nobody yet. The text is hostile: leads write it."""

    text: str
    ticked_by: int | None
    ticked_at: int | None


@dataclass(frozen=True, slots=True)
class PlaybookView:
    """The steps for an episode's top reason. `version` 0: those that Fanwatch comes with."""

    reason: str
    version: int
    steps: tuple[PlaybookStep, ...]


@dataclass(frozen=True, slots=True)
class NextFollowup:
    """The fan's follow-up that is due first. `what` is hostile text."""

    followup_id: int
    what: str
    due_at: int
    assignee_id: int | None
    promise: bool
